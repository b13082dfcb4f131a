"""The set-up: whole, or as before; each way to fail has its line and its remedy."""

import ast
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tools import environment

ROOT = environment.ROOT
LINUX = ("Linux", "x86_64")
MAKES = "import pathlib; pathlib.Path('.venv').mkdir(); print('made')"
MARKS = "import pathlib; pathlib.Path('.venv/new').touch(); print('Collecting torch')"
REFUSED = """\
Collecting accelerate==1.15.0
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(\
'<pip._vendor.urllib3>: Failed to establish a new connection: [Errno 111]')'
ERROR: Could not find a version that satisfies the requirement accelerate==1.15.0
ERROR: No matching distribution found for accelerate==1.15.0"""
UNREACHED = """\
ERROR: Could not find a version that satisfies the requirement setuptools==84.2.1
ERROR: No matching distribution found for setuptools==84.2.1"""
NO_BUILD = """\
Collecting torch==2.13.0
ERROR: Could not find a version that satisfies the requirement torch==2.13.0
ERROR: No matching distribution found for torch==2.13.0"""
FULL = """\
Installing collected packages: torch
ERROR: Could not install packages: [Errno 28] No space left on device"""
DENIED = "Error: [Errno 13] Permission denied: '/home/other/.venv'"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def fails(said: str) -> list[str]:
    return python(f"import sys; print({said!r}); sys.exit(1)")


@pytest.fixture
def root(tmp_path):
    """A project with a lock of two packages."""
    (tmp_path / environment.LOCK).write_text("# pins\ntorch==2.13.0\ntyro==1.0.17\n")
    return tmp_path


@pytest.fixture
def set_up(root, monkeypatch):
    """Run the set-up with these commands in place of venv's and pip's."""

    def run(*commands: list[str]) -> int:
        monkeypatch.setattr(environment, "steps", lambda root: iter(commands))
        monkeypatch.setattr(environment, "unfit", lambda *_: None)
        return environment.main(root, io.StringIO())

    return run


def old_environment(root: Path) -> None:
    (root / ".venv").mkdir()
    (root / ".venv" / "old").touch()
    (root / ".venv" / "ready").touch()


def environments(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.glob(".venv*/*"))


def test_an_environment_is_whole_and_leaves_no_log(root, set_up):
    assert set_up(python(MAKES), python(MARKS)) == 0
    assert environments(root) == [".venv/new", ".venv/ready"]
    assert not (root / "_build" / "setup.log").exists()


def test_a_new_environment_takes_the_place_of_the_old_one(root, set_up):
    old_environment(root)
    assert set_up(python(MAKES), python(MARKS)) == 0
    assert environments(root) == [".venv/new", ".venv/ready"]


@pytest.mark.parametrize("had_one", [False, True])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_failing_step_leaves_what_was_there(root, set_up, capsys, had_one, step):
    if had_one:
        old_environment(root)
    commands = [python(MAKES), python(MARKS), python(MARKS)]
    commands[step] = fails(FULL)
    assert set_up(*commands) == 1
    assert environments(root) == ([".venv/old", ".venv/ready"] if had_one else [])
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "disk is full: make room" in said[0]
    assert said[1].endswith("; all of it is in _build/setup.log")
    log = (root / "_build" / "setup.log").read_text()
    assert log.count("made") == (step > 0)
    assert FULL in log


def test_a_set_up_that_works_removes_the_log_of_one_that_did_not(root, set_up):
    set_up(fails(FULL))
    assert set_up(python(MAKES)) == 0
    assert not (root / "_build" / "setup.log").exists()


@pytest.mark.parametrize(
    ("said", "cause", "last"),
    [
        (REFUSED, "no package index answers: look at the network", "accelerate"),
        (UNREACHED, "no package index answers", "setuptools"),
        (NO_BUILD, "not to be had for this Python and system", "torch==2.13.0"),
        (FULL, "the disk is full", "Errno 28"),
        (DENIED, "look whose this folder is", "/home/other"),
        ("Collecting x\nerror: a new kind\n", "could not be installed", "a new kind"),
        ("it broke", "could not be installed", "it broke"),
        ("", "could not be installed", "nothing"),
    ],
)
def test_what_pip_said_becomes_two_lines(said, cause, last):
    first, second = environment.diagnosis(said.splitlines()).splitlines()
    assert cause in first
    assert last in second


def test_a_program_that_cannot_be_started_is_told(root, set_up, capsys):
    assert set_up(python(MAKES), ["/no/such/program"]) == 1
    assert "/no/such/program" in capsys.readouterr().err
    assert environments(root) == []


def test_a_disk_without_room_for_the_log_is_told_too(root, set_up, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment.Path, "write_text", full)
    assert set_up(python(MAKES), fails(FULL)) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "disk is full" in first
    assert second.endswith("a log of it could not be written")


SLEEPS = """
import sys
from pathlib import Path
from tools import environment
environment.unfit = lambda *_: None
half = "import pathlib, time; pathlib.Path('.venv/half').mkdir(parents=True);"
environment.steps = lambda root: [[sys.executable, "-c", half + "time.sleep(60)"]]
environment.interruptible()
sys.exit(environment.main(Path(sys.argv[1])))
"""


def sleeping(root: Path) -> subprocess.Popen:
    """A set-up that has come half way and hangs there."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPS, str(root)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if (root / ".venv" / "half").exists():
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_set_up_leaves_nothing(root, sent):
    process = sleeping(root)
    process.send_signal(sent)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert said.strip() == "Interrupted: .venv is as before; start it again"
    assert not (root / ".venv").exists()


def test_of_two_set_ups_the_second_is_told_and_the_first_goes_on(root, set_up, capsys):
    first = sleeping(root)
    try:
        assert set_up(python(MAKES)) == 1
        assert "another set-up is under way: wait" in capsys.readouterr().err
        assert environments(root) == [".venv/half"]
    finally:
        first.terminate()
        first.communicate(timeout=30)


@pytest.mark.parametrize("works", [True, False])
def test_after_a_set_up_was_killed_the_old_environment_is_back(root, set_up, works):
    old_environment(root)
    (root / ".venv").rename(root / ".venv-before")
    (root / ".venv").mkdir()
    (root / ".venv" / "half").touch()
    set_up(python(MAKES) if works else fails(REFUSED))
    old = [".venv/old", ".venv/ready"]
    assert environments(root) == ([".venv/ready"] if works else old)


@pytest.mark.parametrize(
    ("version", "system", "missing", "said"),
    [
        ((3, 9, 18), LINUX, "", "3.11 to 3.14 is needed, this is 3.9.18"),
        ((3, 15, 0), LINUX, "", "3.11 to 3.14 is needed, this is 3.15.0"),
        ((3, 11, 2), LINUX, "ensurepip", "apt install python3.11-venv"),
        ((3, 13, 0), LINUX, "venv", "apt install python3.13-venv"),
        ((3, 12, 1), ("Darwin", "x86_64"), "", "Intel Macs"),
    ],
)
def test_a_python_that_will_not_do_is_told_the_remedy(version, system, missing, said):
    problem = environment.unfit(version, system, lambda name: name != missing)
    assert said in problem
    assert "make PYTHON=" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2)])
@pytest.mark.parametrize("system", [LINUX, ("Darwin", "arm64"), ("Windows", "AMD64")])
def test_a_python_that_is_promised_will_do(version, system):
    assert environment.unfit(version, system, lambda name: True) is None


def test_the_pythons_that_will_do_are_those_promised():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = SpecifierSet(project["requires-python"])
    minors = [(3, minor) for minor in range(30) if f"3.{minor}.0" in promised]
    assert minors[0] == environment.OLDEST
    assert (3, minors[-1][1] + 1) == environment.BEYOND


def test_an_unfit_python_makes_nothing(root, monkeypatch, capsys):
    monkeypatch.setattr(environment, "unfit", lambda *_: "too old")
    assert environment.main(root, io.StringIO()) == 1
    assert capsys.readouterr().err == "too old\n"
    assert [path.name for path in root.iterdir()] == [environment.LOCK]


def test_only_a_python_that_starts_is_advised(tmp_path, monkeypatch):
    for name, code in (("python3.14", 127), ("python3.12", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.other_python() == "make PYTHON=python3.12"


def test_an_old_python_understands_the_file():
    """As far as its own check: annotations are evaluated before that is reached."""
    tree = ast.parse(Path(environment.__file__).read_text(), feature_version=(3, 6))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    arguments = [a.annotation for f in functions for a in f.args.args]
    annotations = [*arguments, *(f.returns for f in functions)]
    plain = (ast.Name, ast.Constant, type(None))
    assert all(isinstance(annotation, plain) for annotation in annotations)
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.NamedExpr)]


def test_every_package_is_pinned_even_those_that_build_others():
    venv, first, second, last = environment.steps(ROOT)
    assert venv[1:] == ["-m", "venv", ".venv"]
    assert [word.split("==")[0] for word in first[-2:]] == ["setuptools", "wheel"]
    assert set(first[-2:]) <= set((ROOT / environment.LOCK).read_text().splitlines())
    assert second[-2:] == ["--requirement", "requirements.lock"]
    assert last[-2:] == ["--editable", "."]
    assert all("--no-build-isolation" in command for command in (second, last))


def test_readers_settings_reach_pip_unless_they_lead_out_of_the_environment(
    root, set_up, monkeypatch
):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///mirror")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    code = """import os
    assert os.environ["PIP_EXTRA_INDEX_URL"] == "file:///mirror"
    assert "/elsewhere" not in os.environ.values()
    assert os.environ["PIP_USER"] == "0"
    """
    assert set_up(python(MAKES), python(code.replace("\n    ", "\n"))) == 0


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


PIP = [
    "Collecting torch==2.13.0 (from -r requirements.lock (line 2))",
    "  Downloading torch-2.13.0-cp311-none-any.whl (899.1 MB)",
    "Collecting tyro==1.0.17",
    "Requirement already satisfied: torch in ./.venv (from tyro)",
    "Installing collected packages: torch, tyro",
]


@pytest.mark.parametrize(("stream", "lines"), [(Terminal, 4), (io.StringIO, 1)])
def test_progress_is_shown_on_a_terminal_and_is_short_elsewhere(stream, lines):
    out = stream()
    progress = environment.Progress(2, out)
    for line in PIP:
        progress.read(line)
    shown = out.getvalue()
    assert shown.count("  ") == lines
    assert "installing 2 packages\n" in shown
    if stream is Terminal:
        assert "1 of 2 packages: torch-2.13.0-cp311-none-any.whl (899.1 MB)" in shown
        assert "2 of 2 packages: tyro" in shown


def test_without_a_python_make_says_what_to_install(root):
    for name in ("Makefile", "constraints-cuda.lock"):
        shutil.copy(ROOT / name, root)
    done = subprocess.run(
        ["make", "setup", "PYTHON=no-python"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode
    assert done.stderr.splitlines()[0] == (
        "There is no no-python here: install Python 3.11 or newer, or name one: "
        "make PYTHON=python3.12"
    )
