"""Run each chapter once, under pytest --nbmake, and keep the run while it holds.

    python -m tools.chapters                     # those whose run no longer holds
    python -m tools.chapters --force 01_mazes    # this one, whatever was run before
    python -m tools.chapters --answers           # all, asking the models anew

In: book/ with the chapters, without outputs. Out, in _build/executed: NAME.ipynb, the
chapter with outputs, and NAME.json, what that run depended on and how long it took.
`make test` and `make book` share these runs. A run holds as long as the chapter's code,
all of mazelib/ and data/, book/hypotheses.yml, requirements.lock and Python are the
same; its text may change. What a chapter itself records in data/results has to be as
the run left it. The chapter that collects what the others have recorded is run after
them, and again when that has changed.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mazelib.behaviour import stored
from mazelib.evidence.hypotheses import HYPOTHESES, hypotheses
from mazelib.evidence.records import BOOK, RESULTS
from mazelib.evidence.threads import ONE_THREAD
from mazelib.files import sha256, write_json

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "book"
EXECUTED = ROOT / "_build" / "executed"
CELL_TIMEOUT = 600
"""Seconds a cell may take; far more than any needs."""
COLLECTS = "18_verdicts"
"""The chapter that reads what all others have recorded."""
JOBS = min(2, os.cpu_count() or 1)
"""Chapters that run side by side, with a thread each."""


class Run(NamedTuple):
    """How running a chapter went: its seconds, those of the processor, its output.

    error: what pytest said if it failed, else nothing.
    """

    seconds: float
    processor: float
    error: str


def names() -> list[str]:
    """The names of the notebooks in the table of contents, in order."""
    toc = (SOURCE / "_toc.yml").read_text(encoding="utf-8")
    found = re.findall(r"^\s*(?:- file|root):\s*(\S+)", toc, flags=re.MULTILINE)
    return [name for name in found if (SOURCE / f"{name}.ipynb").exists()]


def read(name: str, folder: Path | None = None) -> dict:
    """A chapter's notebook, from book/ or another folder."""
    path = (folder or SOURCE) / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(notebook: dict) -> list[dict]:
    """The cells of a notebook that run."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(name: str) -> list[list[dict]]:
    """What each cell of code gave in a chapter's last run."""
    return [cell["outputs"] for cell in code_cells(read(name, EXECUTED))]


def with_outputs(name: str) -> dict:
    """A chapter as it is now, with what its code gave in its last run."""
    notebook = read(name)
    both = zip(code_cells(notebook), outputs(name), strict=True)
    for count, (cell, given) in enumerate(both, 1):
        cell |= {"outputs": given, "execution_count": count}
    return notebook


# ── does a run hold? ──


def records(name: str) -> dict[str, str]:
    """The hashes of what a chapter has recorded, by the files' names in data/results.

    An empty hash stands for what is not there.
    """
    stated = hypotheses().values()
    ids = [entry.id for entry in stated if entry.chapter == name]
    files = [RESULTS / f"{id}.json" for id in ids]
    return {file.name: sha256(file) if file.is_file() else "" for file in files}


@cache
def shared_key() -> str:
    """One hash of all that every chapter may read, but for the chapters' records.

    None but `COLLECTS` reads what another has recorded.
    """
    recorded = {RESULTS / f"{id}.json" for id in hypotheses()}
    read = [*(ROOT / "mazelib").rglob("*.py"), *(ROOT / "data").rglob("*")]
    read += [HYPOTHESES, ROOT / "requirements.lock"]
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(set(read) - recorded):
        if path.is_file() and not path.name.startswith("."):
            digest.update(f"{path.relative_to(ROOT)} {sha256(path)}\n".encode())
    return digest.hexdigest()


def key(name: str) -> str:
    """One hash of all that a chapter's run depends on: its code, and what it reads."""
    code = ["".join(cell["source"]) for cell in code_cells(read(name))]
    if name == COLLECTS:
        code += [json.dumps(records(other)) for other in names() if other != name]
    return hashlib.sha256((shared_key() + json.dumps(code)).encode()).hexdigest()


def last_run(name: str) -> dict:
    """What is known of a chapter's last run; nothing if it does not hold any more."""
    try:
        known = json.loads((EXECUTED / f"{name}.json").read_text("utf-8"))
        holds = known["key"] == key(name) and known["records"] == records(name)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    is_there = (EXECUTED / f"{name}.ipynb").is_file()
    return known if holds and is_there else {}


# ── running ──


def wait(process: subprocess.Popen) -> tuple[int, float]:
    """A process's exit code and its processor's seconds, its children's included.

    0 seconds where the system does not tell, as Windows does not.
    """
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def nbmake(name: str, notebook: dict, kept: Path, **environment: str) -> Run:
    """Run a notebook in an empty folder; if it does not fail, what it made is `kept`.

    environment: variables beside those of this process.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:  # nbmake skips all below a _build
        chapter = Path(folder, f"{name}.ipynb")
        write_json(chapter, notebook, indent=1)
        command = [sys.executable, "-m", "pytest", "--nbmake", "--overwrite", "-q"]
        command += [f"--nbmake-timeout={CELL_TIMEOUT}", "-p", "no:cacheprovider"]
        with open(Path(folder, "said"), "w+", encoding="utf-8") as said:
            process = subprocess.Popen(
                [*command, "-c", os.devnull, chapter],
                cwd=folder,
                env={k: v for k, v in os.environ.items() if k != BOOK} | environment,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            failed, processor = wait(process)
            said.seek(0)
            error = said.read() if failed else ""
        if not failed:
            shutil.copy(chapter, kept)
    return Run(time.monotonic() - started, processor, error)


def execute(name: str) -> Run:
    """Run one chapter; keep what it made in _build/executed if it did not fail."""
    before = key(name)
    EXECUTED.mkdir(parents=True, exist_ok=True)
    run = nbmake(name, read(name), EXECUTED, **ONE_THREAD, **{BOOK: "1"})
    if not run.error:
        times = {"seconds": round(run.seconds), "processor": round(run.processor)}
        known = {"key": before, "records": records(name), **times}
        write_json(EXECUTED / f"{name}.json", known)
    return run


def run_all(due: Sequence[str], how: Callable[[str], Run]) -> None:
    """Run chapters, `JOBS` at a time, and print how it goes.

    Exits with the errors of those that fail, when all have been run.
    """
    failures = []
    with ThreadPoolExecutor(JOBS) as pool:
        waiting = {pool.submit(how, name): name for name in due}
        for number, done in enumerate(as_completed(waiting), 1):
            name, (seconds, processor, error) = waiting[done], done.result()
            failures += [f"{error}\n{name} failed; see above"] if error else []
            went = "failed after" if error else "passed in"
            times = f"{seconds:.0f} s ({processor:.0f} s of processor)"
            print(f"[{number}/{len(due)}] {name} {went} {times}", flush=True)
    if failures:
        sys.exit("\n".join(failures))


def run(asked: Sequence[str] = (), force: bool = False) -> None:
    """Run the chapters asked for, or all, whose last run does not hold; print a table.

    force: run them in any case. Exits as `run_all` does.
    """
    asked, started, count = asked or names(), time.monotonic(), 0
    for some in (set(asked) - {COLLECTS}, set(asked) & {COLLECTS}):
        due = [n for n in asked if n in some and (force or not last_run(n))]
        run_all(due, execute)
        count += len(due)
    took, kept = time.monotonic() - started, len(asked) - count
    print(f"chapters: {count} run in {took:.0f} s, {kept} as they were run before")


def check_known(parser: argparse.ArgumentParser, asked: Sequence[str]) -> None:
    """End the program, with exit code 2, for a name that is no chapter's."""
    if unknown := set(asked) - set(names()):
        known = ", ".join(names())
        parser.error(f"no chapter {', '.join(sorted(unknown))}: choose from {known}")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Run the chapters, each once.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    parser.add_argument("--force", action="store_true", help="whatever was run before")
    more = "and keep what the models answer; all of it, if no chapter is named"
    parser.add_argument("--answers", action="store_true", help=more)
    arguments = parser.parse_args()
    check_known(parser, arguments.chapters)
    if arguments.answers:
        os.environ[stored.KEEP] = "1"
        if not arguments.chapters:
            shutil.rmtree(stored.ANSWERS, ignore_errors=True)
    run(arguments.chapters, arguments.force or arguments.answers)


if __name__ == "__main__":
    main()
