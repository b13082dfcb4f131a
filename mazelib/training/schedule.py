"""How long a model is trained, how fast it learns, and when it is looked at.

    schedule = Schedule(steps=2000, decay=0.5)
    schedule.learning_rate_factor(1000)    # share of the peak rate at a step

These are the options of `train` on the command line, which takes names, defaults and
what they mean from here. A value out of range is a MazelibError.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mazelib.errors import check_fields

Loss = Literal["path", "sequence", "myopic", "myopic-path"]
FIRST_RUNG = 50
"""Steps done at the first checkpoint of a ladder, or a tenth of a short run."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Steps, learning rates, and what is scored when."""

    steps: int = 2000
    """updates"""
    batch: int = 16
    """mazes in an update"""
    muon_lr: float = 0.01
    """peak learning rate of the hidden matrices; 0 leaves them to AdamW"""
    adamw_lr: float = 3e-3
    """peak learning rate of everything else"""
    warmup: int = 50
    """steps of linear warm-up, at most half of all"""
    decay: float = 1.0
    """share of the steps, at the end, over which the rates fall to nothing"""
    average: float = 0.0
    """above 0, average the weights with a memory of 1 / (1 - average) steps"""
    loss: Loss = "path"
    """score the path's tokens, or the whole sequence; or the path's, where no token, or
    none of the path, learns to help a later one"""
    evaluate_every: int = 250
    """steps between validations, at which the folder is written"""
    validation: int = 512
    """mazes in a validation"""
    ladder: int = 0
    """checkpoints kept on the way, at logarithmically spaced steps"""

    def __post_init__(self):
        losses = get_args(Loss)
        checks = [
            ("steps", self.steps >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("muon_lr", self.muon_lr >= 0, "at least 0"),
            ("adamw_lr", self.adamw_lr > 0, "above 0"),
            ("warmup", self.warmup >= 0, "at least 0"),
            ("decay", 0 <= self.decay <= 1, "from 0 to 1"),
            ("average", 0 <= self.average < 1, "from 0 to below 1"),
            ("loss", self.loss in losses, f"one of {', '.join(losses)}"),
            ("evaluate_every", self.evaluate_every >= 1, "at least 1"),
            ("validation", self.validation >= 1, "at least 1"),
            ("ladder", self.ladder >= 0, "at least 0"),
        ]
        check_fields(self, checks)

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
