"""What each part of the training recipe is worth, and what each token scheme costs.

    python -m experiments.ablations         # data/results/{ablations,schemes,…}.json
    python -m experiments.ablations schemes # one of them

The recipe with one part changed; the three schemes, in longer runs; and how many
questions a maze is asked, on 5×5 mazes. Else 4×4 depth-first mazes, 4 layers × 64;
three seeds, the same number of questions each; two runs at a time, one core each. They
lie in runs/ablations, runs/schemes and runs/packing and go on where they stopped.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from mazelib.behaviour.evaluation import evaluate, summary
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence.records import RESULTS
from mazelib.files import write_json
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.model import MazeModelConfig, build
from mazelib.training.recipe import TrainConfig
from mazelib.training.sweep import sweep

ROOT = Path(__file__).resolve().parent.parent
SEEDS = (0, 1, 2)
TESTED = 2000
"""Test mazes that each finished run is asked."""
BASE = TrainConfig(
    StreamConfig(MazeConfig("dfs", 4), questions=8),
    MazeModelConfig(side=4, layers=4, width=64, max_positions=256),
    steps=1200,
    average=0.99,
    evaluate_every=100,
    validation=2000,
)
LONGER = replace(BASE, steps=2000, model=replace(BASE.model, max_positions=512))
PACKED = replace(
    BASE,
    mazes=StreamConfig(MazeConfig("dfs", 5), questions=8),
    model=replace(BASE.model, side=5, max_positions=512),
    steps=3000,
    evaluate_every=250,
)


def variants() -> dict[str, TrainConfig]:
    """The recipe as it is, and with one part changed."""
    mazes, model = BASE.mazes, BASE.model
    apart = replace(BASE, mazes=replace(mazes, questions=1), batch=128)
    return {
        "the recipe": BASE,
        "one question a maze": apart,
        "loss on the whole sequence": replace(BASE, loss="sequence"),
        "AdamW for all weights": replace(BASE, muon_lr=0.0),
        "flat learning rate": replace(BASE, decay=0.0),
        "twice the Muon rate": replace(BASE, muon_lr=0.02),
        "half the Muon rate": replace(BASE, muon_lr=0.005),
        "no averaging": replace(BASE, average=0.0),
        "learned positions": replace(BASE, model=replace(model, positions="learned")),
        "2 layers × 88": replace(BASE, model=replace(model, layers=2, width=88)),
        "8 layers × 48": replace(BASE, model=replace(model, layers=8, width=48)),
    }


def schemes() -> dict[str, TrainConfig]:
    """Each token scheme, for longer."""
    return {
        name: replace(LONGER, model=replace(LONGER.model, scheme=name))
        for name in ("ut", "walls", "ctt")
    }


def packing() -> dict[str, TrainConfig]:
    """Eight questions a maze, in one step or over eight; and one, of more mazes."""
    eight = PACKED.mazes.questions
    one = replace(PACKED.mazes, questions=1)
    again = replace(one, pool=PACKED.steps * PACKED.batch)
    batch = PACKED.batch * eight
    return {
        "eight questions a maze, together": PACKED,
        "eight questions a maze, apart": replace(PACKED, mazes=again, batch=batch),
        "one question a maze": replace(PACKED, mazes=one, batch=batch),
    }


def end_of(folder: Path) -> dict:
    """What a finished run does on test mazes, and how its answers first go wrong."""
    trained = zoo.load(folder)
    mazes = MazeStream(zoo.held_out(folder)).take(0, TESTED)
    table = evaluate(trained.model, trained.tokenizer, mazes)
    return {**summary(table), "departures": table["departure"].value_counts().to_dict()}


def experiment(name: str, variants: dict[str, TrainConfig], jobs: int) -> None:
    """Run what is not done yet; write one row a validation, and one a finished run."""
    configs = {
        (variant, number, seed): replace(config, mazes=replace(config.mazes, seed=seed))
        for number, (variant, config) in enumerate(variants.items())
        for seed in SEEDS
    }
    runs = {f"{number:02}-seed{seed}": c for (_, number, seed), c in configs.items()}
    logs = sweep(runs, ROOT / "runs" / name, jobs)
    kept, rows, ends = ("questions", "seconds", "exact"), [], []
    for (variant, _, seed), (run, log) in zip(configs, logs.items(), strict=True):
        key = {"variant": variant, "seed": seed}
        rows += [{**key, **{k: r[k] for k in kept}} for r in log if "exact" in r]
        ends.append({**key, **end_of(ROOT / "runs" / name / run)})
    facts = {
        "made_by": "python -m experiments.ablations",
        "n": BASE.validation,
        "parameters": build(next(iter(variants.values())).model).num_parameters(),
        "rows": rows,
        "ends": ends,
    }
    write_json(RESULTS / f"{name}.json", facts, indent=1)


def main() -> None:
    """Run what is asked for."""
    every = {"ablations": variants, "schemes": schemes, "packing": packing}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", choices=every)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    for name in arguments.names or every:
        experiment(name, every[name](), arguments.jobs)


if __name__ == "__main__":
    main()
