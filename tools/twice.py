"""Run each chapter as readers may: anywhere, twice in one kernel, and not as the book.

    python -m tools.twice                # those that were not, as they are now
    python -m tools.twice 01_mazes

In: the chapters. Out: nothing but a note in _build/executed/twice that it went well. No
cell may fail, and no file of the project may change by it.
"""

import argparse
import copy
import json
import subprocess
import sys
from collections.abc import Sequence

from mazelib.evidence.threads import ONE_THREAD
from mazelib.files import write_json
from tools import chapters
from tools.chapters import Run


def twice(notebook: dict) -> dict:
    """The same with all its cells a second time."""
    again = copy.deepcopy(notebook["cells"])
    for cell in again:
        cell["id"] = f"{cell['id']}-again"
    return {**notebook, "cells": notebook["cells"] + again}


def execute_twice(name: str) -> Run:
    """Run one chapter as a reader may, twice; keep that it went well."""
    before, kept = chapters.key(name), chapters.EXECUTED / "twice"
    kept.mkdir(parents=True, exist_ok=True)
    run = chapters.nbmake(name, twice(chapters.read(name)), kept, **ONE_THREAD)
    if not run.error:
        write_json(kept / f"{name}.json", {"key": before})
    return run


def changes() -> str:
    """What git calls changed or new in the project; nothing outside a checkout."""
    command = ["git", "-c", "safe.directory=*", "status", "--porcelain"]
    said = subprocess.run(command, cwd=chapters.ROOT, capture_output=True, text=True)
    return said.stdout


def run(asked: Sequence[str] = ()) -> None:
    """Run chapters as readers may, twice in one kernel, unless they have been since.

    Exits as `run_all` does, and if a file of the project was changed by it.
    """

    def has_been(name: str) -> bool:
        try:
            kept = (chapters.EXECUTED / "twice" / f"{name}.json").read_text("utf-8")
        except OSError:
            return False
        return json.loads(kept)["key"] == chapters.key(name)

    before = changes()
    due = [name for name in asked or chapters.names() if not has_been(name)]
    chapters.run_all(due, execute_twice)
    if (after := changes()) != before:
        sys.exit(f"a reader's run changed files of the project:\n{after}")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Run the chapters as readers may.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    arguments = parser.parse_args()
    chapters.check_known(parser, arguments.chapters)
    run(arguments.chapters)


if __name__ == "__main__":
    main()
