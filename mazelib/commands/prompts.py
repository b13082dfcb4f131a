"""Prompts as they come on standard input: a line each, in batches, with its grid.

    for questions in PromptReader(trained, grid=None, trained_on=None).batches(stream):
        answers = rollout(model, tokenizer, [q.ids for q in questions])

A line is a prompt up to <PATH_START>, or one with its path; blank lines are skipped. A
line that is neither ends the reading, with an error that names it, after the lines
before it.
"""

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, TextIO

import numpy as np

from mazelib.behaviour.rollout import answer_bound
from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.parsing import TokenError
from mazelib.tokens.tokenizer import Edges, Sample, Tokenizer

BATCH = 256
"""Most prompts in a batch."""
LONGEST = 2**20
"""Bytes in the longest line: four times those of the largest maze that has tokens."""


class Question(NamedTuple):
    """A prompt's ids, and its sample, whose path is None if the line had none."""

    ids: np.ndarray
    sample: Sample


def is_absent(stream: TextIO | None) -> bool:
    """Is this a terminal, the null device or nothing, so that no prompts come?"""
    if stream is None or stream.isatty():
        return True
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))
    except OSError:
        return False


def line_batches(stream: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """Lines with their numbers, as many as are there, at most BATCH at a time.

    Raises MazelibError for a line without end, or what cannot be read.
    """
    rest, count, chunk = b"", 0, b"."
    while chunk:
        try:
            chunk = stream.read1(2**16)  # what is there, not all that will come
        except OSError as error:
            reason = f"standard input cannot be read ({error.strerror})"
            raise MazelibError(reason) from None
        *lines, rest = (rest + (chunk or b"\n")).split(b"\n")
        numbered = list(enumerate(lines, count + 1))
        count += len(lines)
        for start in range(0, len(lines), BATCH):
            yield numbered[start : start + BATCH]
        if len(rest) > LONGEST:
            raise MazelibError(f"line {count + 1}: longer than {LONGEST} bytes")


def named_cells(sample: Sample, edges: Edges) -> np.ndarray:
    """The cells that a sample's tokens name."""
    path = [] if sample.path is None else sample.path
    ends = [sample.origin, sample.target]
    return np.unique(np.concatenate([edges.ravel(), ends, path])).astype(int)


@dataclass(frozen=True)
class PromptReader:
    """Reads prompts for a model, in mazes of side `grid`, or of the side they show.

    trained_on: the mazes that the model was trained on, where its card says.
    """

    trained: TrainedModel
    grid: int | None
    trained_on: StreamConfig | None

    def batches(self, stream: BinaryIO) -> Iterator[list[Question]]:
        """The questions of a stream, as they come.

        Raises MazelibError, which names the line, after the questions before it; and if
        there is not one.
        """
        is_empty = True
        for lines in line_batches(stream):
            questions, failure = [], None
            try:
                for number, line in lines:
                    line = line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"")
                    if line.strip():
                        questions.append(self.question(number, line))
            except MazelibError as error:
                failure = error
            if questions:
                is_empty = False
                yield questions
            if failure:
                raise failure
        if is_empty:
            raise MazelibError(
                "standard input holds no prompt: give one a line, up to <PATH_START>, "
                f"or let it be {os.devnull} for a maze of the model's own"
            )

    def question(self, number: int, line: bytes) -> Question:
        """What a line asks. Raises MazelibError, which names the line."""
        model, tokenizer, _ = self.trained
        try:
            if b"\0" in line:
                raise MazelibError("found UTF-16 or no text, expected text in UTF-8")
            ids = tokenizer.from_text(line)
            sample = tokenizer.decode(ids, self.side_of(ids))
            start = ids.tolist().index(tokenizer.id_of["<PATH_START>"])
            answer_bound(model, tokenizer, start + 1)
        except MazelibError as error:
            raise MazelibError(f"line {number}: {error}{self.remedy(error)}") from None
        return Question(ids[: start + 1], sample)

    def side_of(self, ids: np.ndarray) -> int:
        """The side of the grid in which to read a prompt.

        It is that of the square whose cells the prompt names, every one of them. But a
        list of walls leaves cells out, a sparse maze does, and one that stands anywhere
        in a larger grid: then it is that of the grid in training, if it has the cells.
        """
        if self.grid is not None:
            return self.grid
        tokenizer, mazes = self.trained.tokenizer, self.trained_on
        cells = named_cells(*tokenizer.read(ids))
        least = max(2, 1 + int(np.max(np.divmod(cells, tokenizer.side))))
        is_placed = mazes is not None and mazes.spread is not None
        is_square = len(cells) == least**2 and not tokenizer.lists_walls
        if mazes is None or (is_square and not is_placed):
            return least
        return max(least, mazes.spread or mazes.mazes.grid)

    def remedy(self, error: MazelibError) -> str:
        """What to do about a text in another vocabulary; nothing for other errors."""
        if not isinstance(error, TokenError) or error.vocabulary is None:
            return ""
        scheme, side = error.vocabulary
        names = ", ".join(readers(scheme, side))
        take = f"take a model that reads it ({names or 'data/models has none'})"
        own: Tokenizer = self.trained.tokenizer
        if scheme != own.scheme:
            return f"; {take}, or make prompts with generate --tokens {own.scheme}"
        return f"; {take}, or mazes of side {own.side} at most"


def readers(scheme: str, side: int) -> list[str]:
    """The models in data/models that read a scheme, and a grid of so large a side."""
    names = []
    for name in zoo.names():
        try:
            shape = zoo.read_card(name)["model"]
        except MazelibError:  # a damaged model reads nothing
            continue
        if shape["scheme"] == scheme and shape["side"] >= side:
            names.append(name)
    return names
