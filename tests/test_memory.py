"""What a process frees stays with it."""

import ctypes
import subprocess
import sys

import pytest

from mazelib import memory

LIBC = ctypes.CDLL(None)
PROGRAM = """
import resource
from mazelib.memory import keep_freed_memory
import numpy as np

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def pages(rounds=20):
    before = faults()
    for _ in range(rounds):
        np.ones(40 * 2**20, np.uint8)
    return faults() - before

pages(1)
given_back = pages()
assert keep_freed_memory()
pages(1)
print(given_back, pages())
"""


@pytest.mark.skipif(not hasattr(LIBC, "mallopt"), reason="no mallopt here")
def test_what_is_freed_is_not_cleared_again():
    """A page that a process touches for the first time is a fault."""
    command = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    given_back, kept = map(int, found.stdout.split())
    assert given_back > 20 * kept
    assert given_back >= 20


def test_another_c_library_keeps_nothing(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_freed_memory()
