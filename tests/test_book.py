"""The built pages, where they are built: whole, and without the network."""

import html
import json
import re
from pathlib import Path

import browser
import pytest
from engines import chromium

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
PAGES = sorted(HTML.glob("*.html"))
CHAPTERS = sorted((HTML.parent.parent / "book").glob("*.ipynb"))

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
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


VIEWER = re.compile(
    r'<div id="(cv-\w+)" class="cv-figure"[^>]* '
    r'aria-label="Attention of (.*?) over[^>]*>'
)
VIEWED = [p for p in PAGES if VIEWER.search(p.read_text(encoding="utf-8"))]


@pytest.mark.skipif(not browser.found(), reason="there is no Chromium")
@pytest.mark.parametrize("page", VIEWED, ids=lambda page: page.stem)
def test_attention_viewers_work_from_the_file_alone(page):
    """In the page as it is written a viewer is empty; in view, its heads are drawn."""
    written = page.read_text(encoding="utf-8")
    with chromium() as launched:
        opened = launched.new_page()
        opened.set_default_timeout(120_000)
        opened.goto(page.as_uri())
        for viewer in VIEWER.finditer(written):
            assert written[viewer.end() :].startswith("</div>")
            place, names = opened.locator(f"#{viewer[1]}"), viewer[2].split(", ")
            assert place.locator("canvas").count() == 0
            place.scroll_into_view_if_needed()
            for name in names:
                place.get_by_text(name, exact=True).first.wait_for()
            # and one of them large
            assert place.locator("canvas").count() == len(names) + 1
            labels = place.locator("canvas[aria-label^='Attention of']")
            assert labels.count() == len(names) + 1
