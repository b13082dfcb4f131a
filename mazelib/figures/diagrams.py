"""Diagrams of mechanisms: tokens in a row, and arrows from where to where.

    figure, [ax] = plots.panels(1, 1, height=1.6)
    diagrams.token_row(ax, ["(1,2)", "<-->", "(1,3)", ";"], [Arrow(0, 3, "naming")])
    diagrams.streams(other, ["(1,2)", ";"], {2: Arrow(0, 1, "naming")}, ["", ""])

In: tokens, arrows between their places, an Axes. Out: marks on it, in the palette.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from mazelib.figures.plots import INK, name_at
from mazelib.mazes.drawing import PALETTE

ROW, RISE = 0.28, 0.22
"""How far from the tokens' middle arrows begin; how much an arrow rises a token."""
TOKEN = {"ha": "center", "va": "center", "family": "monospace", "size": 10}
FRAME = {"boxstyle": "round", "fc": "none", "ec": PALETTE["wall"]}
HEAD = {"arrowstyle": "-|>", "mutation_scale": 12, "lw": 1.6}
"""How tokens, frames around them, and arrows look."""


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
    write_tokens(ax, tokens, 0.0)
    tops = [0.0]
    for begin, end, says, role, below in arrows:
        side = -1 if below else 1
        row, top = side * ROW, side * (ROW + RISE * abs(end - begin))
        middle = (begin + end) / 2
        bend = [(begin, row), (middle, 2 * top - row), (end, row)]
        curve = Path(bend, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        ax.add_patch(FancyArrowPatch(path=curve, color=PALETTE[role], **HEAD))
        at = {"ha": "center", "va": "top" if below else "bottom"}
        name_at(ax, middle, top + 0.03 * side, says, role, **at)
        tops.append(top)
    ends = min(tops) - 0.3, max(tops) + 0.3
    ax.set(xlim=(-0.6, len(tokens) - 0.4), ylim=ends)
    ax.axis("off")


def write_tokens(ax: Axes, tokens: Sequence[str], height: float) -> None:
    """Tokens one a unit apart, each but "…" in a frame; "" leaves its place empty."""
    for place, token in enumerate(tokens):
        frame = FRAME if token not in ("", "…") else None
        ax.text(place, height, token, **TOKEN, bbox=frame, color=INK)


def streams(
    ax: Axes, tokens: Sequence[str], heads: Mapping[float, Arrow], says: Sequence[str]
) -> None:
    """A network's residual streams, one upward line a token, and what moves between.

    heads: at some heights above 0, an arrow from one stream to another; above each
    stands the MLP of its layer, a box on the line that the arrow leads to. says: what
    is read off each stream at the top, or "".
    """
    top = float(max(heads)) + 1.4
    write_tokens(ax, tokens, 0.0)
    write_tokens(ax, says, top + 0.3)
    for place, token in enumerate(tokens):
        if token != "…":
            line = FancyArrowPatch((place, 0.25), (place, top), color=INK, **HEAD)
            ax.add_patch(line)
    for height, (begin, end, name, role, _) in heads.items():
        ends = (begin, height), (end, height)
        ax.add_patch(FancyArrowPatch(*ends, color=PALETTE[role], **HEAD))
        middle = (begin + end) / 2
        name_at(ax, middle, height + 0.06, name, role, ha="center", va="bottom")
        box = FRAME | {"fc": PALETTE["control"], "alpha": 0.9}
        ax.text(end, height + 0.5, "MLP", **TOKEN, bbox=box, color="white")
    ax.set(xlim=(-0.6, len(tokens) - 0.4), ylim=(-0.4, top + 0.7))
    ax.axis("off")
