"""A trained model as a folder: saved whole, and opened only if it is undamaged.

    card = save("runs/mine", model, config, {"seed": 0})
    trained = load("runs/mine")
    trained.model, trained.tokenizer, trained.card

A folder holds config.json and model.safetensors, which
AutoModelForCausalLM.from_pretrained opens without mazelib; tokenizer.json, likewise for
AutoTokenizer; and card.json: how the model was made and how well it does.
"""

import json
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from mazelib.errors import MazelibError
from mazelib.files import replacing_folder, sha256, writing
from mazelib.model import MazeModelConfig
from mazelib.tokenizer import Tokenizer

CARD = "card.json"
WEIGHTS = "model.safetensors"
LOG = "log.jsonl"


class TrainedModel(NamedTuple):
    """A model, its vocabulary, and its card: how it was made, how well it does."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    card: dict


def read_card(folder: Path) -> dict:
    """A folder's card. Raises MazelibError if it cannot be read."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MazelibError(f"{folder / CARD} is damaged: {error}") from None
    for key in ("model", "sha256"):
        if not isinstance(card, dict) or key not in card:
            raise MazelibError(f"{folder / CARD} is damaged: it has no {key!r}")
    return card


def load(folder: str | Path, device: str = "cpu") -> TrainedModel:
    """The model that `save` wrote to a folder, in float32.

    Raises MazelibError for a card that cannot be read, or weights that are missing or
    whose hash is not the card's.
    """
    folder = Path(folder)
    card = read_card(folder)
    try:
        config = MazeModelConfig(**card["model"])
    except TypeError as error:
        raise MazelibError(f"{folder / CARD} is damaged: {error}") from None
    expected = card["sha256"]
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise MazelibError(
            f"{weights} is missing: restore it, or train the model again"
        )
    found = sha256(weights)
    if found != expected:
        raise MazelibError(
            f"{weights} has SHA-256 {found[:12]}…, but its card says {expected[:12]}…: "
            "the file is damaged; restore it, or train the model again"
        )
    try:
        with no_progress_bar():
            network = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise MazelibError(f"{folder} does not open as a model: {reason}") from None
    return TrainedModel(network.to(device).eval(), config.tokenizer, card)


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing its bar where a model loads in no time."""
    was_shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            logging.enable_progress_bar()


def save(
    folder: str | Path,
    model: PreTrainedModel,
    config: MazeModelConfig,
    facts: dict,
    texts: dict[str, str] | None = None,
    folders: dict[str, Path] | None = None,
    dtype: torch.dtype = torch.float16,
) -> dict:
    """Write a model's folder and return its card: the config, its hash, the `facts`.

    Weights are stored as `dtype`. `texts` are further files, name to content, `folders`
    further folders to copy. The folder is written under another name and renamed; it is
    never there in part. Raises MazelibError if the disk is full.
    """
    with writing(folder), replacing_folder(folder) as temporary:
        rounded = {k: v.to(dtype) for k, v in model.state_dict().items()}
        with no_progress_bar():
            model.save_pretrained(temporary, state_dict=rounded)
        for name, source in (folders or {}).items():
            if source.is_dir():
                shutil.copytree(source, temporary / name)
        hugging_face_tokenizer(config.tokenizer).save_pretrained(temporary)
        card = {
            "model": asdict(config),
            "sha256": sha256(temporary / WEIGHTS),
            "parameters": sum(p.numel() for p in model.parameters()),
            "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads",
            "commit": commit(),
            **facts,
        }
        text = json.dumps(card, indent=2) + "\n"
        for name, content in {CARD: text, **(texts or {})}.items():
            (temporary / name).write_text(content, encoding="utf-8")
    return card


def log_text(rows: list[dict]) -> str:
    """A training log as its file has it: one JSON object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def hugging_face_tokenizer(tokenizer: Tokenizer):
    """The same vocabulary as a Hugging Face fast tokenizer that splits at spaces."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    fast = Fast(models.WordLevel(tokenizer.id_of, unk_token=tokenizer.vocabulary[0]))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        pad_token=tokenizer.vocabulary[0],
        eos_token="<PATH_END>",
        padding_side="left",
    )


def commit() -> str | None:
    """The git commit of this checkout, or None outside one."""
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
