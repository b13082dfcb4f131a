"""Text is counted as it is read; chapters keep to the budget, or say why not."""

import pytest

from tools import chapters, prose

MARKDOWN = """\
# Seven words that are not counted here

> A quotation is not counted.

Two [plain](page) words<span data-n="x">12</span>, and `code` none.

| a | table |
|---|---|
| not | counted |

```{dropdown} Folded
Not counted.
```

One sentence of this text is long because it goes on and on, past the twenty-five words
that can be read without effort, and then still does not come to an end.

Numbers: 1, 2.5, 30% and 4,000.
"""


def notebook(*cells):
    """A notebook of some cells: (kind, source, metadata)."""
    return {
        "cells": [
            {"cell_type": kind, "source": source.splitlines(True), "metadata": about}
            for kind, source, about in cells
        ]
    }


def test_what_a_reader_reads_is_counted():
    found = prose.prose_of(
        notebook(
            ("markdown", MARKDOWN, {}),
            ("code", "visible", {}),
            ("code", "folded", {"tags": ["hide-input"]}),
            ("code", "drawn", {"mystnb": {"image": {"alt": "a figure"}}}),
        )
    )
    others = ["Two", "plain", "words", "12", "and", "none", *[None] * 6]
    assert found.words == len(others) + len(found.long[0].split())
    assert len(found.long) == 1
    assert found.long[0].startswith("One sentence")
    assert (found.crowded, found.figures, found.tables, found.cells) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Figure 2 and [chapter 7] of 5×5 mazes, in 2024: L5H0.", 0),
        ("0.62 (95% interval 0.48 to 0.75), and −0.05 in 1,000 mazes", 4),
    ],
)
def test_names_are_no_numbers_and_an_interval_is_one(text, count):
    assert prose.count_numbers(text) == count


@pytest.mark.parametrize("name", chapters.names())
def test_a_chapter_keeps_to_its_budget_or_says_why_not(name):
    over = prose.beyond(prose.prose_of(chapters.read(name)))
    assert bool(over) == (name in prose.BEYOND), over
