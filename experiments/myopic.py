"""Myopic twins: what is lost where no token learns to help a later one?

    python -m experiments.myopic          # writes data/results/myopic.json

Short trainings by dfs5's recipe, three seeds each: as it is, and by the two losses of
`mazelib.models.model.MYOPIC`. One row a training: what `experiments.growth` has of a
checkpoint (how many far forks it decides rightly, how well the path to come can be
read), and the share of test mazes that it solves exactly. `guess`: what a guess among
the ways on has at the far forks. The runs lie in runs/myopic, two at a time, one core
each, and go on where they stopped.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from experiments import growth
from experiments.families import COUNT, mazes_of, rounded
from experiments.recipes import DFS5
from mazelib.evidence.records import RESULTS
from mazelib.evidence.threads import one_thread
from mazelib.files import write_json
from mazelib.models import zoo
from mazelib.training.recipe import TrainConfig
from mazelib.training.sweep import sweep
from mazelib.training.validation import teacher_forced

TABLE = "myopic.json"
ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "myopic"
FAMILY = "dfs5"
LOSSES = ("path", "myopic", "myopic-path")
SEEDS = (0, 1, 2)
SHORT = replace(DFS5, steps=4000)


def configs() -> dict[str, TrainConfig]:
    """The trainings, by name; all losses of a seed before the next one's."""
    return {
        f"{loss}-seed{seed}": replace(
            SHORT, loss=loss, mazes=replace(SHORT.mazes, seed=seed)
        )
        for seed in SEEDS
        for loss in LOSSES
    }


def main() -> None:
    """Train what is not trained yet, ask all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=2)
    sweep(configs(), RUNS, parser.parse_args().jobs)
    one_thread()
    question, mazes = growth.Question.of(FAMILY), mazes_of(FAMILY, COUNT)
    rows = []
    for name, config in tqdm(configs().items(), "trainings"):
        trained = zoo.load(RUNS / name)
        exact = teacher_forced(trained.model, trained.tokenizer, mazes).right.mean()
        found = {"loss": config.loss, "seed": config.mazes.seed, "exact": exact}
        rows.append({**found, **growth.row(RUNS / name, question)})
    forks = question.forks.table
    far = forks[forks["misleading"] & (forks["lookahead"] >= growth.FAR)]
    facts = {
        "made_by": "python -m experiments.myopic",
        "n": COUNT,
        "guess": rounded((1 / far["options"]).mean()),
        "rows": rows,
    }
    write_json(RESULTS / TABLE, facts, indent=1)


if __name__ == "__main__":
    main()
