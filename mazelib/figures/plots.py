"""Figures of the chapters: arrays and tables in, marks on matplotlib Axes out.

    plots.use_style()
    figure, axes = plots.panels(1, 2)
    plots.intervals(axes[0], labels, values, low, high, role="model")

Colours are those of `mazelib.mazes.drawing.PALETTE`, one a role. Backgrounds are
transparent and text is of a grey that reads on a white page and on a dark one.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mazelib.mazes.drawing import PALETTE

INK = "#7a7a7a"
"""Text and axes: contrast above 4 on white and on the dark theme's page."""

STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.transparent": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.2,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "font.size": 10.5,
    "figure.constrained_layout.use": True,
    "figure.figsize": (7.0, 3.6),
    "svg.hashsalt": "mazelib",
}


def use_style() -> None:
    """Draw in the book's style from here on, as SVG where a notebook shows figures."""
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    plt.rcParams.update(STYLE)
    set_matplotlib_formats("svg")


def panels(rows: int, cols: int, height: float = 3.2, **options) -> tuple[Figure, list]:
    """A figure as wide as the page with rows × cols Axes, in a flat list."""
    figure, axes = plt.subplots(
        rows, cols, figsize=(7.2, height * rows), squeeze=False, **options
    )
    return figure, list(axes.flat)


def intervals(
    ax: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    role: str | Sequence[str] = "model",
) -> None:
    """One dot a label with its interval, labels from top to bottom.

    role: of all of them, or of each.
    """
    values, low, high = (np.asarray(a, float) for a in (values, low, high))
    places = np.arange(len(labels))[::-1]
    errors = np.stack([values - low, high - values]).clip(0)
    roles = np.array([role] * len(labels) if isinstance(role, str) else role)
    for each in dict.fromkeys(roles.tolist()):
        at = roles == each
        look = {"fmt": "o", "ms": 4.5, "color": PALETTE[each]}
        ax.errorbar(values[at], places[at], xerr=errors[:, at], **look)
    ax.set_yticks(places, labels)
    ax.grid(axis="y", alpha=0)


def squares(ax: Axes, is_on: np.ndarray, role: str) -> None:
    """A boolean matrix: one coloured square for each place that is on."""
    marks = np.ma.masked_array(np.ones(is_on.shape), ~is_on)
    ax.imshow(marks, cmap=ListedColormap([PALETTE[role]]), interpolation="nearest")
    ax.grid(False)


def band(
    ax: Axes,
    x: Sequence[float],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    role: str,
    label: str,
    style: str = "-",
) -> None:
    """A curve with its interval as a band."""
    ax.plot(x, values, style, color=PALETTE[role], label=label, marker="o", ms=3)
    ax.fill_between(x, low, high, color=PALETTE[role], alpha=0.2, lw=0)


def name_at(ax: Axes, x: float, y: float, text: str, role: str, **options) -> None:
    """A curve's name beside it, in its colour, in place of a legend."""
    ax.text(x, y, text, size=9.5, color=PALETTE[role], **options)


def floor_line(ax: Axes, value: float, label: str, role: str = "baseline") -> None:
    """A level line with its name at the right end: what a simpler solver scores."""
    ax.axhline(value, color=PALETTE[role], ls="--", lw=1.2)
    ax.text(
        0.995,
        value,
        f"{label} ",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="bottom",
        size=9,
        color=PALETTE[role],
    )


def heads(ax: Axes, values: np.ndarray, title: str = "") -> AxesImage:
    """A number from 0 to 1 for each head, [layers, heads], as a grid of squares."""
    layers, count = values.shape
    drawn = ax.imshow(values, cmap="Oranges", vmin=0, vmax=1, aspect="auto")
    ax.set(xticks=range(count), yticks=range(0, layers, 2), title=title)
    ax.grid(False)
    return drawn
