"""How a model is trained: the data, the shape, the optimizer, the length.

config = TrainConfig(StreamConfig(MazeConfig("dfs", 5), questions=8), steps=2000)
config.learning_rate_factor(1000)      # share of the peak rate at a step
"""

from dataclasses import dataclass, field

import numpy as np

from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError, check_fields
from mazelib.models.model import MazeModelConfig

LOSSES = ("path", "sequence")
FIRST_RUNG = 50
"""Steps done at the first checkpoint of a ladder, or a tenth of a short run."""


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    mazes: what it learns from; its seed is also that of the initial weights.
    model: the network's shape.
    steps, batch: updates, and mazes in each.
    muon_lr, adamw_lr: peak learning rates of hidden matrices and of the rest; a
        muon_lr of 0 leaves the hidden matrices to AdamW as well.
    warmup: steps of linear warm-up, at most half of all.
    decay: share of the steps, at the end, over which the rates fall to nothing.
    average: how much of yesterday's average the averaged weights keep at each step
        (their memory is 1 / (1 - average) steps); 0 takes the weights as they are.
    loss: "path" or "sequence" (see `mazelib.models.model.labels`).
    evaluate_every, validation: steps between validations, and mazes in one.
    ladder: checkpoints kept on the way, at logarithmically spaced steps.
    weights: a model of the same shape whose weights the run begins with, by name or
        folder, or nothing. If it was trained on mazes of the same kind, the run goes on
        where it ended; give another seed, or it sees the same mazes again.

    Raises MazelibError for a value out of range.
    """

    mazes: StreamConfig = field(default_factory=lambda: StreamConfig(questions=8))
    model: MazeModelConfig = field(default_factory=MazeModelConfig)
    steps: int = 2000
    batch: int = 16
    muon_lr: float = 0.01
    adamw_lr: float = 3e-3
    warmup: int = 50
    decay: float = 1.0
    average: float = 0.0
    loss: str = "path"
    evaluate_every: int = 250
    validation: int = 512
    ladder: int = 0
    weights: str | None = None

    def __post_init__(self):
        side = self.mazes.spread or self.mazes.mazes.grid
        checks = [
            ("steps", self.steps >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("muon_lr", self.muon_lr >= 0, "at least 0"),
            ("adamw_lr", self.adamw_lr > 0, "above 0"),
            ("warmup", self.warmup >= 0, "at least 0"),
            ("decay", 0 <= self.decay <= 1, "from 0 to 1"),
            ("average", 0 <= self.average < 1, "from 0 to below 1"),
            ("loss", self.loss in LOSSES, f"one of {', '.join(LOSSES)}"),
            ("evaluate_every", self.evaluate_every >= 1, "at least 1"),
            ("validation", self.validation >= 1, "at least 1"),
            ("ladder", self.ladder >= 0, "at least 0"),
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
        falling = max(1.0, self.decay * (self.steps - warmup))
        return min(1.0, (step + 1) / (warmup + 1), (self.steps - step) / falling)

    @property
    def rungs(self) -> list[int]:
        """The numbers of steps done at which the ladder's checkpoints are kept."""
        first = min(FIRST_RUNG, max(1, self.steps // 10))
        spaced = np.geomspace(first, self.steps, self.ladder + 1)[:-1]
        return sorted(set(spaced.round().astype(int).tolist()))

    def is_evaluated_at(self, done: int) -> bool:
        """Is there a validation after so many steps?"""
        is_last = done == self.steps
        return is_last or done % self.evaluate_every == 0 or done in self.rungs
