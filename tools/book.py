"""Run the chapters once and build the book from exactly that run.

    python tools/book.py build                # all chapters, then _build/html
    python tools/book.py build 01_mazes       # one chapter anew; the others as last run

In: book/ with the chapters, without outputs. Out: _build/executed, the chapters with
outputs, and _build/html, the pages. A failing chapter stops the build with its error.
A chapter that was not run yet, or was edited since, stands in the book without outputs.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path

import yaml

from mazelib.viewers import BOOK, SCRIPT, script_file

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "book"
BUILD = ROOT / "_build"
EXECUTED = BUILD / "executed"
PAGES = BUILD / "source"
BIN = Path(sys.executable).parent
CELL_TIMEOUT = 600
"""Seconds a cell may take; far more than any needs."""


def chapters() -> list[str]:
    """The names of the notebooks in the table of contents, in order."""
    toc = (SOURCE / "_toc.yml").read_text(encoding="utf-8")
    names = re.findall(r"^\s*- file:\s*(\S+)", toc, flags=re.MULTILINE)
    return [name for name in names if (SOURCE / f"{name}.ipynb").exists()]


def execute(name: str) -> None:
    """Run one chapter into _build/executed; exit with its error if it fails."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:  # nbmake skips all below a _build
        copy = Path(shutil.copy(SOURCE / f"{name}.ipynb", folder))
        command = [BIN / "pytest", "--nbmake", "--overwrite", "-q", "-c", os.devnull]
        command += [f"--nbmake-timeout={CELL_TIMEOUT}", "-p", "no:cacheprovider", copy]
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {BOOK: "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}\n{name} failed; see above")
        shutil.copy(copy, EXECUTED)


def execute_all(names: list[str]) -> None:
    """Run chapters one after the other and say which, how many are left, how long."""
    for number, name in enumerate(names, 1):
        left = len(names) - number
        print(f"[{number}/{len(names)}] {name} … ", end="", flush=True)
        started = time.monotonic()
        execute(name)
        print(f"{time.monotonic() - started:.0f} s, {left} left", flush=True)


def is_current(name: str) -> bool:
    """Has a chapter been run as it stands in book/ now?"""
    run, source = EXECUTED / f"{name}.ipynb", SOURCE / f"{name}.ipynb"
    if not run.exists():
        return False
    notebooks = [json.loads(path.read_text("utf-8")) for path in (run, source)]
    texts = [["".join(cell["source"]) for cell in n["cells"]] for n in notebooks]
    return texts[0] == texts[1]


def gather() -> list[str]:
    """Copy book/ to _build/source, each chapter as it was last run; name those not."""
    shutil.rmtree(PAGES, ignore_errors=True)
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(SOURCE, PAGES, ignore=ignored)
    missing = [name for name in chapters() if not is_current(name)]
    for name in set(chapters()) - set(missing):
        shutil.copy(EXECUTED / f"{name}.ipynb", PAGES)
    mathjax = distribution("sphinx-mathjax-offline")
    scripts = {
        "mathjax/tex-svg.js": mathjax.locate_file(
            "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
        ),
        SCRIPT: script_file(),
    }
    for place, script in scripts.items():
        target = PAGES / "_extra" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(script, target)
    return missing


def repository_url() -> str | None:
    """Where this checkout lives on GitHub, or None; the launch buttons lead there."""
    if "GITHUB_REPOSITORY" in os.environ:
        return f"https://github.com/{os.environ['GITHUB_REPOSITORY']}"
    remote = subprocess.run(
        ["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    match = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(\.git)?$", remote)
    return f"https://github.com/{match[1]}" if match else None


def configuration() -> Path:
    """_config.yml with this checkout's repository filled in."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    url = repository_url()
    if url:
        config["repository"] = {"url": url, "path_to_book": "book", "branch": "main"}
        config["html"] |= {"use_repository_button": True, "use_issues_button": True}
        config["launch_buttons"] = {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }
    path = BUILD / "_config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


def build_pages(missing: list[str]) -> None:
    """Build _build/html; any warning is an error, unless chapters were not run.

    Those lack the numbers that their text refers to, which cannot but warn.
    """
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    command = [BIN / "jupyter-book", "build", PAGES, "--config", configuration()]
    command += ["--path-output", ROOT, "--keep-going", "-q"]
    command += [] if missing else ["-W", "-n"]
    done = subprocess.run(command, cwd=ROOT, capture_output=bool(missing), text=True)
    if done.returncode:
        sys.exit(f"{done.stdout or ''}{done.stderr or ''}\nthe pages were not built")
    for name in missing:
        print(f"{name} was not run as it is now: its page has no outputs")
    print(f"The book is in {(BUILD / 'html' / 'index.html').relative_to(ROOT)}")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Run the chapters, build the book.")
    parser.add_argument("command", choices=["build"])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    arguments = parser.parse_args()
    unknown = set(arguments.chapters) - set(chapters())
    if unknown:
        known = ", ".join(chapters())
        parser.error(f"no chapter {', '.join(sorted(unknown))}: choose from {known}")
    execute_all(arguments.chapters or chapters())
    build_pages(gather())


if __name__ == "__main__":
    main()
