"""The trained models of data/models, by name.

    trained = load("dfs5")                # data/models/dfs5
    trained = load("runs/mine")           # or any folder that training wrote
    trained.model, trained.tokenizer, trained.card
    for rung in ladder("dfs5"):           # the same model on its way
        load(rung)

Each is a folder as `mazelib.models.checkpoint` writes it, checked by its hash when
opened.
"""

import os
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError
from mazelib.files import ROOT
from mazelib.models import card, checkpoint, facts
from mazelib.models.card import CARD
from mazelib.models.checkpoint import LOG, TrainedModel
from mazelib.models.model import build

MODELS = ROOT / "data" / "models"


def names() -> list[str]:
    """The names of the models in data/models."""
    return sorted(card.parent.name for card in MODELS.glob(f"[!.]*/{CARD}"))


def folder_of(model: str | Path) -> Path:
    """The folder of a model given by name or path.

    A Path, and text with a slash, is a path and nothing else. A bare name is that of a
    model in data/models, or of a folder here. Raises MazelibError if there is none, or
    if a name means both.
    """
    if not str(model):
        raise MazelibError(f"the model's name is empty: {_ways()}")
    here, there = Path(model), MODELS / model
    if is_path(model):
        found = [here]
    elif _is_model(here) and _is_model(there) and not here.samefile(there):
        raise MazelibError(
            f"{model!r} is a model of data/models and a folder here: give "
            f"{os.curdir}{os.sep}{model} for the folder, or {there} for the other"
        )
    else:
        found = [there, here]
    for folder in found:
        if _is_model(folder):
            return folder
    meant = f"perhaps {there}? " if is_path(model) and _is_model(there) else ""
    raise MazelibError(f"no model {str(model)!r}: {meant}{_ways()}")


def is_path(model: str | Path) -> bool:
    """Is a model given by its path, and not by a name?"""
    if isinstance(model, Path) or model in (os.curdir, os.pardir):
        return True
    signs = {"/", os.sep, os.altsep or os.sep}
    return bool(Path(model).anchor) or any(sign in model for sign in signs)


def _is_model(folder: Path) -> bool:
    try:
        return (folder / CARD).exists()
    except (OSError, ValueError):  # a name too long, or with a null byte
        return False


def _ways() -> str:
    """How a model can be named."""
    known = ", ".join(names()) or "none yet"
    return (
        "give a folder that `python -m mazelib train` wrote, or a name in data/models "
        f"({known})"
    )


def read_card(model: str | Path) -> dict:
    """A model's card. Raises MazelibError if there is none or it cannot be read."""
    return card.read_card(folder_of(model))


def read_cards() -> tuple[dict[str, dict], list[MazelibError]]:
    """The cards of the models in data/models by name, and what is wrong with others.

    Each of them has its scores.
    """
    found, damaged = {}, []
    for name in names():
        try:
            found[name] = card.read_card(MODELS / name)
            card.check_scores(found[name], MODELS / name)
        except MazelibError as error:
            found.pop(name, None)
            damaged.append(error)
    return found, damaged


def hashes(models: Collection[str]) -> dict[str, str]:
    """The hashes of models' weights: is what was measured of them still true of them?

    Raises MazelibError as `read_card` does.
    """
    return {model: read_card(model)["sha256"] for model in models}


def load(model: str | Path, device: str = "cpu") -> TrainedModel:
    """A model of data/models by name, or of any folder by path, in float32.

    Raises MazelibError for an unknown name, or weights whose hash is not the card's.
    """
    return checkpoint.load(folder_of(model), device)


def untrained(model: str | Path, seed: int = 1) -> TrainedModel:
    """A network of a model's shape with random weights: what training is compared with.

    Its card says the shape alone. Raises MazelibError as `read_card` does.
    """
    config = card.shape_of(read_card(model))
    return TrainedModel(
        build(config, seed), config.tokenizer, {"model": asdict(config)}
    )


def ladder(model: str | Path) -> list[Path]:
    """The folders of a model's checkpoints on the way, in order; `load` opens them."""
    cards = (folder_of(model) / "ladder").glob(f"[!.]*/{CARD}")
    return sorted(card.parent for card in cards)


def trained_on(model: str | Path) -> StreamConfig:
    """The mazes and questions of a model's last training run.

    Raises MazelibError for a card that does not say.
    """
    path = folder_of(model) / CARD
    training = card.read_card(path.parent).get("training")
    if training is None:
        raise MazelibError(
            f"the card of {str(model)!r} does not say what the model was trained on: "
            "train it again"
        )
    return stream_of(training, path)


def stream_of(training: dict, place: str | Path) -> StreamConfig:
    """The mazes and questions of a training config that was kept as JSON.

    place: where, for the error. Raises MazelibError if it does not say.
    """
    return facts.make(StreamConfig, training.get("mazes"), f"{place}: mazes")


def held_out(model: str | Path) -> StreamConfig:
    """Mazes of the kind that a model was trained on, of the test split, one question.

    Raises MazelibError for a card that does not say.
    """
    return trained_on(model).held_back("test")


def read_log(model: str | Path) -> list[dict]:
    """The rows of a model's training log (see `mazelib.training.train`), if any.

    Raises MazelibError if it cannot be read.
    """
    path = folder_of(model) / LOG
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MazelibError(f"{path} cannot be read: {error.strerror}") from None
    rows = [facts.parse(line, f"{path}, line {i}") for i, line in enumerate(lines, 1)]
    for number, row in enumerate(rows, 1):
        is_row = isinstance(row, dict) and facts.is_count(row.get("step"))
        if not is_row or not all(map(facts.is_number_or_none, row.values())):
            raise MazelibError(f"{path} is damaged: line {number} is no row of numbers")
    return rows
