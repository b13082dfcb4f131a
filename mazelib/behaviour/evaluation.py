"""A model on a set of mazes: one row a maze, and the row of their means.

table = evaluate(trained.model, trained.tokenizer, mazes)     # pandas
summary(table)["exact"], summary(table)["exact_ci"]
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int
from transformers import PreTrainedModel

from mazelib.behaviour import metrics
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import wilson
from mazelib.tokens.tokenizer import Edges, Tokenizer
from mazelib.training.validation import teacher_forced


def prompts(
    mazes: MazeSet, tokenizer: Tokenizer, edges: Sequence[Edges] | None = None
) -> list[np.ndarray]:
    """Each maze's ids up to <PATH_START>, its list as `edges` has it or its key."""
    facts = zip(
        mazes,
        mazes.key.tolist(),
        [None] * len(mazes) if edges is None else edges,
        mazes.offset.tolist(),
        strict=True,
    )
    return [
        tokenizer.encode(*sample[:3], key=key, edges=pairs, offset=tuple(offset))
        for sample, key, pairs, offset in facts
    ]


def predicted_paths(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    mazes: MazeSet,
    progress: bool = False,
    edges: Sequence[Edges] | None = None,
) -> list[list[int]]:
    """The cells of each maze's rollout (see `answered_cells`)."""
    asked = prompts(mazes, tokenizer, edges)
    answers = rollout(model, tokenizer, asked, progress=progress)
    return [
        answered_cells(answer, tokenizer, mazes.n, tuple(offset))
        for answer, offset in zip(answers, mazes.offset.tolist(), strict=True)
    ]


def answered_cells(
    answer: Int[np.ndarray, "answer"],
    tokenizer: Tokenizer,
    n: int,
    offset: tuple[int, int] = (0, 0),
) -> list[int]:
    """The cells that an answer's ids begin with (see `Tokenizer.leading_cells`).

    A last `NO_END` says that they are followed by something other than <PATH_END>.
    """
    path = tokenizer.leading_cells(answer, n, offset)
    after = answer[len(path) * tokenizer.cell_width :].tolist()
    return path if after == [tokenizer.id_of["<PATH_END>"]] else [*path, metrics.NO_END]


def next_cells(
    likeliest: list[np.ndarray], tokenizer: Tokenizer, mazes: MazeSet
) -> list[list[int]]:
    """The cell a model would go to at each step of each true path, given its start.

    likeliest: ids at each path's places, teacher-forced, so that wrong steps do not add
    up (see `mazelib.training.validation`). A step to anything but a cell of the maze is
    -1. In the scheme of pairs each token of a cell is the likeliest given the true ones
    before it, in that cell too.
    """
    choices = []
    for ids, offset in zip(likeliest, mazes.offset.tolist(), strict=True):
        steps = ids[tokenizer.cell_width : -1].reshape(-1, tokenizer.cell_width)
        cells = [tokenizer.leading_cells(s, mazes.n, tuple(offset)) for s in steps]
        choices.append([cell[0] if cell else -1 for cell in cells])
    return choices


def next_sure(probability: list[np.ndarray], tokenizer: Tokenizer) -> list[list[float]]:
    """The probability of each cell in `next_cells`: the product over its tokens."""
    width = tokenizer.cell_width
    return [p[width:-1].reshape(-1, width).prod(1).tolist() for p in probability]


class Answers(NamedTuple):
    """What a model answers to mazes, one item a maze: all that `scored` scores.

    paths: the cells of its rollout (see `answered_cells`). chosen: those it would go to
    on the true path (`next_cells`). sure: the probability it gives them (`next_sure`).
    """

    paths: list[list[int]]
    chosen: list[list[int]]
    sure: list[list[float]]


def answers(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    mazes: MazeSet,
    progress: bool = False,
    edges: Sequence[Edges] | None = None,
) -> Answers:
    """A model's answers; `edges` as for `evaluate`.

    Only the mazes whose path is not the likeliest, token by token, are rolled out.
    """
    likeliest, sure, right = teacher_forced(model, tokenizer, mazes, edges=edges)
    paths = [sample.path.tolist() for sample in mazes]
    wrong = np.flatnonzero(~right)
    lists = None if edges is None else [edges[index] for index in wrong]
    rolled = predicted_paths(model, tokenizer, mazes[wrong], progress, lists)
    for index, path in zip(wrong, rolled, strict=True):
        paths[index] = path
    chosen = next_cells(likeliest, tokenizer, mazes)
    return Answers(paths, chosen, next_sure(sure, tokenizer))


def scored(mazes: MazeSet, given: Answers) -> pd.DataFrame:
    """The table of `evaluate`, from the answers that were given."""
    table = metrics.measured(mazes, given.paths)
    table["forks_right"] = list(map(metrics.forks_right, mazes, given.chosen))
    table["forks_rolled"] = list(map(metrics.forks_rolled, mazes, given.paths))
    table["next_cells"], table["next_sure"] = given.chosen, given.sure
    table["predicted"] = given.paths
    return table


def evaluate(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    mazes: MazeSet,
    progress: bool = False,
    edges: Sequence[Edges] | None = None,
) -> pd.DataFrame:
    """One row a maze: all of `mazelib.behaviour.metrics`, what was predicted, and how.

    Columns: `RATES`, `FAULTS`, `first_error`, `excess_length`; `steps` of the true
    path; `forks_right`, given the true path so far, and `forks_rolled`, in the rollout,
    lists of bools; `next_cells`, those the model would choose on the true path, and
    `next_sure`, the probability it gives them; `predicted`.
    edges: each maze's list, where it is not in the order of its own key.
    """
    return scored(mazes, answers(model, tokenizer, mazes, progress, edges))


def summary(table: pd.DataFrame) -> dict:
    """The means of a table's rates, n, the Wilson interval of `exact`, fork accuracy.

    Fork accuracy pools the forks of all mazes; None where there is not one.
    """
    n = len(table)
    return {
        "n": n,
        "exact": float(table["exact"].mean()),
        "exact_ci": list(wilson(int(table["exact"].sum()), n)),
        **{name: float(table[name].mean()) for name in list(metrics.RATES)[1:]},
        "fork_accuracy": metrics.pooled_rate(table["forks_right"]),
        "forks": int(table["forks_right"].str.len().sum()),
    }
