"""Links inside the project lead somewhere: in texts, chapters and built pages.

Links to other places are looked at by a workflow of its own, since that needs the
network; roles such as {ref} by the book's build, which ends at the first that is lost.
"""

import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
FOLDERS = (".", ".github", "benchmarks", "book", "data", "data/models/*", "tools")
TEXTS = sorted(path for name in FOLDERS for path in ROOT.glob(f"{name}/*.md"))
SOURCES = [*TEXTS, *sorted(BOOK.glob("*.ipynb"))]
PAGES = sorted((ROOT / "_build" / "html").glob("*.html"))
OUTSIDE = re.compile(r"[a-z][a-z+.-]*:|//", re.IGNORECASE)
LINKS = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "src"}


class Tags(HTMLParser):
    """The links and the names of places of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[LINKS[tag]] or ""] if LINKS.get(tag) in values else []
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}


def prose(path: Path) -> str:
    """A text, or the text cells of a chapter."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if "outputs" not in cell]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def slug(heading: str) -> str:
    """What a heading is called in a link to it, on GitHub and in the book."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@cache
def read(path: Path) -> tuple[list[str], set[str]]:
    """The links of a file and the names of the places in it."""
    if path.suffix == ".html":
        tags = Tags(path.read_text(encoding="utf-8"))
        return tags.links, tags.places
    text = prose(path)
    tokens = MarkdownIt().enable("table").parse(text)
    parts = [part for token in tokens for part in token.children or []]
    written = "".join(t.content for t in [*tokens, *parts] if "html" in t.type)
    tags = Tags(written)
    links = [part.attrs.get("href") or part.attrs.get("src") for part in parts]
    headings = [
        slug(after.content)
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]
    labels = re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE)
    return [*filter(None, links), *tags.links], {*tags.places, *headings, *labels}


@cache
def labels() -> set[str]:
    """What a chapter can name without saying where it is: places and figures."""
    chapters = [json.loads(path.read_text("utf-8")) for path in BOOK.glob("*.ipynb")]
    cells = [cell["metadata"] for chapter in chapters for cell in chapter["cells"]]
    figures = [cell.get("mystnb", {}).get("figure", {}).get("name") for cell in cells]
    sources = [path for path in SOURCES if path.parent == BOOK]
    return set(filter(None, figures)).union(*(read(path)[1] for path in sources))


def leads_somewhere(link: str, page: Path) -> bool:
    """Is there what a link of this page names? What is elsewhere is taken as there."""
    if OUTSIDE.match(link) or link in {"", "#"}:
        return True
    place, _, name = unquote(link).partition("#")
    place = place.partition("?")[0]
    book = page.parent == BOOK and page.suffix != ".html"
    if book and (link in labels() or (not place and name in labels())):
        return True
    endings = ["", ".ipynb", ".md"] if book else [""]
    files = (
        [page.parent / f"{place}{ending}" for ending in endings] if place else [page]
    )
    file = next(filter(Path.exists, files), None)
    if file is None or not name or file.suffix not in {".html", ".md", ".ipynb"}:
        return file is not None
    return name in read(file)[1]


def lost(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    return [link for link in read(page)[0] if not leads_somewhere(link, page)]


@pytest.mark.parametrize("page", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_of_texts_lead_somewhere(page):
    assert lost(page) == []


@pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_built_pages_lead_somewhere(page):
    assert lost(page) == []


TEXT = """
# A first one: `code` & more

(label)=
[itself](#a-first-one-code--more) [label](#label) [file](there.md#there)
[![picture](there.md)](there.html?q=1#here) <a href="there.html#here">x</a>
[elsewhere](https://example.org/none) `[code](nowhere)` [space](a%20b.md)

| [table](there.md) |
|---|
| x |
"""
LOST = "[a](nowhere.md) [b](#nowhere) [c](there.md#nowhere) ![d](no.png)\n\n"
LOST += '<a href="no.html">e</a> [f](there.html#no)\n\n| [g](no) |\n|---|\n'


def test_links_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# There")
    (tmp_path / "a b.md").touch()
    (tmp_path / "there.html").write_text('<h1 id="here">x</h1><a href="no.html">y</a>')
    (tmp_path / "text.md").write_text(TEXT)
    (tmp_path / "lost.md").write_text(LOST)
    cell = {"cell_type": "markdown", "metadata": {}, "source": ["[a](#no)\n", "x"]}
    (tmp_path / "chapter.ipynb").write_text(json.dumps({"cells": [cell]}))
    found = {path.name: lost(path) for path in tmp_path.iterdir()}
    assert found.pop("lost.md") == [
        *("nowhere.md", "#nowhere", "there.md#nowhere", "no.png"),
        *("there.html#no", "no", "no.html"),
    ]
    assert found.pop("chapter.ipynb") == ["#no"]
    assert found.pop("there.html") == ["no.html"]
    assert found == {"a b.md": [], "there.md": [], "text.md": []}
