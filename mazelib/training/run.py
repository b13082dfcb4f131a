"""A training run in memory: weights, their average, optimizers, batches, log.

    run = TrainingRun(config)
    run.step()
    run.evaluate()
    run.log[-1]                            # {"step": 1, "loss": …, "exact": …}

`tensors` and `restore` give and take all that it goes on from, to the same bits.
"""

import copy
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict

import torch
from accelerate import Accelerator
from torch import Tensor
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch, MazeStream
from mazelib.errors import MazelibError
from mazelib.models import zoo
from mazelib.models.model import IGNORED, build, labels
from mazelib.training.gradients import Gradients
from mazelib.training.losses import loss_for
from mazelib.training.muon import make_optimizers
from mazelib.training.recipe import TrainConfig
from mazelib.training.validation import teacher_forced, validation_mazes

LOG_EVERY = 10
"""Steps between two rows of the log."""


COLUMNS = ("step", "loss", "questions", "seconds")
"""What every row of the log has; those of a validation have more."""


class TrainingRun:
    """The state of a run: weights and their average, optimizers, steps done, log."""

    def __init__(self, config: TrainConfig):
        self.config = config
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.device = self.accelerator.device
        ranks = self.accelerator.num_processes
        self.batches = self.batches_from(0)
        self.model = build(config.model, config.mazes.seed)
        zero_output_projections(self.model)
        self.done, self.seconds, self.log = 0, 0.0, []
        self.before = {"steps": 0, "questions": 0, "seconds": 0.0}
        self.model.to(self.device)
        self.averaged = copy.deepcopy(self.model).eval()
        self.optimizers = make_optimizers(self.model, config.muon_lr, config.adamw_lr)
        is_cpu = self.device.type == "cpu"
        loss = loss_for(self.model, config.loss)
        if ranks > 1:
            loss = self.accelerator.prepare_model(loss)
        self.is_alone = is_cpu and ranks == 1
        parts = min(torch.get_num_threads(), config.batch) if self.is_alone else 0
        self.gradients = Gradients(loss, parts)
        self.validation = validation_mazes(config.mazes, config.validation)
        self.losses: list[Tensor] = []  # of the steps since the log's last row

    def begin(self) -> bool:
        """Take the weights that the config names, if it does, before the first step.

        If that model was trained on such mazes, go on from there, and say so: its
        steps, questions, seconds and log count as this run's. Raises MazelibError if it
        has another shape, or its card does not say what it was trained on.
        """
        if self.config.weights is None:
            return False
        trained = zoo.load(self.config.weights)
        if trained.card["model"] != asdict(self.config.model):
            raise MazelibError(
                f"weights is {self.config.weights!r}, a model of the shape "
                f"{trained.card['model']}: ask for the same shape, or take others"
            )
        for network in (self.model, self.averaged):
            network.load_state_dict(trained.model.state_dict())
        was = asdict(zoo.trained_on(self.config.weights))
        now = asdict(self.config.mazes)
        goes_on = all(was[name] == now[name] for name in now if name != "seed")
        if goes_on:
            self.before = {name: trained.card[name] for name in self.before}
            self.log = zoo.read_log(self.config.weights)
        return goes_on

    @property
    def is_main(self) -> bool:
        """Is this the process that scores, writes and shows?"""
        return self.accelerator.is_main_process

    def batches_from(self, start: int) -> Iterator[Batch]:
        """This process's part of each batch, from one on.

        Raises MazelibError if the processes cannot share it equally.
        """
        return MazeStream(self.config.mazes).batches(
            self.config.batch,
            self.config.model.tokenizer,
            start=start,
            workers=0 if self.device.type == "cpu" else 4,
            rank=self.accelerator.process_index,
            ranks=self.accelerator.num_processes,
        )

    def check_positions(self, batch: Batch) -> None:
        """Raise MazelibError if a sequence is longer than the model has positions."""
        longest, limit = int(batch.position.max()) + 1, self.config.model.max_positions
        if longest > limit:
            raise MazelibError(
                f"max_positions is {limit}, but a sequence of these mazes has "
                f"{longest} tokens: raise it"
            )

    def step(self) -> None:
        """One update."""
        started = time.perf_counter()
        batch = next(self.batches)
        self.check_positions(batch)
        self.losses.append(self.gradients(batch, self.count(batch)))
        factor = self.config.learning_rate_factor(self.done)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("peak_lr", group["lr"]) * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.done += 1
        self.average()
        if self.done % LOG_EVERY == 0 or self.config.is_evaluated_at(self.done):
            self.add_row(started)
        else:
            self.seconds += time.perf_counter() - started

    def count(self, batch: Batch) -> Tensor:
        """The tokens that the loss counts, a process on average."""
        counted = (labels(batch, self.config.loss)[:, 1:] != IGNORED).sum()
        counted = counted.to(self.device, torch.float32, non_blocking=True)
        return self.accelerator.reduce(counted, "mean")

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged weights towards the new ones, faster in the beginning."""
        kept = min(self.config.average, self.done / (self.done + 9))
        torch._foreach_lerp_(
            list(self.averaged.parameters()), list(self.model.parameters()), 1 - kept
        )

    def add_row(self, started: float) -> None:
        """Add to the log what happened since its last row.

        A GPU is not waited for, but at validations: until then the loss is a tensor.
        """
        loss = self.accelerator.reduce(torch.stack(self.losses).mean(), "mean")
        self.losses.clear()
        questions = self.done * self.config.batch * self.config.mazes.questions
        row = {
            "step": self.before["steps"] + self.done,
            "loss": loss,
            "questions": self.before["questions"] + questions,
        }
        self.log.append(row)
        if self.config.is_evaluated_at(self.done):
            self.read_losses()
        self.seconds += time.perf_counter() - started
        row["seconds"] = round(self.before["seconds"] + self.seconds, 3)

    def read_losses(self) -> None:
        """Make numbers of the log's losses that are tensors, with one wait for all."""
        rows = [row for row in self.log if isinstance(row["loss"], Tensor)]
        losses = torch.stack([row["loss"] for row in rows]).tolist()
        for row, loss in zip(rows, losses, strict=True):
            row["loss"] = loss

    def evaluate(self, on_evaluation: Callable | None = None) -> None:
        """Score the averaged model on the validation mazes, in the log's last row."""
        if self.is_main:
            tokenizer = self.config.model.tokenizer
            answers = teacher_forced(self.averaged, tokenizer, self.validation)
            self.log[-1]["exact"] = float(answers.right.mean())
            if on_evaluation:
                self.log[-1] |= on_evaluation(self.done, self.averaged) or {}
        self.accelerator.wait_for_everyone()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that the run goes on from, by name."""
        networks = {"model": self.model, "averaged": self.averaged}
        found = {
            f"{name}.{key}": tensor
            for name, network in networks.items()
            for key, tensor in network.state_dict().items()
        }
        for i, optimizer in enumerate(self.optimizers):
            for j, state in optimizer.state_dict()["state"].items():
                found |= {f"optimizer{i}.{j}.{key}": t for key, t in state.items()}
        return found

    def restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        """Go on from another run's `tensors` and `facts`.

        Raises MazelibError if they are not those of such a run.
        """
        try:
            self._restore(tensors, facts)
        except (KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise MazelibError(
                f"the state to continue from is not one of this run ({reason}): remove "
                "its folder, or name another"
            ) from None

    def _restore(self, tensors: dict[str, Tensor], facts: dict) -> None:
        parts = defaultdict(dict)
        for name, tensor in tensors.items():
            part, key = name.split(".", 1)
            parts[part][key] = tensor
        self.model.load_state_dict(parts["model"])
        self.averaged.load_state_dict(parts["averaged"])
        for i, optimizer in enumerate(self.optimizers):
            state = defaultdict(dict)
            for name, tensor in parts[f"optimizer{i}"].items():
                j, key = name.split(".")
                state[int(j)][key] = tensor
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})
        for name in ("done", "seconds", "before", "log"):
            setattr(self, name, facts[name])
        if self.is_alone:  # the same parts make the same bits
            self.gradients.parts = facts["parts"]
        self.batches = self.batches_from(self.done)

    def worst(self, number: int) -> int:
        """The highest of the numbers that the processes give."""
        mine = torch.tensor([number], device=self.device)
        return int(self.accelerator.gather(mine).max())

    def check_agreement(self) -> None:
        """Raise MazelibError unless all processes have done the same steps."""
        mine = torch.tensor([self.done], device=self.device)
        if len(set(self.accelerator.gather(mine).tolist())) > 1:
            raise MazelibError(
                "the processes found different states to continue from: give all "
                "machines the same shared folder"
            )

    @property
    def facts(self) -> dict:
        """What the run goes on from beside its `tensors`, as JSON can hold it."""
        return {
            "done": self.done,
            "seconds": self.seconds,
            "before": self.before,
            "parts": self.gradients.parts,
            "log": self.log,
        }


def zero_output_projections(model: PreTrainedModel) -> None:
    """Start every block as the identity: zero what attention and MLP write."""
    endings = ("dense.weight", "dense_4h_to_h.weight", "c_proj.weight")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(endings):
                parameter.zero_()
