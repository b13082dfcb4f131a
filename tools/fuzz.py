"""Damage files in all small ways: each is refused in one line, or changes no answer.

    python tools/fuzz.py checkpoint --count 100000     # of each file of a checkpoint

A kind of thing to open is a function in `KINDS` that is given an empty folder and
returns its `Target`s. Every target is opened `--count` times, each time with another
single mutation. What may come of it:

    refused      MazelibError, of one line
    as before    what `open` returns is what it returns for the undamaged bytes
    unchanged    the mutation did nothing

Anything else, a warning too, is printed with the number of the mutation (which makes it
again: --first N --count 1), and the exit code is 1.
"""

import argparse
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from mutations import mutate
from tqdm import tqdm

from mazelib.errors import MazelibError

FASTEST = "/dev/shm"
"""Memory that is a folder, where there is one."""


class Target(NamedTuple):
    """One file, and how it is damaged and opened.

    name: what it is called in the report. data: its undamaged bytes.
    open: opens the thing with such bytes in place of `data`, and returns the facts that
        damage must not change without an error, to be compared by ==.
    mutators: each mutation is by one of them, drawn at random.
    """

    name: str
    data: bytes
    open: Callable[[bytes], object]
    mutators: tuple[Callable[[bytes, random.Random], bytes], ...] = (mutate,)


KINDS: dict[str, Callable[[Path], list[Target]]] = {}


class Failure(NamedTuple):
    """A mutation that was neither refused nor without effect."""

    number: int
    reason: str


def outcome(target: Target, expected: object, number: int, seed: int) -> str | Failure:
    """What comes of one mutation."""
    rng = random.Random(f"{seed} {target.name} {number}")
    data = rng.choice(target.mutators)(target.data, rng)
    if data == target.data:
        return "unchanged"
    try:
        found = target.open(data)
    except MazelibError as error:
        is_one_line = len(str(error).splitlines()) == 1
        return "refused" if is_one_line else Failure(number, f"lines: {error}")
    except Exception as error:  # every other kind is what is looked for
        return Failure(number, f"{type(error).__name__}: {error}")
    return "as before" if found == expected else Failure(number, f"opened as {found}")


def fuzz(target: Target, numbers: range, seed: int = 0) -> tuple[Counter, list]:
    """How many mutations of a target had each outcome, and the failures."""
    counts, failures = Counter(), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = target.open(target.data)
        bar = tqdm(numbers, target.name, disable=not sys.stderr.isatty())
        for number in bar:
            result = outcome(target, expected, number, seed)
            if isinstance(result, Failure):
                failures.append(result)
                result = "FAILED"
            counts[result] += 1
    return counts, failures


def targets(kind: str) -> Iterator[Target]:
    """The targets of a kind, in a folder that is there as long as they are used."""
    place = FASTEST if Path(FASTEST).is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield from KINDS[kind](Path(folder))


def main(arguments: list[str] | None = None) -> int:
    """Print a line a target; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="+", choices=KINDS, metavar="KIND")
    parser.add_argument("--count", type=int, default=1000, help="mutations of each")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the one target of this name")
    asked = parser.parse_args(arguments)
    numbers = range(asked.first, asked.first + asked.count)
    failed = False
    for target in (t for kind in asked.kinds for t in targets(kind)):
        if asked.only in (None, target.name):
            counts, failures = fuzz(target, numbers, asked.seed)
            shown = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
            print(f"{target.name}: {shown}", flush=True)
            for number, reason in failures[:20]:
                print(f"  {number}: {reason[:300]}")
            failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
