"""Answers that were asked for once and kept: scored again without asking the model.

    table = stored.evaluate(trained, mazes)      # as evaluation.evaluate

Asking a model thousands of mazes takes minutes, scoring what it answered a moment. The
answers lie in data/results/answers, one Parquet file for each set of mazes and model,
and are found by what was asked: a hash of the weights, the vocabulary and the mazes.
Where there are none, as for another model or other mazes, the model is asked. A few
mazes are asked again in any case, so that answers cannot outlive the code that gave
them. `make answers` asks everything anew.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple
from warnings import warn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedModel

from mazelib.behaviour import evaluation
from mazelib.behaviour.evaluation import Answers
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.evidence.records import RESULTS
from mazelib.evidence.tables import read_table
from mazelib.files import replacing, writing
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.tokenizer import Edges, Tokenizer

ANSWERS = RESULTS / "answers"
ERRORS = "errors.json"
"""The table of what models fail, made by `python -m experiments.errors`."""
KEEP = "MAZELIB_KEEP_ANSWERS"
"""The environment variable with which answers that are not there yet are kept."""
FEWEST = 50
"""Sets of fewer mazes are asked each time; keeping those would save nothing."""
ASKED_AGAIN = 10
"""Mazes of a set that are asked again."""
MAY_DIFFER = 1
"""How many of those may be answered otherwise: processors round apart, and now and
then the two likeliest cells are as good as equally likely."""

CELLS = pa.list_(pa.int16())
SCHEMA = pa.schema(
    {"paths": CELLS, "chosen": CELLS, "sure": pa.list_(pa.float32())},
)


class Decided(NamedTuple):
    """Which mazes of a set a model solves exactly, and which of their forks go right.

    Forks are in the order of `forks.fork_table`.
    """

    exact: np.ndarray
    forks: np.ndarray


def decided(model: str, kind: str) -> Decided:
    """What a model gets right of a set of mazes, from the table of errors.

    Raises MazelibError if the model was not asked about that set.
    """
    rows = {(row["model"], row["set"]): row for row in read_table(ERRORS)["rows"]}
    if (model, kind) not in rows:
        known = ", ".join(of for name, of in rows if name == model) or "none"
        raise MazelibError(
            f"{ERRORS} says nothing of {model} on {kind!r}, only on: {known}: "
            "take one of those, or another model"
        )
    row = rows[model, kind]
    exact, right = np.ones(row["mazes"], bool), np.ones(row["forks"], bool)
    exact[row["failed"]] = right[row["wrong_forks"]] = False
    return Decided(exact, right)


def evaluate(
    trained: TrainedModel,
    mazes: MazeSet,
    edges: Sequence[Edges] | None = None,
    progress: bool = False,
):
    """The table of `evaluation.evaluate`, from stored answers where there are some.

    Raises MazelibError for a file of answers that cannot be read.
    """
    return evaluation.scored(mazes, answers(trained, mazes, edges, progress))


def answers(
    trained: TrainedModel,
    mazes: MazeSet,
    edges: Sequence[Edges] | None = None,
    progress: bool = False,
) -> Answers:
    """What a model answers: as `evaluation.answers`, stored where it was; see there."""
    model, tokenizer = trained.model, trained.tokenizer
    path = ANSWERS / f"{key(model, tokenizer, mazes, edges)}.parquet"
    if path.is_file():
        found = read(path)
        if hold(found, trained, mazes, edges):
            return found
        warn(
            f"{path.name} does not hold what the model answers now, so it is asked "
            f"all {len(mazes)} mazes again: make answers",
            stacklevel=2,
        )
    given = evaluation.answers(model, tokenizer, mazes, progress, edges)
    if KEEP in os.environ and len(mazes) >= FEWEST:
        write(path, given)
    return given


def key(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    mazes: MazeSet,
    edges: Sequence[Edges] | None = None,
) -> str:
    """A hash of all that the answers follow from: the weights and what is asked."""
    digest = hashlib.sha256(repr(tokenizer).encode())
    arrays = {name: x.cpu().numpy() for name, x in model.state_dict().items()}
    arrays |= {field.name: getattr(mazes, field.name) for field in fields(mazes)}
    arrays |= {f"edges {i}": pairs for i, pairs in enumerate(edges or ())}
    for name, array in arrays.items():
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:24]


def hold(
    found: Answers,
    trained: TrainedModel,
    mazes: MazeSet,
    edges: Sequence[Edges] | None = None,
) -> bool:
    """Does the model answer some of the mazes, asked again, as it did?"""
    if len(found.paths) != len(mazes):
        return False
    some = np.linspace(0, len(mazes) - 1, min(ASKED_AGAIN, len(mazes)), dtype=int)
    lists = None if edges is None else [edges[i] for i in some]
    now = evaluation.answers(trained.model, trained.tokenizer, mazes[some], edges=lists)
    same = [
        found.paths[i] == path and found.chosen[i] == cells
        for i, path, cells in zip(some, now.paths, now.chosen, strict=True)
    ]
    return len(some) - sum(same) <= MAY_DIFFER


def write(path: Path, given: Answers) -> None:
    """Write answers to a file, whole or not at all."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            table = pa.table(given._asdict(), SCHEMA)
            pq.write_table(
                table, temporary, compression="zstd", write_page_checksum=True
            )


def read(path: Path) -> Answers:
    """The answers of a file. Raises MazelibError if it cannot be read."""
    try:
        table = pq.read_table(path, schema=SCHEMA, page_checksum_verification=True)
        return Answers(*(table[name].to_pylist() for name in SCHEMA.names))
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise MazelibError(
            f"{path} is damaged ({reason}): restore it, or remove it and run the "
            "chapter again"
        ) from None
