"""The card of a model: card.json, which says how it was made and how well it does.

    card = read_card("data/models/dfs5")
    shape_of(card)                         # MazeModelConfig(scheme="ut", side=7, …)

A card has "model", the shape; "sha256", the weights' hash; and "parameters", their
number. One of a trained model has "training", the run, and its steps, questions,
seconds and scores. What a card says has the types that its readers count on.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from reprlib import repr as short

from mazelib.errors import MazelibError
from mazelib.models import facts
from mazelib.models.model import MazeModelConfig

CARD = "card.json"
COUNTS = ("seed", "steps", "questions")
RUN = (*COUNTS, "seconds", "metrics")
"""What a card says that says how the model was trained."""
SCORES = ("exact", "exact_ci", "n")


def read_card(folder: str | Path) -> dict:
    """A folder's card. Raises MazelibError if it cannot be read or contradicts itself.

    What the training says of the mazes is read by those who ask (`mazelib.models.zoo`).
    """
    path = Path(folder) / CARD
    card = facts.read(path)
    trained = ("training", *RUN) if "training" in card else ()
    for key in ("model", "sha256", "parameters", *trained):
        if key not in card:
            raise MazelibError(f"{path} is damaged: it has no {key!r}")
    shape = facts.make(MazeModelConfig, card["model"], path)
    for name, is_good, expected in _checks(card, shape):
        if name in card and not is_good:
            value = short(card[name])
            raise MazelibError(f"{path}: {name} is {value}, but must be {expected}")
    return card


def shape_of(card: dict) -> MazeModelConfig:
    """The shape of the model that a card is of."""
    return MazeModelConfig(**card["model"])


def parameters(shape: MazeModelConfig) -> int:
    """How many weights a model of this shape has, found without building it."""
    width, positions = shape.width, 0
    if shape.positions == "learned":
        positions = shape.max_positions * width
    block = 12 * width**2 + 13 * width  # with biases and two norms
    ends = 2 * len(shape.tokenizer.vocabulary) * width + 2 * width
    return shape.layers * block + positions + ends


def check_scores(card: dict, folder: str | Path) -> None:
    """Raise MazelibError for a card that does not say how well its model does."""
    if "metrics" not in card:
        raise MazelibError(
            f"{Path(folder) / CARD} does not say how well the model does: it has no "
            "'metrics'"
        )


def _checks(card: dict, shape: MazeModelConfig) -> Iterable[tuple[str, bool, str]]:
    """Names, whether the value is good, and what it should be."""
    sha256, training = card["sha256"], card.get("training")
    is_hash = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
    yield "sha256", bool(is_hash), "64 hexadecimal digits"
    count = parameters(shape)
    is_right = type(card["parameters"]) is int and card["parameters"] == count
    yield "parameters", is_right, f"{count}, as its model has"
    for name in COUNTS:
        yield name, facts.is_count(card.get(name)), "a whole number from 0"
    seconds = card.get("seconds")
    yield "seconds", facts.is_number(seconds) and seconds >= 0, "a number from 0"
    needed = "exact, exact_ci (two numbers) and n"
    yield "metrics", _are_scores(card.get("metrics")), f"scores: {needed}"
    rounding = card.get("rounding")
    is_right = isinstance(rounding, dict) and list(rounding) == ["changed", "n"]
    is_right = is_right and all(map(facts.is_count, rounding.values()))
    yield "rounding", is_right, "an object of two counts, changed and n"
    for name in ("hardware", "split"):
        yield name, isinstance(card.get(name), str), "text"
    yield "commit", isinstance(card.get("commit"), str | None), "text or null"
    yield (
        "training",
        _is_run(training, card["model"]),
        ("a run with steps, batch, mazes and a model of this card's shape"),
    )


def _is_run(training: object, shape: dict) -> bool:
    """Is it a training run of a model of that shape, of which the mazes are said?"""
    if not isinstance(training, dict) or training.get("model") != shape:
        return False
    counts = (training.get(name) for name in ("steps", "batch"))
    return "mazes" in training and all(map(facts.is_count, counts))


def _are_scores(metrics: object) -> bool:
    """Do they hold the exact-match, its interval and of how many mazes?"""
    if not isinstance(metrics, dict) or not all(name in metrics for name in SCORES):
        return False
    exact, interval, n = (metrics[name] for name in SCORES)
    is_pair = isinstance(interval, list) and len(interval) == 2
    return is_pair and all(map(facts.is_number, [exact, *interval, n]))
