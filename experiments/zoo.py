"""Make the models of data/models: train one, score it, write its folder and its card.

    python -m experiments.zoo dfs5          # or: make train MODEL=dfs5
    python -m experiments.zoo dfs5 dfs6 --now # write what unfinished runs have reached
    python -m experiments.zoo dfs5 --continue # go on from data/models, a run being lost

A recipe has one stage or more, each of which begins with the weights of the one before.
The run of the last lies in runs/NAME, those before it in runs/NAME.1 and so on; a run
goes on where it stopped when it is started again.
"""

import argparse
import copy
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from experiments.model_cards import model_card, stored_as
from mazelib.behaviour.evaluation import evaluate, prompts, summary
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.files import remove_leftovers
from mazelib.mazes.generators import MazeConfig
from mazelib.models import checkpoint, zoo
from mazelib.models.facts import make
from mazelib.models.model import MazeModelConfig
from mazelib.training import snapshot
from mazelib.training.loop import state_folder, train
from mazelib.training.recipe import TrainConfig
from mazelib.training.validation import validation_mazes

RUNS = Path(__file__).resolve().parent.parent / "runs"
SCORED = 4000
"""Test mazes that a finished model is scored on."""

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
    config: TrainConfig,
    steps: int = 5_000,
    muon_lr: float = 0.003,
    adamw_lr: float = 9e-4,
) -> tuple[TrainConfig, TrainConfig]:
    """A run and a shorter one after it, on other mazes, whose rates rise once more."""
    second = replace(
        other(config, seed=config.mazes.seed + 10),
        steps=steps,
        muon_lr=muon_lr,
        adamw_lr=adamw_lr,
        ladder=0,
        weights=None,
    )
    return config, second


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
PUBLISHED_LADDERS = ("dfs5",)
"""Models whose ladders go to data/models: a checkpoint takes 2 MB."""
PAIRS = replace(other(DFS5, scheme="ctt"), ladder=LADDER // 3, evaluate_every=1000)
"""Four of its checkpoints are at the same steps as dfs5's, for comparison."""
LEARNED = other(DFS5, positions="learned")
LARGE = replace(LEARNED, batch=64, muon_lr=0.01, warmup=100, evaluate_every=1000)
"""What a GPU trains in minutes."""
LEARNED6 = replace(other(LARGE, mazes=MazeConfig("dfs", 6)), steps=19_200)
FEWER6 = replace(LEARNED6, steps=24_000, batch=16, evaluate_every=500)
"""The same for two cores: a third of the questions, in more and smaller steps."""
MIXED = MazeConfig("mixed", 5, p=0.2)
[SIX] = further("dfs5", mazes=MazeConfig("dfs", 6))
POOL = other(DFS5, mazes=MazeConfig("dfs", 4), pool=64)
RECIPES: dict[str, tuple[TrainConfig, ...]] = {
    "dfs5": again(replace(DFS5, ladder=LADDER)),
    "dfs5-seed1": again(other(DFS5, seed=1)),
    "dfs5-seed2": again(other(DFS5, seed=2)),
    "dfs5-learned": again(LEARNED),
    "dfs6-learned": (LEARNED6,),
    "dfs6-learned-seed1": (other(FEWER6, seed=1),),
    "dfs6-learned-seed2": (other(FEWER6, seed=2),),
    "dfs6": again(SIX, steps=7_000, muon_lr=SIX.muon_lr, adamw_lr=SIX.adamw_lr),
    "mixed5": further("dfs5", mazes=MIXED),
    "dfs5-shifted": further("dfs5", steps=8_000, spread=7),
    "dfs5-shifted-learned": further("dfs5-learned", LEARNED, 8_000, spread=7),
    "dfs5-walls": again(other(DFS5, scheme="walls")),
    "dfs5-pairs": again(PAIRS),
    "dfs5-whole": again(replace(DFS5, loss="sequence")),
    "memorizer4": (replace(POOL, steps=4_000),),
}


def remaining(stages: tuple[TrainConfig, ...], name: str) -> list[TrainConfig]:
    """What is left of a recipe after the steps that a published model has done.

    The rates go on falling from where they were, on mazes of another seed unless there
    is a pool of them; what the optimizers remembered is lost. Raises MazelibError if
    nothing is left.
    """
    done = zoo.read_card(name)["steps"]
    for number, config in enumerate(stages):
        if done < config.steps:
            # the highest rate still to come: what is left warms up to it once more
            peak = max(done, min(config.warmup, config.steps // 2))
            pool, rate = config.mazes.pool, config.learning_rate_factor(peak)
            seed = config.mazes.seed + (0 if pool else 1000 * done)
            rest = replace(
                other(config, seed=seed),
                steps=config.steps - done,
                muon_lr=config.muon_lr * rate,
                adamw_lr=config.adamw_lr * rate,
                ladder=0,
                weights=name,
            )
            return [rest, *stages[number + 1 :]]
        done -= config.steps
    raise MazelibError(f"{name} has done all steps of its recipe")


def train_model(name: str, from_published: bool) -> None:
    """Train a model of the list; what is left of it, if it is to go on."""
    stages = RECIPES[name]
    *first, last = remaining(stages, name) if from_published else stages
    folders = [RUNS / f"{name}.{number}" for number, _ in enumerate(first, 1)]
    begun = None
    for config, folder in zip([*first, last], [*folders, RUNS / name], strict=True):
        config = replace(config, weights=begun or config.weights)
        if from_published:
            config = begun_with(folder) or config
        train(config, folder, scores(config))
        begun = os.path.relpath(folder)


def begun_with(folder: Path) -> TrainConfig | None:
    """The config of the run whose state lies beside a folder, if there is one."""
    state = snapshot.newest(state_folder(folder))
    if state is None:
        return None
    return make(TrainConfig, state.facts.get("config"), state_folder(folder))


def scores(config: TrainConfig):
    """What the log says of a model at each validation, beside its exact-match."""
    mazes = validation_mazes(config.mazes, config.validation)
    shown = ("valid", "reached_target", "node_overlap", "fork_accuracy")

    def score(step: int, model) -> dict:
        found = summary(evaluate(model, config.model.tokenizer, mazes))
        return {name: found[name] for name in shown}

    return score


def newest(name: str) -> Path:
    """The folder of the last stage that a model has come to.

    Raises MazelibError if it has not come to the first validation.
    """
    stages = len(RECIPES[name])
    folders = [RUNS / name, *(RUNS / f"{name}.{n}" for n in range(stages - 1, 0, -1))]
    for folder in folders:
        if (folder / checkpoint.CARD).is_file():
            return folder
    raise MazelibError(f"there is no run of {name} in {RUNS}: train it first")


def publish(name: str) -> dict:
    """Score a run's model on test mazes and write it, with its card, to data/models.

    Its weights are stored as `stored_as` says.
    """
    run, recipe = newest(name), RECIPES[name][0]
    mazes = MazeStream(recipe.mazes.held_back("test")).take(0, SCORED)
    trained = checkpoint.load(run)
    whole, log = unrounded(run, trained)
    steps = sum(stage.steps for stage in RECIPES[name])
    is_done, changed = trained.card["steps"] == steps, 0
    if is_done:  # else it is stored as a ladder's checkpoints are
        changed = answers_changed(trained, whole, mazes)
    model = whole if changed else trained.model
    table = evaluate(model, trained.tokenizer, mazes)
    facts = {
        **{key: value for key, value in trained.card.items() if key != "sha256"},
        "metrics": summary(table),
        "split": "test",
        "seed": recipe.mazes.seed,
        "rounding": {"changed": changed, "n": len(mazes) if is_done else 0},
    }
    texts = {
        checkpoint.LOG: checkpoint.log_text(log),
        "README.md": model_card(name, RECIPES[name], facts, table),
    }
    remove_leftovers(zoo.MODELS / name)
    return checkpoint.save(
        zoo.MODELS / name,
        model,
        MazeModelConfig(**trained.card["model"]),
        facts,
        texts,
        {"ladder": run / "ladder"} if name in PUBLISHED_LADDERS else {},
        stored_as(facts),
    )


def unrounded(
    run: Path, trained: checkpoint.TrainedModel
) -> tuple[torch.nn.Module, list[dict]]:
    """A run's model before its weights were rounded to float16, and the run's log.

    Raises MazelibError if the run has gone on since.
    """
    state = snapshot.newest(state_folder(run))
    if state is None or state.facts["log"][-1]["step"] != trained.card["steps"]:
        raise MazelibError(
            f"{run} has no state of the same step: if it is going on, stop it or try "
            "again; if not, start it again"
        )
    whole = copy.deepcopy(trained.model)
    averaged = {k: v for k, v in state.tensors.items() if k.startswith("averaged.")}
    whole.load_state_dict({k.split(".", 1)[1]: v for k, v in averaged.items()})
    return whole, state.facts["log"]


def answers_changed(
    trained: checkpoint.TrainedModel, whole: torch.nn.Module, mazes: MazeSet
) -> int:
    """To how many mazes another model gives another greedy answer."""
    asked = prompts(mazes, trained.tokenizer)
    answers = (rollout(m, trained.tokenizer, asked) for m in (trained.model, whole))
    return sum(not np.array_equal(a, b) for a, b in zip(*answers, strict=True))


def main() -> None:
    """Train the models named on the command line, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--now", action="store_true", help="train nothing, publish")
    parser.add_argument(
        "--continue",
        dest="from_published",
        action="store_true",
        help="do what is left of the recipe from the weights in data/models",
    )
    arguments = parser.parse_args()
    os.chdir(RUNS.parent)  # where a run says that its weights are
    for name in arguments.names:
        try:
            if not arguments.now:
                train_model(name, arguments.from_published)
            metrics = publish(name)["metrics"]
        except MazelibError as error:
            sys.exit(f"{name}: {error}")
        low, high = metrics["exact_ci"]
        print(f"{name}: exact {metrics['exact']:.4f} [{low:.4f}, {high:.4f}]")


if __name__ == "__main__":
    main()
