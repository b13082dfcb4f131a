"""CI runs on a machine that nobody has used, and says so where it cannot."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAKE = f"""#!{sys.executable}
import json, os, pathlib, sys
names = ("HOME", "PYTHON", "PYTHONPATH", "VIRTUAL_ENV", "MAZELIB_NO_SKIPS",
         "PIP_INDEX_URL")
seen = {{name: os.environ.get(name) for name in names}}
seen["home"] = os.listdir(os.environ["HOME"])
with open(os.environ["SEEN"], "a") as file:
    file.write(json.dumps([sys.argv[1:], seen]) + "\\n")
pathlib.Path(os.environ["HOME"], "left").touch()
if os.environ.get("TOUCHED"):
    pathlib.Path(os.environ["TOUCHED"]).touch()
sys.exit("test" in sys.argv and int(os.environ.get("FAILS", 0)))
"""
BRINGS = """#!/bin/sh
case "$1" in install) cp "$0" "$BIN/chromium-headless-shell" ;; esac
"""


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def clone(tmp_path):
    """A repository with what .ci/run reads, and a folder of programs it may call."""
    bin_, clone = tmp_path / "bin", tmp_path / "clone"
    bin_.mkdir()
    for name in (".ci/run", "tests/browser.py"):
        (clone / name).parent.mkdir(parents=True)
        text = (ROOT / name).read_text()
        (clone / name).write_text(text.replace("Path(place).exists()", "False"))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", clone]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    for name in ("git", "bash", "sh", "cp", "id", "dirname", "sort", "mktemp", "rm"):
        (bin_ / name).symlink_to(shutil.which(name))
    (bin_ / "python3.11").symlink_to(sys.executable)
    program(bin_ / "make", MAKE)
    program(bin_ / "sudo", '#!/bin/sh\nexec "$@"\n')
    program(bin_ / "apt-get", "#!/bin/sh\n")
    return clone


def run(clone: Path, browser: bool = True, **variables: str):
    """.ci/run in the clone; what it did, and what each call of make met."""
    bin_ = clone.parent / "bin"
    if browser:
        program(bin_ / "chromium", "#!/bin/sh\n")
    seen = clone.parent / "seen"
    given = {"PATH": str(bin_), "HOME": str(clone.parent), "SEEN": str(seen)}
    given |= {"BIN": str(bin_), "PYTHONPATH": "/mine", "VIRTUAL_ENV": "/mine"}
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=clone,
        env=given | {"PIP_INDEX_URL": "file:///mirror"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    lines = seen.read_text().splitlines() if seen.exists() else []
    return done, [json.loads(line) for line in lines]


def test_both_commands_run_from_an_empty_home_and_the_tests_come_last(clone):
    done, calls = run(clone)
    assert done.returncode == 0, done.stderr
    targets = [target for words, _ in calls for target in words]
    assert targets == ["book", "check-lock", "check-citation", "test"]
    first = calls[0][1]
    assert first["home"] == []
    assert first["HOME"] != str(clone.parent)
    assert not os.path.exists(first["HOME"])
    assert first["PYTHONPATH"] is first["VIRTUAL_ENV"] is None
    assert first["MAZELIB_NO_SKIPS"] == "1"
    assert first["PIP_INDEX_URL"] == "file:///mirror"
    version = subprocess.check_output([first["PYTHON"], "--version"], text=True)
    assert (3, 11) <= tuple(map(int, version.split()[1].split(".")[:2])) < (3, 15)


def test_a_browser_is_installed_where_there_is_none(clone):
    program(clone.parent / "bin" / "apt-get", BRINGS)
    done, calls = run(clone, browser=False)
    assert done.returncode == 0, done.stderr
    assert "chromium-headless-shell" in done.stdout
    assert calls[-1][0] == ["test"]


def test_without_a_browser_nothing_is_run(clone):
    done, calls = run(clone, browser=False)
    assert done.returncode
    assert "there is no Chromium" in done.stderr
    assert calls == []


@pytest.mark.parametrize("name", ["new.txt", "tests/new.txt"])
def test_a_run_that_changes_the_project_fails_and_names_the_file(clone, name):
    done, _ = run(clone, TOUCHED=name)
    assert done.returncode == 1
    assert f"?? {name}" in done.stderr


def test_failing_tests_fail_the_run(clone):
    done, calls = run(clone, FAILS="2")
    assert done.returncode == 2
    assert not os.path.exists(calls[0][1]["HOME"])
