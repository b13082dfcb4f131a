"""Build the book from the chapters as they were run.

    python -m tools.book                # run what has changed, then build _build/html
    python -m tools.book 01_mazes       # of the chapters, run this one at most
    python -m tools.book --force        # run all chapters, whatever was run before

In: book/ and the runs of `tools.chapters`. Out: _build/html, the pages. A chapter whose
last run no longer holds stands in the book without outputs.
"""

import argparse
import html
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
POLICY = (
    "default-src 'self' file: data: blob: 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self' file:"
)
"""What pages may load: their own files alone, from a server or from a folder, and what
they have in themselves."""


def gather() -> list[str]:
    """Copy book/ to _build/source, each chapter as it was last run; name those not."""
    shutil.rmtree(PAGES, ignore_errors=True)
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "live")
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


def version() -> str:
    """What a page's foot says: of which day and commit this book is, if git knows."""
    shown = subprocess.run(
        ["git", "log", "-1", "--format=Last changed on %cs, version %h"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip()


def configuration() -> Path:
    """_config.yml with this checkout's repository and version filled in."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["html"]["extra_footer"] = f"<p>{version()}</p>"
    url = repository_url()
    if url:
        config["repository"] = {"url": url, "path_to_book": "book", "branch": "main"}
        config["html"] |= {"use_repository_button": True, "use_issues_button": True}
    path = BUILD / "_config.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


def glossary_script() -> str:
    """What each term of the built glossary says, for pages that name it."""
    page = BeautifulSoup(
        (BUILD / "html" / "glossary.html").read_text("utf-8"), "html.parser"
    )
    terms = {
        term["id"]: term.find_next_sibling("dd").get_text(" ", strip=True)
        for term in page.select("dl.glossary dt[id]")
    }
    return f"globalThis.glossaryTerms = {json.dumps(terms, ensure_ascii=False)};\n"


def said_of(page: BeautifulSoup) -> dict[str, str]:
    """What others show of a page that they link to: its title, and what it found."""
    title = page.h1.get_text(strip=True).rstrip("#") if page.h1 else ""
    first = page.select_one(".admonition li:nth-of-type(2), article p")
    found = " ".join(first.get_text().split()) if first else ""
    return {"og:title": title, "og:type": "article", "og:description": found[:300]}


def finish(page: Path) -> None:
    """Say in a page's head what it is about, and that it asks no other host.

    What the theme has for running cells on a server is taken out: it would ask one. So
    is what calls the bibliography a list, which has no items.
    """
    text = page.read_text(encoding="utf-8")
    facts = said_of(BeautifulSoup(text, "html.parser"))
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    meta += "".join(
        f'<meta property="{name}" content="{html.escape(said, quote=True)}">'
        for name, said in facts.items()
        if facts["og:title"]
    )
    text = re.sub(r"<script>const THEBE_JS_URL.*?</script>", "", text, flags=re.S)
    text = re.sub(r"<(script|link)\b[^>]*sphinx-thebe[^>]*>(</script>)?", "", text)
    text = text.replace('<div role="list" class="citation-list">', "<div>")
    before, head, after = text.partition("<head>")
    guarded = f"{before}{head}{meta}{after}" if head else meta + text
    page.write_text(guarded, encoding="utf-8")


def build_pages(missing: list[str]) -> None:
    """Build _build/html; any warning is an error. missing: chapters not run as now."""
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    shutil.copytree(SOURCE / "live", PAGES / "_extra" / "live")
    live.write(PAGES / "_extra" / "live")
    program = Path(sys.executable).parent / "jupyter-book"
    command = [program, "build", PAGES, "--config", configuration()]
    command += ["--path-output", ROOT, "--keep-going", "-q", "-W", "-n"]
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit("the pages were not built")
    terms = BUILD / "html" / "_static" / "glossary.js"
    terms.write_text(glossary_script(), encoding="utf-8")
    for page in (BUILD / "html").glob("*.html"):
        finish(page)
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
