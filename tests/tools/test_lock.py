"""The lock: split into its files, checked for every promise, replaced whole or not."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools import lock

RESOLVED = """\
appnope==1.0.0 ; sys_platform == 'darwin'
cuda-toolkit==13.0.3.0 ; sys_platform == 'linux'
nvidia-nvtx==13.0.85 ; sys_platform == 'linux'
soupsieve==2.10 ; python_full_version < '3.11.5'
soupsieve==4.1.3 ; python_full_version >= '3.11.5'
torch==2.13.0
triton==3.7.1 ; sys_platform == 'linux'
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project whose lock is RESOLVED, and a uv that finds nothing to change."""
    for name, text in lock.rendered(RESOLVED).items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    return tmp_path


def contents(root):
    return {path.name: path.read_text() for path in root.iterdir()}


def answers(monkeypatch, answer):
    """Let answer(python, platform) stand for uv's resolution on one system."""

    def compiled(*arguments):
        if "--universal" in arguments:
            return ""
        place = arguments.index("--python-version")
        return answer(arguments[place + 1], arguments[place + 3])

    monkeypatch.setattr(lock, "compiled", compiled)


def test_cuda_packages_are_constraints_and_all_else_is_locked():
    files = lock.rendered(RESOLVED)
    cuda, locked = lock.pins(files[lock.CUDA]), lock.pins(files[lock.LOCK])
    assert [pin.split("==")[0] for pin in cuda] == [
        "cuda-toolkit",
        "nvidia-nvtx",
        "triton",
    ]
    assert sorted(cuda + locked) == RESOLVED.splitlines()
    assert f"-c {lock.CUDA}" in files[lock.LOCK].splitlines()


def test_conda_gets_the_lines_of_the_lock():
    files = lock.rendered(RESOLVED)
    python, _, pip = yaml.safe_load(files[lock.CONDA])["dependencies"]
    lines = files[lock.LOCK].splitlines()
    assert pip["pip"] == [line for line in lines if not line.startswith("#")]
    assert python == f"python{promised()}"


def promised() -> str:
    project = tomllib.loads((lock.ROOT / lock.PROJECT).read_text())["project"]
    return project["requires-python"]


def test_the_pythons_that_are_checked_are_those_promised():
    inside = SpecifierSet(promised())
    minors = [f"3.{minor}" for minor in range(30) if f"3.{minor}.0" in inside]
    assert [re.match(r"\d\.\d+", version)[0] for version in lock.PYTHONS] == minors
    assert lock.PYTHONS[0] == f"{minors[0]}.0"


def test_every_python_is_checked_on_every_system(root, monkeypatch, capsys):
    asked = []
    answers(monkeypatch, lambda *system: asked.append(system) or "torch==2.13.0\n")
    lock.main(["--check"])
    wanted = [(p, s) for p in lock.PYTHONS for s in lock.SYSTEMS.values()]
    assert sorted(asked) == sorted(wanted)
    assert "4 Pythons × 4 systems" in capsys.readouterr().out


def test_what_cannot_be_installed_is_named_with_its_system(root, monkeypatch):
    def answer(python, platform):
        if python == "3.14" and "windows" in platform:
            raise RuntimeError("torch==2.13.0 has no wheels for it")
        return "torch==2.13.0\n"

    answers(monkeypatch, answer)
    with pytest.raises(SystemExit) as stopped:
        lock.main(["--check"])
    assert str(stopped.value).splitlines() == [
        "The lock does not pass for:",
        "Python 3.14 on Windows (x86_64): torch==2.13.0 has no wheels for it",
    ]


def test_what_fails_everywhere_is_said_once(root, monkeypatch):
    def answer(python, platform):
        raise RuntimeError("dns error")

    answers(monkeypatch, answer)
    with pytest.raises(SystemExit) as stopped:
        lock.main(["--check"])
    assert str(stopped.value).splitlines()[1:] == [
        "Every Python on every system: dns error"
    ]


@pytest.mark.parametrize("unlocked", ["stranger==1.0", "torch==2.14.0"])
def test_what_is_asked_for_beyond_the_lock_is_named(root, monkeypatch, unlocked):
    answers(monkeypatch, lambda *_: f"soupsieve==2.10\n{unlocked}\n")
    with pytest.raises(SystemExit, match=f"not in the lock: {unlocked}"):
        lock.main(["--check"])


def test_a_lock_that_fails_the_check_replaces_nothing(root, monkeypatch):
    before = contents(root)
    answers(monkeypatch, lambda *_: "stranger==1.0\n")
    monkeypatch.setattr(lock, "resolve", lambda folder: "torch==9.9\n")
    with pytest.raises(SystemExit, match="stranger"):
        lock.main([])
    assert contents(root) == before


def test_a_new_lock_keeps_what_the_resolver_kept(root, monkeypatch):
    """uv reads the present pins from the file that it is to write."""
    seen = []

    def compiled(*arguments):
        if "--universal" not in arguments:
            return "torch==2.13.0\n"
        output = arguments[arguments.index("--output-file") + 1]
        seen.append(sorted(output.read_text().splitlines()))
        output.write_text(RESOLVED.replace("appnope==1.0.0", "appnope==1.1.0"))
        return ""

    monkeypatch.setattr(lock, "compiled", compiled)
    before = contents(root)
    lock.main([])
    assert seen == [RESOLVED.splitlines()]
    after = contents(root)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {lock.LOCK, lock.CONDA}


def test_without_uv_one_line_says_how_to_get_it(root, monkeypatch):
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(SystemExit) as stopped:
        lock.main(["--check"])
    assert str(stopped.value) == "uv is needed for the lock: `make setup` installs it"


def test_uv_is_taken_from_the_environment_of_the_project(root, monkeypatch):
    monkeypatch.setenv("PATH", "")
    program = root / ".venv" / "bin" / "uv"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    assert lock.uv() == str(program)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("error: No solution found\n  cause: torch has no wheel\n\nhint: x", "torch"),
        ("error: Failed to fetch\n  cause: dns error\n", "dns error"),
        ("error: unexpected argument\n", "unexpected argument"),
        ("", "no reason"),
    ],
)
def test_uvs_own_reason_is_passed_on_in_one_line(monkeypatch, said, reason):
    monkeypatch.setattr(lock, "uv", lambda: "uv")
    failed = subprocess.CompletedProcess([], 2, stdout="", stderr=said)
    monkeypatch.setattr(lock.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match=reason) as stopped:
        lock.compiled()
    assert "\n" not in str(stopped.value)
