"""How each model of data/models is trained: its mazes, its shape, its stages.

    RECIPES["dfs5"]                        # the stages, one TrainConfig each

Each stage begins with the weights of the one before. `python -m experiments.zoo` trains
by them.
"""

from dataclasses import replace

from mazelib.dataset.stream import StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig
from mazelib.training.recipe import TrainConfig

DFS5 = TrainConfig(
    mazes=StreamConfig(MazeConfig("dfs", 5), questions=16),
    model=MazeModelConfig(layers=8, width=96),
    steps=24_000,
    batch=10,
    muon_lr=0.007,
    adamw_lr=2e-3,
    average=0.998,
    evaluate_every=500,
)


def other(config: TrainConfig, **changes) -> TrainConfig:
    """The same run with other mazes or another model: names of their fields."""
    mazes = {k: v for k, v in changes.items() if k in StreamConfig.__dataclass_fields__}
    shape = {k: v for k, v in changes.items() if k not in mazes}
    return replace(
        config,
        mazes=replace(config.mazes, **mazes),
        model=replace(config.model, **shape),
    )


def again(
    config: TrainConfig | tuple[TrainConfig, ...],
    steps: int = 5_000,
    muon_lr: float = 0.003,
    adamw_lr: float = 9e-4,
) -> tuple[TrainConfig, ...]:
    """A run, or several, and one more after it: other mazes, rates that rise again."""
    stages = config if isinstance(config, tuple) else (config,)
    following = replace(
        other(stages[-1], seed=stages[-1].mazes.seed + 10),
        steps=steps,
        muon_lr=muon_lr,
        adamw_lr=adamw_lr,
        ladder=0,
        weights=None,
    )
    return *stages, following


def further(
    name: str, config: TrainConfig = DFS5, steps: int = 12_000, **changes
) -> tuple[TrainConfig]:
    """A run on other mazes, at lower rates, that begins with a model's weights."""
    run = replace(
        other(config, seed=20, **changes),
        steps=steps,
        muon_lr=0.004,
        adamw_lr=1.2e-3,
        weights=name,
    )
    return (run,)


LADDER = 12
"""Checkpoints of dfs5 on its way."""
PAIRS = replace(other(DFS5, scheme="ctt"), ladder=LADDER // 3, evaluate_every=1000)
"""Four of its checkpoints are at the same steps as dfs5's, for comparison."""
LEARNED = other(DFS5, positions="learned")
LARGE = replace(LEARNED, batch=64, muon_lr=0.01, warmup=100, evaluate_every=1000)
"""What a GPU trains in minutes."""
LEARNED6 = replace(other(LARGE, mazes=MazeConfig("dfs", 6)), steps=19_200)
TEN = replace(
    other(LARGE, mazes=MazeConfig("dfs", 10), side=10, layers=12), steps=8_400
)
FEWER6 = replace(LEARNED6, steps=24_000, batch=16, evaluate_every=500)
"""The same for two cores: in more and smaller steps."""
FALLING = {"muon_lr": 0.004, "adamw_lr": 8e-4}
"""The rates at which further stages of it begin."""
MIXED = MazeConfig("mixed", 5, p=0.2)
[SIX] = further("dfs5", mazes=MazeConfig("dfs", 6))
POOL = other(DFS5, mazes=MazeConfig("dfs", 4), pool=64)
RECIPES: dict[str, tuple[TrainConfig, ...]] = {
    "dfs5": again(replace(DFS5, ladder=LADDER)),
    "dfs5-seed1": again(other(DFS5, seed=1)),
    "dfs5-seed2": again(other(DFS5, seed=2)),
    "dfs5-learned": again(LEARNED),
    "dfs6-learned": (LEARNED6,),
    "dfs6-learned-seed1": again(
        again(other(FEWER6, seed=1), 16_000, **FALLING), 14_000, **FALLING
    ),
    "dfs6-learned-seed2": again(
        again(other(FEWER6, seed=2), 16_000, **FALLING), 14_000, **FALLING
    ),
    "dfs10": (TEN,),
    "dfs6": again(SIX, steps=7_000, muon_lr=SIX.muon_lr, adamw_lr=SIX.adamw_lr),
    "mixed5": further("dfs5", mazes=MIXED),
    "dfs5-shifted": further("dfs5", steps=8_000, spread=7),
    "dfs5-shifted-learned": further("dfs5-learned", LEARNED, 8_000, spread=7),
    "dfs5-walls": again(other(DFS5, scheme="walls")),
    "dfs5-pairs": again(PAIRS),
    "dfs5-whole": again(replace(DFS5, loss="sequence")),
    "memorizer4": (replace(POOL, steps=4_000),),
}
NOTES = {
    "dfs6-learned": "It was trained with an earlier form of the loss for GPUs "
    "(`commit` in card.json), and its log has one validation, at the end.",
    "dfs10": "It was trained with an earlier form of the loss for GPUs (`commit` in "
    "card.json), and its log has one validation, at the end. It is not finished: four "
    "mazes in five were aimed at, which takes many more questions, and a GPU.",
}
"""What else a model's README says of its training."""
