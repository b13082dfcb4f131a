"""The built pages, where they are built: whole, and without the network."""

import html
import json
import re
import subprocess
from pathlib import Path

import browser
import pytest

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
PAGES = sorted(HTML.glob("*.html"))
CHAPTERS = sorted((HTML.parent.parent / "book").glob("*.ipynb"))

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
BROWSER = browser.found()
LOADS = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"'
    r'|<link\b(?=[^>]*\brel="(?:stylesheet|preload|icon|shortcut icon)")'
    r'[^>]*\bhref="([^"]+)"'
)


def loaded(page: Path) -> list[str]:
    """What a page loads by itself: scripts, pictures, style sheets."""
    return [a or b for a, b in LOADS.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_load_nothing_from_the_network(page):
    assert not [url for url in loaded(page) if re.match(r"(https?:)?//", url)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_pages_load_is_there(page):
    urls = [re.split(r"[?#]", url)[0] for url in loaded(page)]
    local = [url for url in urls if url and not url.startswith("data:")]
    assert [url for url in local if not (page.parent / url).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pictures_of_figures_have_alternative_text(page):
    text = page.read_text(encoding="utf-8")
    images = re.findall(r"<img[^>]*_images/[^>]*>", text)
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)
    drawn = re.findall(r'<svg[^>]*role="img"[^>]*>', text)
    assert all(re.search(r'aria-label="[^"]{20,}"', drawing) for drawing in drawn)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_page_has_every_figure_of_its_chapter(chapter):
    page = HTML / f"{chapter.stem}.html"
    if not page.exists():
        pytest.skip("this chapter is not built")
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    images = [cell["metadata"].get("mystnb", {}).get("image") for cell in cells]
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert not [image for image in images if image and image["alt"] not in text]


def opened(page: Path) -> str:
    """A page as a browser has it from the file, once its scripts have run.

    No name can be looked up: what is not in the folder is not there.
    """
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000"]
    shown = subprocess.run(
        [*command, page.as_uri()], capture_output=True, timeout=300, check=True
    )
    return shown.stdout.decode()


VIEWER = re.compile(
    r'<div id="(cv-\w+)" class="cv-figure"[^>]* '
    r'aria-label="Attention of (.*?) over[^>]*>'
)
VIEWED = [p for p in PAGES if VIEWER.search(p.read_text(encoding="utf-8"))]


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium to open pages in")
@pytest.mark.parametrize("page", VIEWED, ids=lambda page: page.stem)
def test_attention_viewers_work_from_the_file_alone(page):
    """In the page as it is written a viewer is empty; a browser draws its heads."""
    written = page.read_text(encoding="utf-8")
    assert all(
        written[m.end() :].startswith("</div>") for m in VIEWER.finditer(written)
    )
    _, *parts = VIEWER.split(opened(page))
    assert parts[::3] == [m[1] for m in VIEWER.finditer(written)]
    for names, after in zip(parts[1::3], parts[2::3], strict=True):
        shown, heads = after.split("<script")[0], names.split(", ")
        assert all(f">{head}<" in shown for head in heads)
        assert shown.count("<canvas") == len(heads) + 1  # and one of them large
