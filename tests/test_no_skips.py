"""Nothing is skipped in CI, whatever would have skipped it."""

import os
import subprocess
import sys
from pathlib import Path

import browser
import pytest

TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no browser")
def test_marked(): ...

def test_says_so():
    pytest.skip("no book")

@pytest.mark.parametrize("page", [])
def test_of_no_page(page): ...

@pytest.mark.xfail(strict=True)
def test_known_to_fail():
    assert False

def test_passes(): ...
"""


@pytest.mark.parametrize(
    ("value", "code", "line"),
    [
        ("", 0, "1 passed, 3 skipped, 1 xfailed"),
        ("1", 1, "1 failed, 1 passed, 1 xfailed, 2 errors"),
    ],
)
def test_what_would_be_skipped_fails_where_that_is_asked(tmp_path, value, code, line):
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no_skips", "-c", os.devnull]
    command += ["-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    here = {"PYTHONPATH": str(Path(__file__).parent), "MAZELIB_NO_SKIPS": value}
    here["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        command, env=os.environ | here, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == code
    assert line in done.stdout
    for reason in ("no browser", "no book", "page"):
        assert (reason in done.stdout) is bool(value)


@pytest.mark.parametrize("name", ["chromium-headless-shell", "google-chrome"])
def test_a_browser_on_the_path_is_found(tmp_path, monkeypatch, name):
    monkeypatch.setattr(browser, "PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.found() is None
    (tmp_path / name).touch(mode=0o755)
    assert browser.found() == str(tmp_path / name)


def test_a_browser_that_is_no_command_is_found_in_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    place = tmp_path / "Google Chrome"
    place.touch(mode=0o755)
    monkeypatch.setattr(browser, "PLACES", ("/nowhere/chrome", str(place)))
    assert browser.found() == str(place)
