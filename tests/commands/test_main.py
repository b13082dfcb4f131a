"""The command line as a person meets it: what it prints, and how it fails."""

import io
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from subprocess import DEVNULL
from types import SimpleNamespace

import pytest

from mazelib import __main__
from mazelib.commands import parser
from mazelib.commands.models import Train


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['mazelib', '--help']\n"
        "from mazelib.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'numba', 'pandas', 'scipy', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    for command in ("generate", "train", "evaluate", "baseline", "solve", "models"):
        assert f"python -m mazelib {command}" in " ".join(done.stdout.split())


def test_training_whose_output_nobody_reads_any_more_has_not_succeeded(
    run, tmp_path, monkeypatch
):
    def broken(self):
        raise BrokenPipeError

    monkeypatch.setattr(Train, "run", broken)
    assert run("train", "--out", tmp_path / "mine")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--grid", "1"], "grid is 1"),
        (["generate", "--count", "0"], "count is 0"),
        (["generate", "--generator", "maize"], "no generator 'maize'"),
        (["generate", "--side", "4"], "a maze of side 6"),
        (["generate", "--out", "mazes.txt"], "end its name in .parquet"),
        (["generate", "--out", "no/such/folder.jsonl"], "no folder"),
        (["generate", "--seed", "-1"], "seed is -1"),
        (["generate", "--min-steps", "99"], "min_steps is 99"),
        (["baseline", "--grid", "99"], "grid is 99"),
        (["evaluate", "no-such-model"], "no model 'no-such-model'"),
        (["solve", "no-such-model"], "no model"),
        (["train", "--out", "x", "--grid", "4", "--width", "9"], "width is 9"),
        (["train", "--out", ".", "--grid", "3", "--layers", "1"], "'.' is no name"),
        (["train", "--out", "/", "--grid", "3", "--layers", "1"], "'/' is no name"),
    ],
)
def test_bad_flags_are_one_line_and_exit_code_2(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("generate --count abc", "--count is 'abc', but must be a whole number"),
        ("generate --count=3.5", "--count is '3.5', but must be a whole number"),
        ("generate --max_depth x", "--max-depth is 'x', but must be a whole number"),
        ("generate --p x", "--p is 'x', but must be a number"),
        ("baseline --seed 1 --seed=1e3", "--seed is '1e3', but must be a whole"),
        ("generate --count", "--count"),
        ("generate --gird 4", "--gird, 4; perhaps you meant --grid"),
        ("generate --tokens bpe", "invalid choice 'bpe' for argument '--tokens'"),
        ("generate 5", "5"),
        ("solve dfs5 dfs6", "dfs6"),
        ("solve", "MODEL"),
        ("train", "--out"),
        ("paint", "paint; available subcommands: generate, train"),
        ("", "{generate, train, evaluate, baseline, solve, models}"),
    ],
)
@pytest.mark.parametrize("is_plain", [False, True])
def test_words_that_are_no_command_are_one_line(
    run, monkeypatch, words, said, is_plain
):
    if is_plain:  # as for a terminal that has no lines to draw boxes with
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: ")
    assert said in err
    assert err.endswith(": see python -m mazelib --help\n")
    assert err.count("\n") == 1
    assert not set("│─╭|") & set(err)


def test_version_is_that_of_the_project(run, monkeypatch):
    project = Path(__file__).parents[2] / "pyproject.toml"
    version = tomllib.loads(project.read_text("utf-8"))["project"]["version"]
    assert run("--version") == (0, f"{version}\n", "")

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(parser, "version", missing)
    assert run("--version") == (0, f"{version}\n", "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_every_encoding_can_be_written(run, folder, tmp_path, monkeypatch, encoding):
    name = tmp_path / "mäze 迷.jsonl"
    for words in (
        ["--help"],
        ["solve", "--help"],
        ["solve", folder, "--draw"],
        ["evaluate", folder, "--count=2"],
        ["generate", "--grid=3", "--out", name],
        ["generate", "--grid=3", "--json", "--out", name],
    ):
        written = io.BytesIO()
        output = io.TextIOWrapper(written, encoding)
        monkeypatch.setattr(sys, "stdout", output)
        code, _, err = run(*words)
        assert (code, err) == (0, "")
        text = written.getvalue().decode(encoding)
        if "--draw" in words:
            signs = "+---+" if encoding in ("ascii", "cp1252") else "┼───┼"
            assert signs in text
            assert "\\" not in text
        if "--json" in words:
            assert json.loads(text)["out"] == str(name)


INTERRUPTED = """
import builtins, runpy, signal, sys
real, sys.argv = builtins.__import__, ["mazelib", *sys.argv[2:]]
def interrupting(name, *rest, **more):
    if name == wanted:
        signal.raise_signal(signal.SIGINT)
    return real(name, *rest, **more)
wanted, builtins.__import__ = {name!r}, interrupting
runpy.run_module("mazelib", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name", ["tyro", "mazelib.commands.mazes", "torch", "numba"])
def test_an_interrupt_while_importing_is_one_line(name):
    code = INTERRUPTED.format(name=name)
    command = [sys.executable, "-c", code, "-", "solve", "dfs5"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=DEVNULL)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "mazelib: interrupted\n"


def test_an_interrupt_where_nothing_can_be_raised_is_not_lost():
    def meet_one():
        __main__.interrupt_again(SimpleNamespace(exc_value=KeyboardInterrupt()))
        for _ in range(10**7):  # it comes with one of the next instructions
            pass

    with pytest.raises(KeyboardInterrupt):
        meet_one()


@pytest.mark.parametrize(
    ("shell", "code", "lines"),
    [
        ("{generate} --count 3000 | head -n 1", 0, 0),
        ("{generate} | true", 0, 0),
        ("{generate} > /dev/full", 2, 1),
        ("{generate} >&-", 2, 1),
        ("{generate} <&- 2>&- >/dev/full", 2, 0),
        ("{program} --version >&-", 2, 1),
        ("{program} --help | true", 0, 0),
        ("{program} paint 2>/dev/full", 2, 0),
    ],
)
def test_streams_that_a_shell_closes(shell, code, lines):
    program = f"{sys.executable} -m mazelib"
    command = shell.format(program=program, generate=f"{program} generate --grid 3")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == lines
    assert done.stderr.startswith("mazelib: error: standard output" if lines else "")
