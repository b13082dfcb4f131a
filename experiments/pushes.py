"""Forks with a way that the path does not take, and what a push at them does.

    asked = decided(trained, mazes, leads=False, most=200)
    probes, spread, part = Read.of(trained, mazes)
    pushed(trained, asked, layer, moves, columns(trained, asked)).turns

`experiments.replanned` and `experiments.which_cells` move the residual stream at forks
along the probes of cells that the path comes to, and ask whether the choice turns.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from mazelib.behaviour.detours import steps_by, walks, way_cells
from mazelib.behaviour.evaluation import answered_cells, prompts
from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeSet
from mazelib.internals.lens import open_lens
from mazelib.internals.plans import PathSteps, future, path_steps
from mazelib.internals.probes import Probes, fit, parts_of
from mazelib.internals.streams import at_steps, streams_at
from mazelib.interventions import Change, steered_rollout
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.tokenizer import Sample

MAZES, COUNT, CHOSEN = 4000, 1000, 200
"""Test mazes, parted as those of the probes; forks to score, and to choose the layer
and the length on, at most."""
MORE = 8000
"""More mazes that are looked through for forks to score."""
CELLS, SHORTEST = 4, 2
"""How many cells of each way the probes are of, at most and at least."""
LENGTHS = (1.0, 2.0, 4.0)
"""How far the stream is moved, in units of its own variation."""
LONGER, AT_MOST = 2, 2.0
"""In mazes with cycles: by how many steps the other way is longer at least, and how
many times as long at most."""


class Asked(NamedTuple):
    """Forks, one a maze, and the first cell of the way that the path does not take."""

    mazes: MazeSet
    steps: PathSteps
    other: Int[np.ndarray, "forks"]

    def __iter__(self) -> Iterator[tuple[Sample, int, int]]:
        """Each fork's sample, step and other way."""
        facts = zip(
            self.mazes, self.steps.step.tolist(), self.other.tolist(), strict=True
        )
        return iter(facts)

    def those(self, kept: np.ndarray) -> "Asked":
        """Some of them."""
        steps = PathSteps(np.arange(kept.sum()), self.steps.step[kept])
        return Asked(self.mazes[kept], steps, self.other[kept])


def other_ways(sample: Sample) -> list[tuple[int, int]]:
    """The forks with two ways on, and the other way, where it can be told to be walked.

    Two cells long and more; if it leads to the target, longer than the path, but not by
    too much.
    """
    path, found = sample.path.tolist(), []
    for step in sample.maze.forks(sample.path).tolist():
        ways, left = ways_on(sample.maze, path, step), len(path) - 1 - step
        if len(ways) != 2 or left < SHORTEST:
            continue
        other = sum(ways) - path[step + 1]
        length = steps_by(sample, step, other)
        fits = length is None or left + LONGER <= length <= AT_MOST * left
        if fits and len(way_cells(sample, step, other, CELLS)) >= SHORTEST:
            found.append((step, other))
    return found


def asked_of(mazes: MazeSet, leads: bool) -> Asked:
    """One fork of each maze that has one; leads: only ways that lead to the target."""
    rng, rows = np.random.default_rng(0), []
    for at, sample in enumerate(mazes):
        found = other_ways(sample)
        if leads:
            found = [way for way in found if steps_by(sample, *way) is not None]
        if found:
            rows.append((at, *found[rng.integers(len(found))]))
    maze, step, other = np.array(rows, int).reshape(-1, 3).T
    return Asked(mazes[maze], PathSteps(np.arange(len(maze)), step), other)


def answers(
    trained: TrainedModel, asked: Asked, changes: Sequence[Change] = ()
) -> list[list[int]]:
    """What is answered from each fork on, with the stream changed."""
    tokenizer, n = trained.tokenizer, asked.mazes.n
    begun, places = prompts(asked.mazes, tokenizer), asked.mazes.offset.tolist()
    given = []
    for ids, (sample, step, _), place in zip(begun, asked, places, strict=True):
        cells = tokenizer.place(n, tuple(place))[:, 0]
        given.append(np.concatenate([ids, cells[sample.path[: step + 1]]]))
    found = steered_rollout(trained, given, changes)
    return [
        answered_cells(answer, tokenizer, n, tuple(place))
        for answer, place in zip(found, places, strict=True)
    ]


def columns(trained: TrainedModel, asked: Asked) -> Int[np.ndarray, "forks"]:
    """The column of each fork's token."""
    lengths = [len(ids) for ids in prompts(asked.mazes, trained.tokenizer)]
    return np.array(lengths) + asked.steps.step


class Pushed(NamedTuple):
    """What becomes of forks: does the choice turn, and is the other way walked?"""

    turns: np.ndarray
    walks: np.ndarray


def pushed(
    trained: TrainedModel,
    asked: Asked,
    layer: int,
    move: Float[np.ndarray, "forks width"],
    column: Int[np.ndarray, "forks"],
) -> Pushed:
    """What becomes of forks when the stream is moved at a token of each."""
    change = Change(layer, torch.from_numpy(move).float(), where=column)
    found = list(zip(asked, answers(trained, asked, [change]), strict=True))
    turned = [answer[:1] == [other] for (_, _, other), answer in found]
    walked = [walks(*fork, answer) for fork, answer in found]
    return Pushed(np.array(turned), np.array(walked))


def unit(move: Float[np.ndarray, "*some width"]) -> Float[np.ndarray, "*some width"]:
    """Directions of length 1."""
    return move / np.linalg.norm(move, axis=-1, keepdims=True)


def goes_right(trained: TrainedModel, asked: Asked) -> np.ndarray:
    """At which forks the model takes the path's own way."""
    found = zip(asked, answers(trained, asked), strict=True)
    return np.array([a[:1] == [int(s.path[step + 1])] for (s, step, _), a in found])


def decided(trained: TrainedModel, mazes: MazeSet, leads: bool, most: int) -> Asked:
    """The first forks of mazes, at most so many, that the model decides rightly."""
    asked = asked_of(mazes, leads)
    kept = np.flatnonzero(goes_right(trained, asked))[:most]
    return asked.those(np.isin(np.arange(len(asked.other)), kept))


class Read(NamedTuple):
    """Probes of the cells that the path comes to, and how far the stream varies.

    Both at forks, by layer; and the part of each of the mazes that they are of.
    """

    probes: Probes
    spread: Float[np.ndarray, "layers"]
    part: Int[np.ndarray, "mazes"]

    @classmethod
    def of(cls, trained: TrainedModel, mazes: MazeSet) -> "Read":
        """Those of a model, fitted on some of the mazes."""
        steps, part = path_steps(mazes, "fork"), parts_of(mazes)
        streams = streams_at(open_lens(trained), mazes, {"": at_steps(steps)})[""]
        probes = fit(streams, future(mazes, steps, least=1), part[steps.maze])
        return cls(probes, np.sqrt(streams.var(1).sum(-1)), part)


def tried_at(
    trained: TrainedModel,
    asked: Asked,
    moves: Float[np.ndarray, "layers forks width"],
    spread: Float[np.ndarray, "layers"],
) -> dict[tuple[int, float], Pushed]:
    """What becomes of forks, moved after each layer, and at each of `LENGTHS`."""
    at = columns(trained, asked)
    return {
        (layer, size): pushed(
            trained, asked, layer, size * spread[layer] * moves[layer], at
        )
        for layer in range(len(spread))
        for size in LENGTHS
    }
