"""The built pages, where they are built: whole, and without the network."""

import re
from pathlib import Path

import pytest

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
PAGES = sorted(HTML.glob("*.html"))

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
    figures = re.findall(r"<figure.*?</figure>", page.read_text(), flags=re.DOTALL)
    images = [tag for f in figures for tag in re.findall(r"<img[^>]*>", f)]
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)
