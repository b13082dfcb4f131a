"""The ways on at forks, as tokens: what a lens says of each of them, layer by layer.

    forks = Forks(mazes, lens.tokenizer)
    streams = streams_at(lens, mazes, {"": at_steps(forks.steps)})[""]
    logits = read_out(lens, streams)
    forks.chances(logits)               # [layers + 1, ways]: how they share the chances
    forks.decided_in(logits)            # [forks]: the layer that decides each

For models with one token a cell.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from mazelib.behaviour.forks import depth_beyond, fork_table, ways_on
from mazelib.dataset.stream import MazeSet
from mazelib.internals.logit_lens import settled
from mazelib.internals.plans import PathSteps, cell_at, path_steps
from mazelib.internals.probes import groups_of
from mazelib.tokens.tokenizer import Tokenizer


def way_table(mazes: MazeSet, steps: PathSteps) -> pd.DataFrame:
    """One row a way on; `fork` counts the forks, `depth` is of what it leads to."""
    rows = []
    for fork, (at, step) in enumerate(np.stack(steps, 1).tolist()):
        maze, _, _, path = mazes[at]
        cells = path.tolist()
        for way in ways_on(maze, cells, step):
            is_right = way == cells[step + 1]
            rows.append((fork, way, is_right, depth_beyond(maze, cells[step], way)))
    return pd.DataFrame(rows, columns=["fork", "cell", "right", "depth"])


def token_of(
    mazes: MazeSet, maze: Int[np.ndarray, "cells"], cell, tokenizer: Tokenizer
) -> Int[np.ndarray, "cells"]:
    """The token of each cell, in a model with one token a cell."""
    row, col = np.divmod(np.asarray(cell), mazes.n)
    place = mazes.offset[maze] + np.stack([row, col], 1)
    return tokenizer.cell_ids[place[:, 0] * tokenizer.side + place[:, 1], 0]


class Forks:
    """The forks of mazes, with what makes them hard, and their ways on.

    steps: where they are. table: see `mazelib.behaviour.forks.fork_table`. maze, group:
    of each; a group is of mazes that are equal up to symmetry. ways: one row a way on
    of a fork. right: the token of each fork's right way.
    """

    def __init__(self, mazes: MazeSet, tokenizer: Tokenizer):
        self.steps = path_steps(mazes, "fork")
        self.table = fork_table(mazes)
        self.maze = self.steps.maze
        self.group = groups_of(mazes)[self.maze]
        self.ways = way_table(mazes, self.steps)
        maze = self.maze[self.ways["fork"]]
        self.ways["token"] = token_of(mazes, maze, self.ways["cell"], tokenizer)
        right = cell_at(mazes, self.steps, 1)
        self.right = token_of(mazes, self.maze, right, tokenizer)

    def leads(
        self, logits: Float[np.ndarray, "layers forks ids"]
    ) -> Float[np.ndarray, "layers ways"]:
        """The logit of a fork's right way less that of each of its ways."""
        fork, token = self.ways["fork"].to_numpy(), self.ways["token"].to_numpy()
        return logits[:, fork, self.right[fork]] - logits[:, fork, token]

    def decided_in(
        self, logits: Float[np.ndarray, "layers forks ids"]
    ) -> Int[np.ndarray, "forks"]:
        """From which layer on the right way leads all the others for good."""
        wrong = ~self.ways["right"].to_numpy()
        fork = self.ways["fork"].to_numpy()[wrong]
        worst = np.full((len(logits), len(self.right)), np.inf)
        for layer, leads in zip(worst, self.leads(logits)[:, wrong], strict=True):
            np.minimum.at(layer, fork, leads)
        return settled(worst)

    def chances(
        self, logits: Float[np.ndarray, "layers forks ids"]
    ) -> Float[np.ndarray, "layers ways"]:
        """What share of the chances of all its legal ways a fork gives to each."""
        fork, token = self.ways["fork"].to_numpy(), self.ways["token"].to_numpy()
        weight = np.exp(logits[:, fork, token] - logits.max(2)[:, fork])
        total = np.zeros((len(logits), len(self.steps.maze)))
        for layer, some in zip(total, weight, strict=True):
            np.add.at(layer, fork, some)
        return weight / total[:, fork]
