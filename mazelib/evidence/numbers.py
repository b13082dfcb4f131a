"""The numbers that a chapter's text says, held to what its run gave.

In the text a number stands as itself, inside an anchor that neither JupyterLab nor
GitHub nor the book shows: It solves `<span data-n="exact">97.5%</span>` of them.

    numbers = Numbers("04_performance")
    numbers.state("exact", 0.9748, ".1%", (0.971, 0.979))  # anchors exact and exact-ci
    expect(0.9748 > 0.9)                                   # what words say
    numbers.check()                                        # a chapter's last line

In the book's build, `check` keeps the numbers with the run; `make numbers` writes them
into the text, and a test fails where the two differ. In a reader's run it lists what is
not as in the text, and nothing stops.
"""

import json
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

from mazelib.errors import MazelibError
from mazelib.evidence.records import BOOK
from mazelib.files import ROOT

CHAPTERS = ROOT / "book"
ANCHOR = re.compile(r'<span data-n="([^"]*)">(.*?)</span>', re.DOTALL)
FORMAT = "application/vnd.mazelib.numbers+json"
"""What kind of output `check` keeps the numbers as."""
SAME = 1e-4
"""Processors round apart by less than this share, which may change the last digit."""

Stated = dict[str, list[str]]
"""What each anchor may say, by name; first what is to be written."""


class Difference(NamedTuple):
    """An anchor whose text is not what the run gave; None where there is none."""

    chapter: str
    name: str
    written: str | None
    came_out: str | None

    def __str__(self) -> str:
        if self.written is None:
            said = "stands nowhere in the text"
        else:
            said = f"is written {self.written!r}"
        gave = "no cell states it" if self.came_out is None else repr(self.came_out)
        return f"{self.chapter}: {self.name!r} {said}; the run: {gave}"


@dataclass(frozen=True)
class Checked:
    """What `Numbers.check` shows: in a notebook, text, and in the build the numbers."""

    stated: Stated
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": self.text, FORMAT: self.stated}


class Numbers:
    """The numbers of one chapter, by the names of their anchors.

    chapter: the notebook's name in book/, such as "04_performance".
    """

    def __init__(self, chapter: str):
        self.chapter = chapter
        self.stated: Stated = {}

    def state(
        self,
        name: str,
        value: object,
        form: str = "",
        interval: Sequence[Real] | None = None,
    ) -> None:
        """Take down what the anchor of this name has to say.

        value: text, a number, or two numbers ("1 to 2"). form: as for `format`.
        interval: if given, the anchor NAME-ci has to say it, in the same form. Raises
        MazelibError for any other value.
        """
        self.stated[name] = texts(value, form)
        if interval is not None:
            self.stated[f"{name}-ci"] = texts(interval, form)

    def check(self) -> Checked:
        """Compare the numbers of this run with the text; call it last in a chapter."""
        count = len(self.stated)
        if BOOK in os.environ:
            text = f"the text's {count} numbers are kept with this run"
            return Checked(self.stated, text)
        path = CHAPTERS / f"{self.chapter}.ipynb"
        said = differences(self.chapter, written(path), self.stated)
        found = dict.fromkeys(said)  # a number may stand in several places
        lines = [f"{len(found)} of {count} numbers are not as in the text:"]
        lines += [f"  {d.name}: {d.written} there, {d.came_out} here" for d in found]
        text = "\n".join(lines) if found else f"all {count} numbers are as in the text"
        return Checked(self.stated, text)


def expect(holds: bool) -> None:
    """Hold a chapter to its words: what its text says has to be so in this run.

    In the book's build a false one is an AssertionError. In a reader's run, of another
    model or other mazes, it is a line that says what is not so there, and the run goes
    on.
    """
    if holds:
        return
    lines = [frame.line or "" for frame in traceback.extract_stack()[:-1]]
    claim = [line for line in lines if f"{expect.__name__}(" in line][-1]
    if BOOK in os.environ:
        raise AssertionError(f"the text says otherwise: {claim}")
    print(f"not in this run, as the text says: {claim}")


def texts(value: object, form: str = "") -> list[str]:
    """What may stand for a value: first as it is, then as processors may round it.

    With a true minus sign. Raises MazelibError for what is no number, nor text, nor two
    numbers.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, Integral) and not isinstance(value, bool):
        return [f"{int(value):{form}}".replace("-", "−")]
    if isinstance(value, Real) and not isinstance(value, bool):
        near = (float(value) * times for times in (1, 1 - SAME, 1 + SAME))
        return list(dict.fromkeys(f"{v:{form}}".replace("-", "−") for v in near))
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        each = [texts(part, form) for part in value]
        if len(each) == 2:
            return [" to ".join(both) for both in product(*each)]
    raise MazelibError(f"{value!r} is no number, no text and no pair of numbers")


def written(notebook: Path) -> dict[str, list[str]]:
    """What stands in each anchor of a notebook's text, by name, in one place or more.

    Raises MazelibError if there is no such notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except OSError as error:
        raise MazelibError(f"{notebook} cannot be read: {error.strerror}") from None
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for name, text in ANCHOR.findall("".join(cell["source"])):
                found.setdefault(name, []).append(text)
    return found


def differences(
    chapter: str, said: dict[str, list[str]], stated: Stated
) -> Iterator[Difference]:
    """Where a chapter's text is not what its run gave, in the order of the text."""
    for name, places in said.items():
        for text in places:
            if text not in stated.get(name, []):
                gave = stated[name][0] if name in stated else None
                yield Difference(chapter, name, text, gave)
    for name in stated:
        if name not in said:
            yield Difference(chapter, name, None, stated[name][0])
