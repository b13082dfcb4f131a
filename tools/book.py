"""Build the book from the chapters as they were run.

    python -m tools.book                # run what has changed, then build _build/html
    python -m tools.book 01_mazes       # of the chapters, run this one at most
    python -m tools.book --force        # run all chapters, whatever was run before

In: book/ and the runs of `tools.chapters`. Out: _build/html, the pages. A chapter whose
last run no longer holds stands in the book without outputs.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

from mazelib.figures.viewers import SCRIPT, script_file
from mazelib.files import write_json
from tools import chapters, live
from tools.chapters import ROOT, SOURCE

BUILD = ROOT / "_build"
PAGES = BUILD / "source"


def gather() -> list[str]:
    """Copy book/ to _build/source, each chapter as it was last run; name those not."""
    shutil.rmtree(PAGES, ignore_errors=True)
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(SOURCE, PAGES, ignore=ignored)
    missing = [name for name in chapters.names() if not chapters.last_run(name)]
    for name in set(chapters.names()) - set(missing):
        write_json(PAGES / f"{name}.ipynb", chapters.with_outputs(name), indent=1)
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
    live.write(PAGES / "_static" / "live")
    return missing


def repository_url() -> str | None:
    """Where this checkout lives on GitHub, or None; the pages' buttons lead there."""
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
    path = BUILD / "_config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


def glossary_script() -> str:
    """What each term of the built glossary says, for pages that name it."""
    page = BeautifulSoup((BUILD / "html" / "glossary.html").read_text("utf-8"), "html.parser")
    terms = {
        term["id"]: term.find_next_sibling("dd").get_text(" ", strip=True)
        for term in page.select("dl.glossary dt[id]")
    }
    return f"globalThis.glossaryTerms = {json.dumps(terms, ensure_ascii=False)};\n"


def build_pages(missing: list[str]) -> None:
    """Build _build/html; any warning is an error. missing: chapters not run as now."""
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    program = Path(sys.executable).parent / "jupyter-book"
    command = [program, "build", PAGES, "--config", configuration()]
    command += ["--path-output", ROOT, "--keep-going", "-q", "-W", "-n"]
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit("the pages were not built")
    terms = BUILD / "html" / "_static" / "glossary.js"
    terms.write_text(glossary_script(), encoding="utf-8")
    for name in missing:
        print(f"{name} was not run as it is now: its page has no outputs")
    print(f"The book is in {(BUILD / 'html' / 'index.html').relative_to(ROOT)}")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Run the chapters, build the book.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    parser.add_argument("--force", action="store_true", help="run all of them")
    arguments = parser.parse_args()
    chapters.check_known(parser, arguments.chapters)
    chapters.run(arguments.chapters, arguments.force)
    build_pages(gather())


if __name__ == "__main__":
    main()
