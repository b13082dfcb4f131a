"""JavaScript of the book, run by what would run it: Chromium, or node without one.

with engine() as call:
    call([script], "x => x + 1", 1)     # 2
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import browser
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, sync_playwright

LIVE = Path(__file__).resolve().parents[1] / "book" / "live"
Call = Callable[[Sequence[Path], str, Any], Any]
"""(scripts to load, a function's source, its argument) → what it returns."""

IN_NODE = """
for (const script of %s) require(script);
const text = require("fs").readFileSync(0, "utf-8");
process.stdout.write(JSON.stringify((%s)(JSON.parse(text))));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window and without the network."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=browser.found(),
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"],
        )
        yield launched
        launched.close()


def call_node(scripts: Sequence[Path], function: str, argument: Any) -> Any:
    """What a function returns in the node that comes with Playwright."""
    node, _ = compute_driver_executable()
    places = json.dumps([str(script) for script in scripts])
    done = subprocess.run(
        [node, "-e", IN_NODE % (places, function)],
        input=json.dumps(argument).encode(),
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@contextmanager
def engine() -> Iterator[Call]:
    """A way to call functions of scripts."""
    if not browser.found():
        yield call_node
        return
    with chromium() as launched:

        def call(scripts: Sequence[Path], function: str, argument: Any) -> Any:
            page = launched.new_page()
            for script in scripts:
                page.add_script_tag(path=script)
            text = page.evaluate(f"x => JSON.stringify(({function})(x))", argument)
            page.close()
            return json.loads(text)

        yield call
