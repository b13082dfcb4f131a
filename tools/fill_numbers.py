"""Write what the chapters' runs gave into their text.

    python -m tools.fill_numbers             # run what has changed; write all numbers
    python -m tools.fill_numbers 01_mazes    # of this chapter alone

In: the runs of `tools.chapters`. Out: the chapters in book/, with the number that came
out in each anchor of their text (see `mazelib.evidence.numbers`), and a line for each
that was another. An anchor that no cell states, or a number that stands nowhere in the
text, is named and left alone: only its author knows what was meant.
"""

import argparse
import json
import sys
from pathlib import Path

from mazelib.errors import MazelibError
from mazelib.evidence.numbers import (
    ANCHOR,
    FORMAT,
    Difference,
    Stated,
    differences,
    written,
)
from mazelib.files import replacing
from tools import chapters


def stated(name: str) -> Stated:
    """What a chapter's last run stated. Raises MazelibError if it has no check."""
    given = [
        output.get("data", {}) for cell in chapters.outputs(name) for output in cell
    ]
    kept = [data[FORMAT] for data in given if FORMAT in data]
    if not kept:
        raise MazelibError(f"{name} has no numbers.check() in its last cell")
    return kept[-1]


def wrong(name: str) -> list[Difference]:
    """Where a chapter's text is not what its last run gave."""
    said = written(chapters.SOURCE / f"{name}.ipynb")
    return list(differences(name, said, stated(name)))


def write(notebook: Path, found: Stated) -> None:
    """Write what was found into the anchors of a notebook's text."""

    def right(anchor) -> str:
        name, text = anchor.groups()
        fits = text in found.get(name, [text])
        return anchor[0] if fits else f'<span data-n="{name}">{found[name][0]}</span>'

    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            text = ANCHOR.sub(right, "".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
    with replacing(notebook) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Write numbers into the chapters.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    arguments = parser.parse_args()
    chapters.check_known(parser, arguments.chapters)
    chapters.run(arguments.chapters)
    left = []
    for name in arguments.chapters or chapters.names():
        found = wrong(name)
        print(*found, sep="\n", end="\n" if found else "")
        if found:
            write(chapters.SOURCE / f"{name}.ipynb", stated(name))
        left += wrong(name)
    if left:
        sys.exit(f"{len(left)} of them are for you to put right")


if __name__ == "__main__":
    main()
