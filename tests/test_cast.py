"""The appendix on models says of each which chapters use it."""

import ast
import json
import re

from mazelib.files import ROOT
from mazelib.models import zoo

CAST = "models"


def text_of(chapter) -> str:
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def numbers_in(said: str) -> set[int]:
    """The chapters of "6", "4 to 11", "4, 7, 10" or "", which is none."""
    parts = said.split(", ") if said else []
    ends = [tuple(map(int, part.split(" to "))) for part in parts]
    return {n for first, *last in ends for n in range(first, (last or [first])[0] + 1)}


def test_the_cast_says_where_each_model_is_used():
    chapters = {path.stem: text_of(path) for path in (ROOT / "book").glob("*.ipynb")}
    [said] = re.findall(r"^USED = (\{.*?\})$", chapters[CAST], re.M | re.S)
    said = ast.literal_eval(said)
    assert set(said) == set(zoo.names())
    for name, where in said.items():
        word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        named = [chapter for chapter, text in chapters.items() if word.search(text)]
        used = {int(chapter[:2]) for chapter in named if chapter[0].isdigit()}
        assert numbers_in(where) == used, name
