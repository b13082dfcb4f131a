"""How a model is trained: the data, the shape, the optimizer, the length.

config = TrainConfig(StreamConfig(MazeConfig("dfs", 5), questions=8), steps=2000)
"""

from dataclasses import dataclass, field

from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError
from mazelib.models.model import MazeModelConfig
from mazelib.training.schedule import Schedule


@dataclass(frozen=True)
class TrainConfig(Schedule):
    """A training run: a `Schedule` with what is learned and what learns it.

    mazes: what it learns from; its seed is also that of the initial weights.
    model: the network's shape.
    weights: a model of the same shape whose weights the run begins with, by name or
        folder, or nothing. If it was trained on mazes of the same kind, the run goes on
        where it ended; give another seed, or it sees the same mazes again.

    Raises MazelibError for a value out of range.
    """

    mazes: StreamConfig = field(default_factory=lambda: StreamConfig(questions=8))
    model: MazeModelConfig = field(default_factory=MazeModelConfig)
    weights: str | None = None

    def __post_init__(self):
        super().__post_init__()
        side = self.mazes.spread or self.mazes.mazes.grid
        if side > self.model.side:
            raise MazelibError(
                f"side is {self.model.side}, but the mazes need a vocabulary of side "
                f"≥ {side}"
            )
