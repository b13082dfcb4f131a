"""The built pages as a reader's browser has them: from files, without the network."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from engines import chromium
from playwright.sync_api import expect

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
LEADS_ON = re.compile('http-equiv="refresh"', re.I)
READ = [
    page
    for page in sorted(HTML.glob("*.html"))
    if not LEADS_ON.search(page.read_text(encoding="utf-8"))
]
"""All pages but those that lead to where a page is now."""
MOST_BYTES = 1_500_000
SHARED = ("_static/", "live/", "mathjax/", "circuitsvis/")

pytestmark = [
    pytest.mark.skipif(not READ, reason="the book is not built: make book"),
    pytest.mark.skipif(not browser.found(), reason="there is no Chromium"),
]


@pytest.fixture(scope="module")
def launched():
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(launched):
    """A way to open a page; its console errors and failed requests fail the test."""
    contexts, wrong = [], []

    def heard(message):
        if message.type == "error":
            wrong.append(message.text)

    def opened(name, width=1400, height=900, query="", **options):
        size = {"width": width, "height": height}
        context = launched.new_context(viewport=size, **options)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.on("console", heard)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((HTML / name).as_uri() + query)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def serious_faults(page, rules):
    """What axe finds that keeps readers out."""
    found = Axe().run(page, options={"runOnly": rules, "preload": False})
    return [
        (fault["id"], fault["nodes"][0]["html"][:200], len(fault["nodes"]))
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("name", [p.name for p in READ])
def test_a_page_is_light_fits_a_phone_and_keeps_no_one_out(open_page, name):
    still = {"reduced_motion": "reduce"}  # no colour is half-way to another
    page = open_page(name, width=390, color_scheme="light", **still)
    page.wait_for_load_state("networkidle")
    assert {urlsplit(url).scheme for url in page.asked} <= {"file", "data", "blob"}
    assert not [url for url in page.asked if "live/models" in url]
    own = {Path(unquote(urlsplit(url).path)) for url in page.asked if url[:4] == "file"}
    places = {path: str(path.relative_to(HTML)) for path in own}
    sizes = [p.stat().st_size for p, at in places.items() if not at.startswith(SHARED)]
    assert sum(sizes) <= MOST_BYTES
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.set_viewport_size({"width": 1400, "height": 900})
    tags = {"type": "tag", "values": ["wcag2a", "wcag2aa", "best-practice"]}
    assert serious_faults(page, tags) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_timeout(500)  # some of the theme's colours change slowly all the same
    contrast = {"type": "rule", "values": ["color-contrast"]}
    assert serious_faults(page, contrast) == []


def ids_of(soup):
    """All places of a page that a link may lead to."""
    return {tag["id"] for tag in soup.select("[id]")} | {
        tag["name"] for tag in soup.select("a[name]")
    }


def test_every_link_within_the_book_leads_somewhere():
    soups = {p: BeautifulSoup(p.read_text("utf-8"), "html.parser") for p in READ}
    places = {page: ids_of(soup) for page, soup in soups.items()}
    broken = []
    for page, soup in soups.items():
        for link in soup.select("a[href]"):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)) if parts.path else page
            is_there = target.exists()
            known = places.get(target)
            if known is not None and parts.fragment:
                is_there &= unquote(parts.fragment) in known
            if not is_there:
                broken.append((page.name, link["href"]))
    assert broken == []


def test_the_search_finds_what_is_looked_for(open_page):
    page = open_page("search.html", query="?q=retargeting")
    results = page.locator("#search-results li")
    results.first.wait_for()
    assert "rewritten" in " ".join(results.all_inner_texts())


def test_the_theme_is_changed_and_kept(open_page):
    page = open_page("intro.html", color_scheme="light")
    theme = "document.documentElement.dataset.theme"
    seen = {page.evaluate(theme)}
    for _ in range(3):
        page.get_by_role("button", name=re.compile("theme|Color mode", re.I)).click()
        seen.add(page.evaluate(theme))
    assert seen == {"light", "dark"}


def test_a_guess_is_kept_shown_beside_the_answer_and_summed_up(open_page):
    page = open_page("04_performance.html")
    answer = page.locator("details", has_text="The answer").first
    assert not answer.get_attribute("open")
    page.get_by_label("About half the time").check()
    expect(answer.get_by_role("status")).to_contain_text("What was found is 3.")
    page.goto((HTML / "05_constraints.html").as_uri())
    page.get_by_label("It goes through a wall, or jumps").check()
    said = page.locator("details", has_text="The answer").first.get_by_role("status")
    expect(said).to_contain_text("that is what was found")
    page.reload()
    assert page.get_by_label("It goes through a wall, or jumps").is_checked()
    page.goto((HTML / "18_verdicts.html").as_uri())
    guesses = page.locator("#guesses")
    expect(guesses).to_contain_text("You guessed 1 of 2.")
    expect(guesses.locator("tbody tr")).to_have_count(2)
    guesses.get_by_role("button", name="Forget them").click()
    expect(guesses).to_contain_text("not guessed")


def test_every_box_to_guess_in_says_which_is_right():
    boxes = {}
    for page in READ:
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        for box in soup.select(".admonition"):
            if box.p.get_text() == "Predict first":
                right = re.findall(r"right-(\d)", " ".join(box["class"]))
                boxes[page.stem] = len(right) == 1 and int(right[0]) - 1 in range(
                    len(box.ol.select("li"))
                )
    assert len(boxes) == 18
    assert all(boxes.values())


def test_terms_explain_themselves(open_page):
    page = open_page("14_probes.html")
    term = page.locator("a[href='glossary.html#term-residual-stream']").first
    term.scroll_into_view_if_needed()
    term.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("vector")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_a_figure_opens_large(open_page):
    page = open_page("06_lookahead.html")
    page.locator(".figure-open").first.click()
    view = page.locator("dialog.figure-view")
    expect(view.locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(view).to_be_hidden()


LIVE = [p for p in READ if 'class="live"' in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", [p.name for p in LIVE])
def test_live_mazes_of_pages_answer_as_they_were_set(open_page, name):
    page = open_page(name, reduced_motion="reduce")
    page.locator(".live-ask").first.wait_for()
    recorded = page.evaluate("liveMazes[0].recorded ?? null")
    page.locator(".live-ask").first.click()
    page.locator(".live-steps").first.wait_for(timeout=60_000)
    answer = page.evaluate("liveMazes[0].answers[0].answer.cells")
    assert recorded in (None, answer)
    shown, goal = (page.evaluate(f"liveMazes[0].state.{k}") for k in ("show", "goal"))
    assert page.locator(f"input[value={shown}]").first.is_checked()
    if goal is not None:
        assert answer[-1] == goal


def test_the_chapters_that_ask_the_model_have_a_live_maze():
    wanted = {"intro", "04_performance", "06_lookahead", "09_attention"}
    assert {p.stem for p in LIVE} >= wanted | {"14_probes", "17_retargeting"}


def test_every_page_forbids_other_hosts():
    for page in HTML.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        policy = re.search(
            r'http-equiv="Content-Security-Policy" content="([^"]*)"', text
        )
        assert policy, page.name
        assert "default-src 'self' file: data: blob: 'unsafe-inline';" in policy[1]
        assert "http" not in policy[1]


def test_another_host_is_refused(launched):
    page = launched.new_page()
    page.goto((HTML / "intro.html").as_uri())
    refused = page.evaluate(
        """() => new Promise(done => {
          addEventListener("securitypolicyviolation", event => done(event.blockedURI));
          document.body.append(Object.assign(new Image(), {src: "http://a.test/b.png"}));
        })"""
    )
    assert refused == "http://a.test/b.png"
    page.close()
