"""The training loop: a TrainConfig in, a trained model, its log and its folder out.

    config = TrainConfig(StreamConfig(MazeConfig("dfs", 5), questions=8), steps=2000)
    model, log = train(config, "runs/dfs5")

Each step sees fresh mazes of the training split; every maze's edge list is described
once and asked several questions (`StreamConfig.questions`), whose answers alone are
scored. Optimizer: Muon and AdamW (`mazelib.optimizer`), a short warm-up, then a linear
decay to nothing. Where the hardware multiplies bfloat16, the forward pass runs in it.
"""

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm
from transformers import PreTrainedModel

from mazelib import checkpoint
from mazelib.dataset import Batch, MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError, check_fields
from mazelib.evidence import wilson
from mazelib.model import IGNORED, MazeModelConfig, build, inputs, labels, predictions
from mazelib.optimizer import make_optimizers

LOSSES = ("path", "sequence")
VALIDATION_SEED = 2**31 - 1
"""All runs are scored on the same validation mazes, whatever their own seed."""


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    mazes: what it learns from; its seed is also that of the initial weights.
    model: the network's shape.
    steps, batch: updates, and mazes in each.
    muon_lr, adamw_lr: peak learning rates of hidden matrices and of the rest.
    warmup: steps of linear warm-up, at most half of all.
    loss: "path" or "sequence" (see `mazelib.model.labels`).
    evaluate_every, validation: steps between validations, and mazes in one.

    Raises MazelibError for a value out of range.
    """

    mazes: StreamConfig = field(default_factory=lambda: StreamConfig(questions=8))
    model: MazeModelConfig = field(default_factory=MazeModelConfig)
    steps: int = 2000
    batch: int = 16
    muon_lr: float = 0.02
    adamw_lr: float = 3e-3
    warmup: int = 50
    loss: str = "path"
    evaluate_every: int = 250
    validation: int = 512

    def __post_init__(self):
        side = self.mazes.spread or self.mazes.mazes.grid
        checks = [
            ("steps", self.steps >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("muon_lr", self.muon_lr > 0, "above 0"),
            ("adamw_lr", self.adamw_lr > 0, "above 0"),
            ("warmup", self.warmup >= 0, "at least 0"),
            ("loss", self.loss in LOSSES, f"one of {', '.join(LOSSES)}"),
            ("evaluate_every", self.evaluate_every >= 1, "at least 1"),
            ("validation", self.validation >= 1, "at least 1"),
        ]
        check_fields(self, checks)
        if side > self.model.side:
            raise MazelibError(
                f"side is {self.model.side}, but the mazes need a vocabulary of side "
                f"≥ {side}"
            )

    def learning_rate_factor(self, step: int) -> float:
        """The share of the peak learning rate at a step, counted from 0."""
        warmup = min(self.warmup, self.steps // 2)
        left = (self.steps - step) / (self.steps - warmup)
        return min(1.0, (step + 1) / (warmup + 1), left)


class TrainResult(NamedTuple):
    """What a run leaves: the model in eval mode, and a dict for each logged step."""

    model: PreTrainedModel
    log: list[dict]


def train(
    config: TrainConfig,
    folder: str | Path | None = None,
    on_evaluation: Callable[[int, PreTrainedModel], None] | None = None,
    progress: bool = True,
) -> TrainResult:
    """Train a model from nothing; the same config gives the same run.

    folder: where the checkpoint (see `mazelib.checkpoint`) and log.jsonl go, anew at
        every validation; it must not exist yet. None writes nothing.
    on_evaluation: called with the number of steps done and the model, before the first
        step and at every validation.
    progress: show a bar with the loss, the validation's exact-match and the time left.

    Raises MazelibError if the folder exists or a sequence outgrows the positions.
    """
    if folder is not None:
        if Path(folder).exists():
            raise MazelibError(f"{folder} exists: name another, or remove it first")
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
    run = TrainingRun(config)
    run.check_positions(run.validation.encode(config.model.tokenizer))
    started = time.perf_counter()
    steps = tqdm(range(config.steps), "training", unit="step", disable=not progress)
    if on_evaluation:
        on_evaluation(0, run.model.eval())
    for step in steps:
        row = {"step": step + 1, "loss": run.step(step)}
        is_last = step + 1 == config.steps
        if is_last or (step + 1) % config.evaluate_every == 0:
            row["exact"] = run.exact()
            steps.set_postfix(loss=f"{row['loss']:.3f}", exact=f"{row['exact']:.3f}")
            if on_evaluation:
                on_evaluation(step + 1, run.model)
        row["questions"] = (step + 1) * config.batch * config.mazes.questions
        row["seconds"] = round(time.perf_counter() - started, 3)
        run.log.append(row)
        if "exact" in row and folder is not None:
            run.save(folder)
    return TrainResult(run.model.eval(), run.log)


class TrainingRun:
    """The state of a run: model, optimizers, stream of batches, log."""

    def __init__(self, config: TrainConfig):
        self.config = config
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = build(config.model, config.mazes.seed).to(self.device)
        zero_output_projections(self.model)
        if self.device == "cpu":  # torch's fused attention is slow backward in bf16
            self.model.set_attn_implementation("eager")
        self.optimizers = make_optimizers(self.model, config.muon_lr, config.adamw_lr)
        workers = 2 if self.device == "cuda" else 0
        self.batches = MazeStream(config.mazes).batches(
            config.batch, config.model.tokenizer, workers=workers
        )
        self.validation = validation_mazes(config)
        self.log: list[dict] = []

    def check_positions(self, batch: Batch) -> None:
        """Raise MazelibError if a sequence is longer than the model has positions."""
        longest, limit = int(batch.position.max()) + 1, self.config.model.max_positions
        if longest > limit:
            raise MazelibError(
                f"max_positions is {limit}, but a sequence of these mazes has "
                f"{longest} tokens: raise it"
            )

    def step(self, step: int) -> float:
        """One update; returns the loss in nats a token."""
        self.model.train()
        factor = self.config.learning_rate_factor(step)
        loss = self.loss(next(self.batches))
        loss.backward()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group.setdefault("peak_lr", group["lr"])
                group["lr"] = group["peak_lr"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def loss(self, batch: Batch) -> torch.Tensor:
        """The mean negative log-likelihood of the tokens that count."""
        self.check_positions(batch)
        targets = labels(batch, self.config.loss)[:, 1:].to(self.device)
        with autocast(self.device):
            logits = self.model(**inputs(batch, self.device)).logits[:, :-1]
        return cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED
        )

    def exact(self) -> float:
        """The share of validation mazes whose path a greedy rollout would get right."""
        self.model.eval()
        right = exact_match(self.model, self.validation, self.config.model)
        return float(right.mean())

    def save(self, folder: str | Path) -> None:
        """Write the checkpoint and the log so far."""
        last, n = self.log[-1], len(self.validation)
        facts = {
            "training": asdict(self.config),
            "seed": self.config.mazes.seed,
            "questions": last["questions"],
            "seconds": last["seconds"],
            "metrics": {
                "exact": last["exact"],
                "exact_ci": wilson(round(last["exact"] * n), n),
                "n": n,
            },
        }
        text = "".join(json.dumps(row) + "\n" for row in self.log)
        logs = {"log.jsonl": text}
        checkpoint.save(folder, self.model, self.config.model, facts, logs)


def autocast(device: str):
    """bfloat16 where the hardware multiplies it, else a context that does nothing."""
    if device == "cuda" or torch.cpu._is_avx512_bf16_supported():
        return torch.autocast(device, torch.bfloat16)
    return nullcontext()


def zero_output_projections(model: PreTrainedModel) -> None:
    """Start every block as the identity: zero what attention and MLP write."""
    endings = ("dense.weight", "dense_4h_to_h.weight", "c_proj.weight")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(endings):
                parameter.zero_()


def validation_mazes(config: TrainConfig) -> MazeSet:
    """The mazes a run is scored on: its own kind, of the validation split.

    A run on the split "any" holds nothing back, so it is scored on that split too.
    """
    split = "any" if config.mazes.split == "any" else "validation"
    mazes = replace(config.mazes, split=split, questions=1, seed=VALIDATION_SEED)
    return MazeStream(mazes).take(0, config.validation)


def exact_match(
    model: PreTrainedModel, mazes: MazeSet, config: MazeModelConfig, size: int = 128
) -> np.ndarray:
    """For each maze: is every token of the path, and its end, the likeliest one?

    A greedy rollout prints exactly the path if and only if it is.
    """
    right = []
    for start in range(0, len(mazes), size):
        batch = mazes[start : start + size].encode(config.tokenizer)
        wrong = predictions(model, batch).numpy() != batch.ids
        right.append(~(wrong & batch.answer).any(1))
    return np.concatenate(right)
