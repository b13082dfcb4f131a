"""Pictures of mazes, in colours keyed by role: SVG for a notebook, text for a terminal.

In: anything with `n`, `right[n, n - 1]` and `down[n - 1, n]` (a
`mazelib.mazes.maze.Maze`), cells, and paths as sequences of cells. Out: strings. No
plotting library is needed.

    Drawing(maze, origin=0, target=8, path=[0, 1, 2, 5, 8]).svg
    Gallery([Drawing(a), Drawing(b)])                # several, side by side
    ColouredTokens(["(0,1)", "<PATH_END>"], ["path", "path"])
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int

Cells = Sequence[int] | Int[np.ndarray, "path"]
"""A path: cells, origin first."""

PALETTE = {
    "origin": "#009E73",
    "target": "#D55E00",
    "path": "#2B7BBA",
    "wall": "#7B7B7B",
    "model": "#E69F00",
    "baseline": "#CC79A7",
    "control": "#8C8C8C",
}
"""One colour a role: after Okabe and Ito (2008), told apart by colour-blind readers,
with contrast on white and on the dark theme's page alike."""

PAGE = "var(--pst-color-background, var(--jp-layout-color0, white))"
"""The colour of the page that a picture stands on: the book's, or JupyterLab's."""

UNIT = 24
"""SVG user units along the side of a cell."""


ASCII = str.maketrans("┼─│·", "+-|.")
"""A picture's signs in ASCII, for a terminal that has no others."""


def on_grid(cells: Cells | None) -> list[int]:
    """A path's cells without the -1 that stand for what is no cell of the maze."""
    return [] if cells is None else [int(cell) for cell in cells if cell >= 0]


@dataclass(frozen=True)
class Drawing:
    """A maze with, where given, its origin, target, true path and a predicted path.

    shade: a number from 0 to 1 for each cell, how strongly it is coloured. labels: what
    stands in a cell, by its number.
    """

    maze: object
    origin: int | None = None
    target: int | None = None
    path: Cells | None = None
    predicted: Cells | None = None
    title: str = ""
    shade: Sequence[float] | None = None
    labels: Mapping[int, str] = field(default_factory=dict)

    @property
    def svg(self) -> str:
        """The picture as an SVG element, which names its title and its two ends."""
        n = self.maze.n
        side = n * UNIT + 4
        said = ": ".join(filter(None, [self.title, self._describe()]))
        label = html.escape(said, quote=True)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {side} {side}" '
            f'width="{min(side, 320)}" role="img" aria-label="{label}">',
            f"<title>{label}</title>",
            *self._shades(),
            self._walls(),
        ]
        if self.path is not None:
            parts.append(self._line(self.path, PALETTE["path"], 7, -1.5, ""))
        if self.predicted is not None:
            dashes = ' stroke-dasharray="6 4"' if self.path is not None else ""
            parts.append(self._line(self.predicted, PALETTE["model"], 3.5, 1.5, dashes))
        parts += self._ends() + self._labels()
        return "".join(parts) + "</svg>"

    def _describe(self) -> str:
        ends = [
            f"{name} {divmod(int(cell), self.maze.n)}"
            for name, cell in (("origin", self.origin), ("target", self.target))
            if cell is not None
        ]
        return f"{self.maze.n} by {self.maze.n} maze" + "".join(f", {e}" for e in ends)

    def _shades(self) -> list[str]:
        shades = enumerate(() if self.shade is None else self.shade)
        corners = ((divmod(cell, self.maze.n), shade) for cell, shade in shades)
        return [
            f'<rect x="{col * UNIT}" y="{row * UNIT}" width="{UNIT}" height="{UNIT}" '
            f'fill="{PALETTE["model"]}" fill-opacity="{shade:.3f}"/>'
            for (row, col), shade in corners
            if shade >= 0.005
        ]

    def _walls(self) -> str:
        n, u = self.maze.n, UNIT
        lines = [f"M0 0H{n * u}V{n * u}H0Z"]
        for row in range(n):
            for col in range(n):
                if col < n - 1 and not self.maze.right[row, col]:
                    lines.append(f"M{(col + 1) * u} {row * u}v{u}")
                if row < n - 1 and not self.maze.down[row, col]:
                    lines.append(f"M{col * u} {(row + 1) * u}h{u}")
        return (
            f'<path d="{"".join(lines)}" fill="none" stroke="{PALETTE["wall"]}" '
            'stroke-width="2.5" stroke-linecap="round"/>'
        )

    def _centre(self, cell: int) -> tuple[float, float]:
        row, col = divmod(int(cell), self.maze.n)
        return (col + 0.5) * UNIT, (row + 0.5) * UNIT

    def _line(self, cells, colour: str, width: float, shift: float, extra: str) -> str:
        points = " ".join(
            f"{x + shift:g},{y + shift:g}" for x, y in map(self._centre, on_grid(cells))
        )
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}" stroke-linejoin="round" '
            f'stroke-linecap="round"{extra}/>'
        )

    def _ends(self) -> list[str]:
        parts = []
        if self.origin is not None:
            x, y = self._centre(self.origin)
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="7" fill="{PALETTE["origin"]}"/>'
            )
        if self.target is not None:
            x, y = self._centre(self.target)
            parts.append(
                f'<path d="M{x - 6} {y - 6}l12 12m0 -12l-12 12" '
                f'stroke="{PALETTE["target"]}" stroke-width="4.5" fill="none" '
                'stroke-linecap="round"/>'
            )
        return parts

    def _labels(self) -> list[str]:
        """At the top of their cells, in the page's own colours."""
        look = (
            'font-size="6" text-anchor="middle" fill="currentColor" '
            f'paint-order="stroke" style="stroke:{PAGE};stroke-width:2px"'
        )
        at = ((*self._centre(cell), said) for cell, said in self.labels.items())
        return [
            f'<text x="{x}" y="{y - 7.5}" {look}>{html.escape(said)}</text>'
            for x, y, said in at
        ]

    @property
    def text(self) -> str:
        """The picture in characters: O origin, X target, · path, + predicted path.

        Where both paths run, or where the prediction meets an end, the end or + shows.
        """
        n = self.maze.n
        marks = [" "] * (n * n)
        for cells, mark in ((self.path, "·"), (self.predicted, "+")):
            for cell in on_grid(cells):
                marks[cell] = mark
        for cell, mark in ((self.origin, "O"), (self.target, "X")):
            if cell is not None:
                marks[int(cell)] = mark
        lines = ["┼" + "───┼" * n]
        for row in range(n):
            line, below = "│", "┼"
            for col in range(n):
                wall_right = col == n - 1 or not self.maze.right[row, col]
                wall_below = row == n - 1 or not self.maze.down[row, col]
                line += f" {marks[row * n + col]} " + ("│" if wall_right else " ")
                below += ("───" if wall_below else "   ") + "┼"
            lines += [line, below]
        return "\n".join(lines)

    def text_in(self, encoding: str | None) -> str:
        """`text`, in ASCII where `encoding` cannot write its signs (None: it can)."""
        try:
            self.text.encode(encoding or "utf-8")
        except UnicodeEncodeError:
            return self.text.translate(ASCII)
        return self.text

    def _repr_html_(self) -> str:
        return f'<figure style="margin:0.5em 0">{self.svg}</figure>'

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Gallery:
    """Drawings side by side, each under its title, wrapping on a narrow page."""

    drawings: Sequence[Drawing]
    width: int = 150

    def _repr_html_(self) -> str:
        figures = "".join(
            f'<figure style="margin:0;width:{self.width}px">'
            f'<figcaption style="font-size:0.85em;margin:0 0 0.3em">'
            f"{html.escape(d.title)}</figcaption>"
            + d.svg.replace("<svg ", '<svg style="width:100%;height:auto" ', 1)
            + "</figure>"
            for d in self.drawings
        )
        style = "display:flex;flex-wrap:wrap;align-items:flex-end;gap:1em 1.4em"
        return f'<div style="{style}">{figures}</div>'

    def __repr__(self) -> str:
        return "\n\n".join(f"{d.title}\n{d.text}" for d in self.drawings)


@dataclass(frozen=True)
class ColouredTokens:
    """A token sequence with a coloured line under each token, by its role.

    roles: one a token, each a key of `PALETTE`.
    """

    tokens: Sequence[str]
    roles: Sequence[str]

    def _repr_html_(self) -> str:
        spans = " ".join(
            f'<span style="white-space:nowrap;border-bottom:3px solid {PALETTE[role]}">'
            f"{html.escape(token)}</span>"
            for token, role in zip(self.tokens, self.roles, strict=True)
        )
        style = "font-family:monospace;font-size:0.8em;line-height:1.9"
        return f'<div style="{style};overflow-wrap:anywhere">{spans}</div>'

    def __repr__(self) -> str:
        return " ".join(self.tokens)


@dataclass(frozen=True)
class Beside:
    """Two pictures side by side, one under the other on a narrow page."""

    left: Drawing | ColouredTokens
    right: Drawing | ColouredTokens

    def _repr_html_(self) -> str:
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
            f"<div>{self.left._repr_html_()}</div>"
            f'<div style="flex:1 1 16em">{self.right._repr_html_()}</div></div>'
        )

    def __repr__(self) -> str:
        return f"{self.left}\n\n{self.right}"
