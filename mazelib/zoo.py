"""The trained models of data/models, by name.

    trained = load("dfs5")                # data/models/dfs5
    trained = load("runs/mine")           # or any folder that training wrote
    trained.model, trained.tokenizer, trained.card
    for rung in ladder("dfs5"):           # the same model on its way
        load(rung)

Each is a folder as `mazelib.checkpoint` writes it, checked by its hash when opened.
"""

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from mazelib import checkpoint
from mazelib.checkpoint import CARD, LOG, TrainedModel
from mazelib.dataset import StreamConfig
from mazelib.errors import MazelibError
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig, build

MODELS = Path(__file__).resolve().parent.parent / "data" / "models"


def names() -> list[str]:
    """The names of the models in data/models."""
    return sorted(card.parent.name for card in MODELS.glob(f"[!.]*/{CARD}"))


def folder_of(model: str | Path) -> Path:
    """The folder of a model given by name or path. Raises MazelibError if none."""
    for folder in (MODELS / model, Path(model)):
        if (folder / CARD).is_file():
            return folder
    known = ", ".join(names()) or "none yet"
    raise MazelibError(
        f"no model {str(model)!r}: give a folder that `python -m mazelib train` wrote, "
        f"or a name in data/models ({known})"
    )


def read_card(model: str | Path) -> dict:
    """A model's card. Raises MazelibError if there is none or it cannot be read."""
    return checkpoint.read_card(folder_of(model))


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
    config = MazeModelConfig(**read_card(model)["model"])
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
    try:
        return stream_of(read_card(model)["training"])
    except (KeyError, TypeError):
        raise MazelibError(
            f"the card of {str(model)!r} does not say what the model was trained on: "
            "train it again"
        ) from None


def stream_of(training: dict) -> StreamConfig:
    """The mazes and questions of a training config that was kept as JSON."""
    stream = training["mazes"]
    return StreamConfig(**{**stream, "mazes": MazeConfig(**stream["mazes"])})


def held_out(model: str | Path) -> StreamConfig:
    """Mazes of the kind that a model was trained on, of the test split, one question.

    Raises MazelibError for a card that does not say.
    """
    return trained_on(model).held_back("test")


def read_log(model: str | Path) -> list[dict]:
    """The rows of a model's training log (see `mazelib.training.train`), if it has one.

    Raises MazelibError if it cannot be read.
    """
    path = folder_of(model) / LOG
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise MazelibError(f"{path} is damaged: {error}") from None
