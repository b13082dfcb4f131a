"""One thread is one, whatever was set."""

import os

import torch
from threadpoolctl import threadpool_info

from mazelib.evidence.threads import one_thread


def test_one_thread_is_one_whatever_was_set(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    torch.set_num_threads(2)
    one_thread()
    assert torch.get_num_threads() == 1
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert os.environ["OMP_NUM_THREADS"] == "1"
