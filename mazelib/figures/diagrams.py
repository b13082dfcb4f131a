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
"""How far above the tokens' middle arrows begin; how much an arrow rises a token."""


class Arrow(NamedTuple):
    """What goes from one place in a row of tokens to another, and its name."""

    begin: int
    end: int
    says: str
    role: str = "model"


def token_row(ax: Axes, tokens: Sequence[str], arrows: Sequence[Arrow]) -> None:
    """Tokens in a row, one a unit apart, and arrows that bend above them.

    The farther an arrow goes the higher it rises, so that arrows of different lengths
    do not hide one another; its name stands at its top.
    """
    box = {"boxstyle": "round", "fc": "none", "ec": PALETTE["wall"]}
    look = {"ha": "center", "va": "center", "family": "monospace", "size": 10}
    for place, token in enumerate(tokens):
        ax.text(place, 0, token, **look, bbox=box if token != "…" else None, color=INK)
    tops = [0.0]
    for begin, end, says, role in arrows:
        top, middle = ROW + RISE * abs(end - begin), (begin + end) / 2
        bend = [(begin, ROW), (middle, 2 * top - ROW), (end, ROW)]
        curve = Path(bend, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        style = {"arrowstyle": "-|>", "mutation_scale": 12, "lw": 1.6}
        ax.add_patch(FancyArrowPatch(path=curve, color=PALETTE[role], **style))
        name_at(ax, middle, top + 0.03, says, role, ha="center", va="bottom")
        tops.append(top)
    ax.set(xlim=(-0.6, len(tokens) - 0.4), ylim=(-0.3, max(tops) + 0.3))
    ax.axis("off")
