"""From the command line's words to a command, or to one line that says what is wrong.

parse(["solve", "dfs5", "--draw"]).run()
"""

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, subcommand

from mazelib.commands.mazes import Baseline, Generate
from mazelib.commands.models import Evaluate, Models, Train
from mazelib.commands.output import flush, say, standard_output
from mazelib.commands.solve import Solve
from mazelib.errors import MazelibError
from mazelib.files import ROOT

PROGRAM = "python -m mazelib"
Command = (
    Annotated[Generate, subcommand("generate")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Baseline, subcommand("baseline")]
    | Annotated[Solve, subcommand("solve")]
    | Annotated[Models, subcommand("models")]
)
KINDS = {"INT": "a whole number", "FLOAT": "a number"}


def parse(words: Sequence[str]) -> Command:
    """The command that the words name, with its flags.

    --help and --version print and end the program. Raises MazelibError for words that
    are no command.
    """
    if list(words) == ["--version"]:
        say(mazelib_version())
        flush()
        sys.exit(0)
    refusal = io.StringIO()
    try:
        with standard_output(), contextlib.redirect_stderr(refusal):
            return tyro.cli(
                Command,
                args=words,
                prog=PROGRAM,
                description="Mazes as tokens, and small transformers that solve them. "
                "--version prints the version.",
                config=(OmitArgPrefixes, FlagCreatePairsOff),
            )
    except SystemExit as stop:
        flush()
        if not stop.code:
            raise
        raise MazelibError(one_line(refusal.getvalue(), words)) from None


def mazelib_version() -> str:
    """The version, from what is installed, or else from the checkout's pyproject."""
    try:
        return version("mazelib")
    except PackageNotFoundError:
        import tomllib

        project = ROOT / "pyproject.toml"
        return tomllib.loads(project.read_text("utf-8"))["project"]["version"]


def one_line(box: str, words: Sequence[str]) -> str:
    """What tyro says of words in a box of several lines, in one."""
    lines = [
        line.strip(" │") for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()
    ]
    parts = [[]]  # rules part them; the first line is a title
    for line in filter(None, lines[1:]):
        parts.append([]) if set(line) <= set("╭╰╮╯─- ") else parts[-1].append(line)
    text, *more = [" ".join(part) for part in parts if part] or [box]
    if flag := re.match(r"Error parsing (--\S+):", text):
        kind = re.search(rf"{flag[1]} (INT|FLOAT)", " ".join(more))
        if kind:
            value = value_of(flag[1], words)
            text = f"{flag[1]} is {value!r}, but must be {KINDS[kind[1]]}"
    elif meant := re.search(r"Perhaps you meant: (--\S+)", " ".join(more)):
        text += f"; perhaps you meant {meant[1]}"
    elif more and more[0].startswith("Available"):
        text += "; " + more[0][0].lower() + more[0][1:]
    return f"{text.removesuffix('.')}: see {PROGRAM} --help"


def value_of(flag: str, words: Sequence[str]) -> str:
    """The word that a flag was last given as its value, after it or after `=`."""
    value = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, rest = word.partition("=")
        if name.replace("_", "-") == flag:
            value = rest if equals else following
    return value
