"""A trained model as a folder: saved whole, and opened only if it is undamaged.

    card = save("runs/mine", model, config, {"seed": 0})
    trained = load("runs/mine")
    trained.model, trained.tokenizer, trained.card

A folder holds config.json and model.safetensors, which
AutoModelForCausalLM.from_pretrained opens without mazelib; tokenizer.json, likewise for
AutoTokenizer; and card.json: how the model was made and how well it does.
"""

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from reprlib import repr as short
from typing import NamedTuple

import torch
from safetensors.torch import load as safetensors_load
from torch import Tensor
from transformers import PreTrainedModel
from transformers.utils import logging

from mazelib.errors import MazelibError
from mazelib.files import replacing_folder, sha256, writing
from mazelib.models.card import CARD, parameters, read_card, shape_of
from mazelib.models.facts import finite
from mazelib.models.huggingface import check_files, hugging_face_tokenizer
from mazelib.models.model import MazeModelConfig, network_class
from mazelib.tokens.tokenizer import Tokenizer

WEIGHTS = "model.safetensors"
LOG = "log.jsonl"


class TrainedModel(NamedTuple):
    """A model, its vocabulary, and its card: how it was made, how well it does."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    card: dict


def load(folder: str | Path, device: str = "cpu") -> TrainedModel:
    """The model that `save` wrote to a folder, in float32, with the weights it wrote.

    Raises MazelibError if anything is missing or damaged: a card or another file that
    cannot be read, files that contradict the card, weights whose hash is not the
    card's, or that are not just those of a model of its shape.
    """
    folder = Path(folder)
    card = read_card(folder)
    shape = shape_of(card)
    weights = read_weights(folder / WEIGHTS, card["sha256"], shape)
    check_files(folder, shape)
    network = filled(shape, weights, folder / WEIGHTS)
    return TrainedModel(network.to(device).eval(), shape.tokenizer, card)


def read_weights(
    path: Path, expected: str, shape: MazeModelConfig
) -> dict[str, Tensor]:
    """The tensors of a file with the expected hash, in float32, by name.

    Raises MazelibError if there is none, the hash is another, or it does not hold so
    many numbers as a model of the shape has: no network is built that it cannot fill.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        is_gone = isinstance(error, FileNotFoundError)
        problem = "is missing" if is_gone else f"cannot be read ({error.strerror})"
        remedy = "restore it, or train the model again"
        raise MazelibError(f"{path} {problem}: {remedy}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise MazelibError(
            f"{path} has SHA-256 {found[:12]}…, but its card says {expected[:12]}…: "
            "the file is damaged; restore it, or train the model again"
        )
    try:
        stored = safetensors_load(data)
    except Exception as error:  # whatever it makes of a file that is none
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MazelibError(f"{path} holds no tensors: {reason}") from None
    count, wanted = sum(t.numel() for t in stored.values()), parameters(shape)
    if count != wanted:
        raise MazelibError(
            f"{path} holds {count} weights, but the card's model has {wanted}: restore "
            "the folder, or train the model again"
        )
    for name, tensor in stored.items():
        if not (tensor.is_floating_point() and tensor.isfinite().all()):
            raise MazelibError(
                f"{path}: {short(name)} holds what is no finite number: restore it, or "
                "train the model again at lower rates"
            )
    return {name: tensor.float() for name, tensor in stored.items()}


def filled(
    shape: MazeModelConfig, weights: dict[str, Tensor], path: Path
) -> PreTrainedModel:
    """The network of a shape with weights from a file, whose names are Hugging Face's.

    Raises MazelibError if one is missing, left over or of another shape: none is made
    up or dropped.
    """
    try:
        with quiet():
            network, report = network_class(shape).from_pretrained(
                None,
                config=shape.to_hugging_face(),
                state_dict=weights,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (RuntimeError, ValueError):  # so it answers to other shapes
        report = {"": ["its weights have other shapes"]}
    if problems := [f"{kind} {short(list(x))}" for kind, x in report.items() if x]:
        raise MazelibError(
            f"{path} does not fit the card's model ({problems[0].strip()}): restore "
            "the folder, or train the model again"
        )
    network.generation_config.pad_token_id = 0
    return network


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and reports: an error says what matters."""
    was_shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
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
        with quiet():
            model.save_pretrained(temporary, state_dict=rounded)
        for name, source in (folders or {}).items():
            if source.is_dir():
                shutil.copytree(source, temporary / name)
        hugging_face_tokenizer(config.tokenizer).save_pretrained(temporary)
        card = {
            "model": asdict(config),
            "sha256": sha256(temporary / WEIGHTS),
            "parameters": sum(p.numel() for p in model.parameters()),
            "hardware": hardware(model.device),
            "commit": commit(),
            **facts,
        }
        card = finite(card)
        text = json.dumps(card, indent=2) + "\n"
        for name, content in {CARD: text, **(texts or {})}.items():
            (temporary / name).write_text(content, encoding="utf-8")
    return card


def log_text(rows: list[dict]) -> str:
    """A training log as its file has it: one JSON object a line."""
    return "".join(json.dumps(finite(row)) + "\n" for row in rows)


def hardware(device: torch.device) -> str:
    """What a model is computed on, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


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
