"""Make the models of data/models: train one, score it, write its folder and its card.

    python -m experiments.zoo dfs5          # or: make train MODEL=dfs5
    python -m experiments.zoo dfs5 dfs6 --now # write what unfinished runs have reached
    python -m experiments.zoo dfs5 --continue # go on from data/models, a run being lost
    python -m experiments.zoo dfs5 --from runs/there/dfs5   # trained on another machine

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

from experiments.model_cards import is_done, model_card, stored_as
from experiments.recipes import RECIPES, other
from mazelib.behaviour.evaluation import evaluate, prompts, summary
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.errors import MazelibError
from mazelib.files import remove_leftovers
from mazelib.models import checkpoint, zoo
from mazelib.models.facts import make
from mazelib.models.model import MazeModelConfig
from mazelib.training import snapshot
from mazelib.training.loop import state_folder, train
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import COLUMNS
from mazelib.training.validation import validation_mazes

RUNS = Path(__file__).resolve().parent.parent / "runs"
SCORED = 4000
"""Test mazes that a finished model is scored on."""

PUBLISHED_LADDERS = ("dfs5",)
"""Models whose ladders go to data/models: a checkpoint takes 2 MB."""


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


def publish(name: str, source: Path | None = None) -> dict:
    """Score a run's model on test mazes and write it, with its card, to data/models.

    source: the folder of a model that was trained elsewhere, by the recipe, and came
        without its run.

    Weights are stored as `stored_as` says. Raises MazelibError if the model is not one
    of the recipe.
    """
    run, recipe = source or newest(name), RECIPES[name][0]
    mazes = MazeStream(recipe.mazes.held_back("test")).take(0, SCORED)
    trained = checkpoint.load(run)
    if source:
        check_recipe(name, run, trained.card)
        model, log, rounding = trained.model, zoo.read_log(run), {"changed": 0, "n": 0}
    else:
        model, log, rounding = reached(name, run, trained, mazes)
    table = evaluate(model, trained.tokenizer, mazes)
    facts = {
        **{key: value for key, value in trained.card.items() if key != "sha256"},
        "metrics": summary(table),
        "split": "test",
        "seed": recipe.mazes.seed,
        "rounding": rounding,
    }
    texts = {
        checkpoint.LOG: checkpoint.log_text(thinned(log)),
        "README.md": model_card(name, RECIPES[name], facts, table),
    }
    remove_leftovers(zoo.MODELS / name)
    ladder = {"ladder": run / "ladder"} if name in PUBLISHED_LADDERS else {}
    shape = MazeModelConfig(**trained.card["model"])
    folder, dtype = zoo.MODELS / name, stored_as(facts)
    return checkpoint.save(folder, model, shape, facts, texts, ladder, dtype)


def reached(
    name: str, run: Path, trained: checkpoint.TrainedModel, mazes: MazeSet
) -> tuple[torch.nn.Module, list[dict], dict]:
    """What a run has come to: the model to store, the log, what rounding it changes.

    The model is whole if its rounded weights answer otherwise; one that is on its way
    is rounded, as a ladder's checkpoints are.
    """
    whole, log = unrounded(run, trained)
    if not is_done(RECIPES[name], trained.card):
        return trained.model, log, {"changed": 0, "n": 0}
    changed = answers_changed(trained, whole, mazes)
    model = whole if changed else trained.model
    return model, log, {"changed": changed, "n": len(mazes)}


def thinned(log: list[dict], every: int = 100) -> list[dict]:
    """A log with fewer rows: one after so many steps, and all of validations.

    The loss of a row is the mean since the row before, as it was.
    """
    rows, losses, before = [], [], 0
    for row in log:
        losses.append(row["loss"])
        if row["step"] - before >= every or len(row) > len(COLUMNS):
            rows.append({**row, "loss": sum(losses) / len(losses)})
            losses, before = [], row["step"]
    return rows


def check_recipe(name: str, folder: Path, card: dict) -> None:
    """Raise MazelibError if a model's card tells of another training than its recipe.

    When it is looked at, and where its weights were, does not matter.
    """
    said = make(TrainConfig, card.get("training"), folder)
    free = {"weights": None, "evaluate_every": 1, "validation": 1, "ladder": 0}
    known = [replace(stage, **free) for stage in RECIPES[name]]
    if replace(said, **free) not in known:
        raise MazelibError(
            f"the card of {folder} tells of another training than the recipe of "
            f"{name}: name the model that it is, or train it by its recipe"
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
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="train nothing, publish this folder, of a model trained elsewhere",
    )
    arguments = parser.parse_args()
    source = arguments.source and arguments.source.resolve()
    if source and len(arguments.names) > 1:
        parser.error("--from: name one model")
    os.chdir(RUNS.parent)  # where a run says that its weights are
    for name in arguments.names:
        try:
            if not (arguments.now or source):
                train_model(name, arguments.from_published)
            metrics = publish(name, source)["metrics"]
        except MazelibError as error:
            sys.exit(f"{name}: {error}")
        low, high = metrics["exact_ci"]
        print(f"{name}: exact {metrics['exact']:.4f} [{low:.4f}, {high:.4f}]")


if __name__ == "__main__":
    main()
