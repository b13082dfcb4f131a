"""A live maze does what a reader's mouse, finger and keys ask of it."""

import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch
from browser import found as browser_found
from engines import LIVE, chromium

from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeStream
from mazelib.figures.viewers import LiveMaze
from mazelib.models import zoo
from tools import live

pytestmark = pytest.mark.skipif(not browser_found(), reason="there is no Chromium")
MODEL = "dfs5"
PAGE = """<!doctype html><html lang="en" data-content_root="./"><meta charset="utf-8">
<title>A live maze</title>
<body>%s<script src="live/start.js"></script></body></html>"""


@pytest.fixture(scope="module")
def maze():
    return MazeStream(zoo.held_out(MODEL)).take(7, 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory, maze):
    """A folder with a page that has one live maze, and all that it may load."""
    folder = tmp_path_factory.mktemp("book")
    target = folder / "live"
    shutil.copytree(LIVE, target)
    scripts = {name: live.model_script(name) for name in (MODEL, "untrained")}
    for name, script in scripts.items():
        (target / "models").mkdir(exist_ok=True)
        (target / "models" / f"{name}.js").write_text(script, encoding="utf-8")
    (target / "index.js").write_text(live.index_script(scripts), encoding="utf-8")
    (target / "mazes.js").write_text(live.maze_script(), encoding="utf-8")
    page = folder / "page.html"
    text = PAGE % LiveMaze(maze, MODEL)._repr_html_()
    page.write_text(text, encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser, place):
    """The page, opened; what goes wrong in it fails the test."""
    context = browser.new_context(has_touch=True, reduced_motion="reduce")
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("requestfailed", lambda request: wrong.append(request.url))
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(place.as_uri())
    opened.wait_for_function("globalThis.liveMazes")
    yield opened
    context.close()
    assert wrong == []


def state(page, name):
    """A part of the first maze's state."""
    return page.evaluate(f"liveMazes[0].state.{name}")


def at(page, row, col):
    """Where a point of the maze is on the screen, in cells from its corner."""
    box = page.locator("svg.live-maze").first.bounding_box()
    unit = box["width"] / (24 * state(page, "n") + 4)
    return box["x"] + (2 + 24 * col) * unit, box["y"] + (2 + 24 * row) * unit


def ask(page):
    page.get_by_role("button", name="Ask the model").click()
    page.wait_for_function("liveMazes[0].answers?.length && !liveMazes[0].isBusy")


def is_open(page, a, b):
    return page.evaluate(f"liveMazes[0].maze.isOpen({a}, {b})")


def test_weights_are_loaded_when_they_are_asked_for(page):
    assert not [url for url in page.asked if "models/" in url or "mazes.js" in url]
    ask(page)
    assert [url for url in page.asked if "models/" in url] == [
        url for url in page.asked if url.endswith(f"models/{MODEL}.js")
    ]


def test_its_answer_and_its_numbers_are_those_of_python(page, maze):
    ask(page)
    trained = zoo.load(MODEL)
    (prompt,) = prompts(maze, trained.tokenizer)
    (answer,) = rollout(trained.model, trained.tokenizer, [prompt])
    words = trained.tokenizer.to_tokens(answer)
    with torch.no_grad():
        ids = torch.tensor([[*prompt, *answer]])
        logits = trained.model(ids).logits[0, len(prompt) - 1 : -1]
    chance = logits.softmax(-1).max(-1).values.numpy()
    page.evaluate("liveMazes[0].change({step: 0})")
    slider = page.get_by_role("slider", name="tokens of the answer so far")
    for step, word in enumerate(words):
        assert int(slider.input_value()) == step
        first = page.locator(".live-chances li").first
        assert first.locator("code").inner_text() == word
        shown = float(first.inner_text().split()[-1].rstrip("%")) / 100
        assert abs(shown - chance[step]) < 0.0051
        printed = page.get_by_role("status").inner_text().split("column): ")[1]
        assert printed.split() == (words[:step] or ["none", "yet"])
        slider.press("ArrowRight")
    said = page.locator("figcaption").inner_text()
    assert said == f"{MODEL}: ✓ a shortest path"


@pytest.mark.parametrize("how", ["mouse", "finger"])
def test_a_tap_opens_and_closes_walls(page, how):
    before = is_open(page, 6, 7)
    tap = page.mouse.click if how == "mouse" else page.touchscreen.tap
    tap(*at(page, 1.5, 2))
    assert is_open(page, 6, 7) is not before
    tap(*at(page, 1.5, 2))
    assert is_open(page, 6, 7) is before
    tap(*at(page, 2, 1.5))
    assert is_open(page, 6, 11) is page.evaluate("liveMazes[0].maze.down[6]")


def test_the_ends_are_dragged(page):
    (row, col), free = divmod(state(page, "t"), 5), None
    free = next(c for c in range(25) if c not in (state(page, "o"), state(page, "t")))
    page.mouse.move(*at(page, row + 0.5, col + 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, free // 5 + 0.5, free % 5 + 0.5), steps=8)
    page.mouse.up()
    assert state(page, "t") == free
    assert state(page, "o") != free


def test_keys_do_all_that_a_mouse_does(page):
    svg = page.locator("svg.live-maze").first
    svg.focus()
    page.evaluate("liveMazes[0].cursor = 12; liveMazes[0].change({o: 0, t: 24})")
    before = is_open(page, 12, 13)
    svg.press("Shift+ArrowRight")
    assert is_open(page, 12, 13) is not before
    svg.press("ArrowDown")
    svg.press("t")
    assert state(page, "t") == 17
    svg.press("ArrowUp")
    svg.press("ArrowUp")
    svg.press("o")
    assert state(page, "o") == 7
    svg.press("Enter")
    page.wait_for_function("liveMazes[0].answers?.length && !liveMazes[0].isBusy")


def test_a_reader_walks_along_passages_only(page, maze):
    path = maze[0].path.tolist()
    page.get_by_role("button", name="Walk it yourself").click()
    svg = page.locator("svg.live-maze").first
    for key in ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"):
        svg.press(key)
        walk = page.evaluate("liveMazes[0].walk")
        assert all(is_open(page, *step) for step in pairwise(walk))
    page.evaluate("liveMazes[0].walk.length = 1; liveMazes[0].render()")
    keys = {-5: "ArrowUp", 5: "ArrowDown", -1: "ArrowLeft", 1: "ArrowRight"}
    for a, b in pairwise(path):
        svg.press(keys[b - a])
    said = page.get_by_role("status").inner_text()
    assert said.startswith(f"You are there, in {len(path) - 1} steps.")


def test_the_model_is_changed_and_looked_into(page):
    ask(page)
    page.get_by_text("Look inside").click()
    for show in ("chances", "head", "future", "rival"):
        page.locator(f"input[value={show}]").check()
        assert state(page, "show") == show
    page.get_by_text("Change the model").click()
    plain = page.evaluate("liveMazes[0].answers[0].answer.steps[1].chances")
    page.get_by_role("button", name="L2H0", exact=True).click()
    page.wait_for_function("!liveMazes[0].isBusy")
    changed = page.evaluate("liveMazes[0].answers[0].answer.steps[1].chances")
    assert np.abs(np.subtract(plain, changed)).max() > 0
    assert page.locator("button[aria-pressed=true]").inner_text() == "L2H0"
    page.get_by_role("button", name="Undo all changes").click()
    page.wait_for_function("!liveMazes[0].isBusy")
    again = page.evaluate("liveMazes[0].answers[0].answer.steps[1].chances")
    assert again == plain


def test_an_address_brings_back_all_that_was_set(page, place):
    ask(page)
    page.get_by_text("Compare with a second model").click()
    page.get_by_label("second model").select_option("untrained")
    page.wait_for_function("liveMazes[0].answers?.length === 2")
    page.evaluate("liveMazes[0].change({show: 'head', layer: 5, step: 2})")
    wanted = page.evaluate("liveMazes[0].state")
    address = page.evaluate("location.href")
    assert address.startswith(place.as_uri() + "#live_")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("globalThis.liveMazes")
    assert page.evaluate("liveMazes[0].state") == wanted
    assert page.locator("svg.live-maze").count() == 2


HOSTILE = [
    "model_<img src=x onerror=globalThis.hit=1>",
    "model_../../evil",
    "n_5_m_zzzz",
    "n_99_m_ff",
    "n_5_m_" + "f" * 100_000,
    "n_7_m_ffffffffff",
    "o_999999999999999999999",
    "o_3_t_3",
    "t_25",
    "key_-1",
    "key_99999999999999999999999999",
    "off_L1H1-<script>globalThis.hit=1</script>",
    "layer_1e9",
    "step_0x10",
    "strength_NaN",
    "__proto___1",
    "constructor_1_n_5",
    "show_%00",
    "m",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_address_is_refused_and_said_to_be(page, place, text):
    start = page.evaluate("liveMazes[0].start")
    page.goto("about:blank")
    page.goto(f"{place.as_uri()}#live_{text}")
    page.wait_for_function("globalThis.liveMazes")
    assert page.evaluate("liveMazes[0].state") == start
    said = page.get_by_role("status").inner_text()
    known = text.split("_")[0] in ("m", "", "constructor")  # names that say nothing
    assert known or "The address says nothing that can be shown" in said
    assert len(said) < 200
    assert page.evaluate("globalThis.hit") is None
    assert page.locator(".live img, .live script").count() == 0
