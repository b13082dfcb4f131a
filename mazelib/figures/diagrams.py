"""Diagrams of mechanisms: tokens in a row, and arrows from where to where.

    figure, [ax] = plots.panels(1, 1, height=1.6)
    diagrams.token_row(ax, ["(1,2)", "<-->", "(1,3)", ";"], [Arrow(0, 3, "naming")])

In: tokens, arrows between their places, an Axes. Out: marks on it, in the palette.
"""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from mazelib.figures.plots import INK, name_at
from mazelib.mazes.drawing import PALETTE

ROW, RISE = 0.28, 0.22
"""How far from the tokens' middle arrows begin; how much an arrow rises a token."""


class Arrow(NamedTuple):
    """What goes from one place in a row of tokens to another, and its name."""

    begin: int
    end: int
    says: str
    role: str = "model"
    below: bool = False


def token_row(ax: Axes, tokens: Sequence[str], arrows: Sequence[Arrow]) -> None:
    """Tokens in a row, one a unit apart, and arrows that bend above or below them.

    The farther an arrow goes the higher it rises, so that arrows of different lengths
    do not hide one another; its name stands at its top.
    """
    box = {"boxstyle": "round", "fc": "none", "ec": PALETTE["wall"]}
    look = {"ha": "center", "va": "center", "family": "monospace", "size": 10}
    for place, token in enumerate(tokens):
        ax.text(place, 0, token, **look, bbox=box if token != "…" else None, color=INK)
    tops = [0.0]
    for begin, end, says, role, below in arrows:
        side = -1 if below else 1
        row, top = side * ROW, side * (ROW + RISE * abs(end - begin))
        middle = (begin + end) / 2
        bend = [(begin, row), (middle, 2 * top - row), (end, row)]
        curve = Path(bend, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        style = {"arrowstyle": "-|>", "mutation_scale": 12, "lw": 1.6}
        ax.add_patch(FancyArrowPatch(path=curve, color=PALETTE[role], **style))
        at = {"ha": "center", "va": "top" if below else "bottom"}
        name_at(ax, middle, top + 0.03 * side, says, role, **at)
        tops.append(top)
    ends = min(tops) - 0.3, max(tops) + 0.3
    ax.set(xlim=(-0.6, len(tokens) - 0.4), ylim=ends)
    ax.axis("off")
