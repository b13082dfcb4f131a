"""What a reader can click on: attention patterns, and a maze that a model answers.

    AttentionViewer(tokens, pattern)                       # pattern: [heads, pos, pos]
    LiveMaze(mazes[:1], "dfs5", show="head", layer=5)      # see book/live

Neither asks the network. CircuitsVis draws the patterns (1.43,
github.com/TransformerLensOrg/CircuitsVis); by itself it would ask the network first. A
notebook gets its script with each viewer. The book, which sets the environment variable
MAZELIB_BOOK while it runs the chapters, has it once as a file of its own, and its
viewers load it from there. Patterns are drawn when they come into view, since drawing
takes seconds. Live mazes run in the book alone; elsewhere they are pictures.
"""

import base64
import hashlib
import html
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.evidence.records import BOOK
from mazelib.mazes.drawing import Cells

SCRIPT = "circuitsvis/iife.js"
"""Where the book has CircuitsVis' script, from its root."""
SHADES = 255
"""Attention is shown in steps of one over this."""

RENDER = """
(() => {
  const render = () => {
    const bytes = Uint8Array.from(atob("%(shades)s"), c => c.charCodeAt(0));
    const side = %(side)d, rows = [];
    for (let at = 0; at < bytes.length; at += side)
      rows.push(Array.from(bytes.subarray(at, at + side), b => b / %(most)d));
    const attention = [];
    while (rows.length) attention.push(rows.splice(0, side));
    const props = {...%(props)s, attention};
    CircuitsVis.render("%(id)s", CircuitsVis.AttentionHeads, props);
  };
  const load = () => {
    if (window.CircuitsVis) return render();
    const root = document.documentElement.dataset.content_root || "";
    window.circuitsVisLoaded ||= new Promise(done => {
      const script = document.createElement("script");
      script.src = root + "%(script)s";
      script.onload = done;
      document.head.append(script);
    });
    window.circuitsVisLoaded.then(render);
  };
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    load();
  }).observe(document.getElementById("%(id)s"));
})();
"""


def script_file() -> Path:
    """CircuitsVis' script, in the package as it is installed."""
    package = distribution("circuitsvis")
    return Path(package.locate_file("circuitsvis/dist/cdn/iife.js"))


def inline(script: str) -> str:
    """A script without what would end it early inside a page's <script>."""
    return script.replace("</script", "<\\/script")


@dataclass(frozen=True)
class AttentionViewer:
    """The attention of some heads on one sequence.

    Raises MazelibError if the pattern does not fit the tokens, or the names the heads.
    """

    tokens: Sequence[str]
    pattern: Float[np.ndarray, "heads pos pos"]
    names: Sequence[str] | None = None

    def __post_init__(self):
        heads, *sides = self.pattern.shape
        if sides != [len(self.tokens)] * 2:
            raise MazelibError(
                f"the pattern is {sides[0]} by {sides[1]}, but there are "
                f"{len(self.tokens)} tokens"
            )
        if self.names is not None and len(self.names) != heads:
            raise MazelibError(f"{len(self.names)} names for {heads} heads")

    def _repr_html_(self) -> str:
        names = self.names or [f"head {h}" for h in range(len(self.pattern))]
        shades = np.rint(np.clip(self.pattern, 0, 1) * SHADES).astype(np.uint8)
        identity = "cv-" + hashlib.sha256(shades.tobytes()).hexdigest()[:12]
        props = {"tokens": list(self.tokens), "attentionHeadNames": list(names)}
        script = RENDER % {
            "shades": base64.b64encode(shades.tobytes()).decode(),
            "side": len(self.tokens),
            "most": SHADES,
            "props": json.dumps(props).replace("<", "\\u003c"),
            "id": identity,
            "script": SCRIPT,
        }
        if BOOK not in os.environ:  # the page may not be able to reach any file
            script = inline(script_file().read_text(encoding="utf-8")) + script
        label = f"Attention of {', '.join(names)} over {len(self.tokens)} tokens"
        return (
            f'<div id="{identity}" class="cv-figure" role="group" '
            f'aria-label="{html.escape(label, quote=True)}"></div>'
            f"<script>{script}</script>"
        )

    def __repr__(self) -> str:
        return f"AttentionViewer of {self.pattern.shape[0]} heads, to be seen as HTML"


def passage_bits(mazes: MazeSet) -> list[str]:
    """The passages of mazes in hexadecimal: to the right row by row, then down."""
    parts = (mazes.right, mazes.down)
    bits = np.concatenate([part.reshape(len(mazes), -1) for part in parts], 1)
    digits = bits.shape[1] // 4
    return [row.tobytes().hex()[:digits] for row in np.packbits(bits, axis=1)]


class LiveMaze:
    """A maze that the book's reader changes, and the model of the page answers.

    maze: one, with the question and the order of the list that it has there. model: its
    name in the zoo. answer: what it printed, which the page draws before the model is
    loaded. shown: what is drawn over the maze at first, and what is changed, by the
    names of `FORMS` in book/live/state.js, such as show="head", layer=5.

    Raises MazelibError for more mazes than one, or one that is not in the corner of the
    vocabulary's grid, where the page has them.
    """

    def __init__(
        self, maze: MazeSet, model: str, answer: Cells = (), **shown: str | int
    ):
        if len(maze) != 1 or maze.offset.any():
            raise MazelibError(
                f"{len(maze)} mazes at offsets {maze.offset.tolist()}: give one, at 0"
            )
        self.maze, self.model, self.answer = maze, model, list(map(int, answer))
        self.shown = shown

    @property
    def state(self) -> str:
        """All that the page begins with, as an address of the page has it."""
        sample = self.maze[0]
        facts = {
            "model": self.model,
            "n": sample.maze.n,
            "m": passage_bits(self.maze)[0],
        }
        facts |= {"o": sample.origin, "t": sample.target, "key": int(self.maze.key[0])}
        facts |= self.shown
        return "_".join(f"{name}_{value}" for name, value in facts.items())

    def _repr_html_(self) -> str:
        drawn = self.maze[0].draw(self.answer or None)
        told = "In the built book this maze can be changed, and the model asked, here."
        answer = ".".join(map(str, self.answer))
        return (
            f'<div class="live" data-state="{html.escape(self.state, quote=True)}" '
            f'data-answer="{answer}">{drawn._repr_html_()}<p>{told}</p></div>'
        )

    def __repr__(self) -> str:
        return str(self.maze[0].draw(self.answer or None))
