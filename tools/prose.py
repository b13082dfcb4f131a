"""How long and how dense each chapter's text is, beside what a reader can take.

    python -m tools.prose                # a line a chapter
    python -m tools.prose 03_training    # and its longest sentences

In: the notebooks of book/. Out: words of running text, sentences of more than 25 words,
paragraphs with more than three numbers, figures, tables in the text, and cells of code
that a reader sees; exit code 1 if a chapter is beyond its budget.
"""

import argparse
import re
import sys
from typing import NamedTuple

from tools import chapters

BUDGET = {
    "words": 1200,
    "long": 0,
    "crowded": 4,
    "figures": 5,
    "tables": 3,
    "cells": 12,
}
LONG, CROWDED = 25, 3
"""Words of a sentence, and numbers of a paragraph, that are read without effort."""
BEYOND: dict[str, str] = {}
"""Chapters that may be longer than the budget, and why."""

HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
LEFT_OUT = [
    re.compile(r"```.*?```", re.S),  # boxes and folds
    re.compile(r"^[>#|].*$", re.M),  # quotes, headings, tables
    re.compile(r"<[^>\n]*>|\{[a-z:]+\}(?=`)|`[^`\n]*`|\]\([^)\n]*\)|[*\[]"),  # markup
]
NAMES = re.compile(
    r"(chapter|figure)s? \d+|\d+×\d+|\b(19|20)\d\d\b|L\d+H\d+|95% \w* ?interval",
    re.I,
)
"""What has digits and is no number to a reader: chapter 7, 5×5, 2024, L5H0."""
SPAN = re.compile(r"([\d.,%+−]+) +to +[\d.,%+−]+")
"""An interval, of which its lower end is kept."""


class Prose(NamedTuple):
    """What a chapter asks of its reader."""

    words: int
    long: list[str]
    crowded: int
    figures: int
    tables: int
    cells: int


def prose_of(notebook: dict) -> Prose:
    """Count a chapter's running text: without headings, quotes, tables and boxes."""
    cells = notebook["cells"]
    written = [
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
    ]
    text, code = "\n\n".join(written), chapters.code_cells(notebook)
    for pattern in LEFT_OUT:
        text = pattern.sub(" ", text)
    sentences = re.split(r"(?<=[.?!:])\)?\s+|\n\s*\n|\n\s*-", text)
    paragraphs = re.split(r"\n\s*\n|\n\s*-", text)
    return Prose(
        words=count_words(text),
        long=[s for s in sentences if count_words(s) > LONG],
        crowded=sum(count_numbers(p) > CROWDED for p in paragraphs),
        figures=sum("image" in c["metadata"].get("mystnb", {}) for c in code),
        tables=sum(len(re.findall(r"^\|[ :|-]+\|$", cell, re.M)) for cell in written),
        cells=sum(not HIDDEN & set(c["metadata"].get("tags", [])) for c in code),
    )


def count_words(text: str) -> int:
    """How many words: what has a letter or a digit in it."""
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def count_numbers(text: str) -> int:
    """How many numbers, names left out; an interval counts as one."""
    return len(re.findall(r"\d[\d.,]*", SPAN.sub(r"\1", NAMES.sub("", text))))


def beyond(found: Prose) -> list[str]:
    """What of a chapter is beyond the budget."""
    counts = found._asdict() | {"long": len(found.long)}
    return [
        f"{counts[k]:,} {k} ({BUDGET[k]:,})" for k in BUDGET if counts[k] > BUDGET[k]
    ]


def main() -> None:
    """Print a line a chapter; say which are beyond their budget."""
    parser = argparse.ArgumentParser(description="How long and dense chapters are.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    asked = parser.parse_args().chapters
    chapters.check_known(parser, asked)
    failed = False
    for name in asked or chapters.names():
        found = prose_of(chapters.read(name))
        facts = found._asdict() | {"long": len(found.long)}
        over = beyond(found)
        failed |= bool(over) and name not in BEYOND
        print(f"{name:20}" + "".join(f"{v:6,} {k}" for k, v in facts.items()), *over)
        for sentence in sorted(found.long, key=len)[::-1] if asked else ():
            print("   ", " ".join(sentence.split()))
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
