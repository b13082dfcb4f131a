"""The browser that opens built pages: any Chromium, with or without a window.

    python3 tests/browser.py      # prints its path; exit code 1 if there is none

Only Python is needed, so that .ci/run can ask before anything is installed.
"""

import shutil
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chrome-headless-shell",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)


def found() -> str | None:
    """The path of a browser, or None: on PATH first, then where systems put it."""
    there = [shutil.which(name) for name in NAMES]
    there += [place for place in PLACES if Path(place).exists()]
    return next(filter(None, there), None)


if __name__ == "__main__":
    print(found() or sys.exit("there is no Chromium: install chromium-headless-shell"))
