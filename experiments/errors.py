"""Which mazes models fail, and at which forks they err.

    python -m experiments.errors            # writes data/results/errors.json
    python -m experiments.errors mixed5     # this model again, the others as they are

One row a model and set of mazes: how many mazes and forks there are, the numbers of the
mazes that are not solved exactly, and of the forks, counted through the set, that are
decided wrongly given the path so far. Chapters make the same mazes again and ask what
the errors have in common. All is teacher-forced.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.metrics import forks_right
from mazelib.behaviour.stored import ERRORS
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.mazes.generators import PERFECT
from mazelib.models import zoo
from mazelib.training.validation import teacher_forced

TABLE = ERRORS
TRAININGS = ("dfs5", "dfs5-seed1", "dfs5-seed2")
SIX = ("dfs6", "dfs6-learned", "dfs6-learned-seed1", "dfs6-learned-seed2")
"""Models of 6×6 mazes. Of these, and of all, those that are there are asked."""
TEN = "dfs10"
MEMORIZER = "memorizer4"
MATCHED = ("wilson", "kruskal")
"""Generators that depth-first search is compared with fork by fork."""


def sets() -> Iterator[tuple[str, MazeSet, tuple[str, ...]]]:
    """Each set's name, its mazes, and the models that are asked."""
    usual = zoo.held_out("dfs5")
    yield "test", MazeStream(usual).take(0, 6000), (*TRAININGS, "mixed5")
    for name in PERFECT[1:]:
        is_matched = name in MATCHED
        mazes, _ = shifts.shifts()[name].draw(2000 if is_matched else 500)
        yield name, mazes, (*TRAININGS, "mixed5") if is_matched else TRAININGS
    yield "far", contrasts.far_forks(usual, 40_000, least=9)[0], TRAININGS
    six = zoo.held_out(SIX[1])
    yield "test, 6×6", MazeStream(six).take(0, 6000), SIX
    yield "far, 6×6", contrasts.far_forks(six, 40_000, least=9)[0], SIX
    for name in ("wilson", "kruskal", "prim"):
        yield f"{name}, 6×6", shifts.shifts(6)[name].draw(500)[0], SIX
    yield "test, 10×10", MazeStream(zoo.held_out(TEN)).take(0, 4000), (TEN,)
    for name in (*TRAININGS, MEMORIZER):
        yield f"trained on, {name}", contrasts.seen_last(name, 4000), (name,)
    held = MazeStream(zoo.held_out(MEMORIZER)).take(0, 4000)
    yield f"test, {MEMORIZER}", held, (MEMORIZER,)


def row(name: str, kind: str, mazes: MazeSet) -> dict:
    """What one model gets wrong of a set."""
    trained = zoo.load(name)
    likeliest, _, exact = teacher_forced(trained.model, trained.tokenizer, mazes)
    chosen = next_cells(likeliest, trained.tokenizer, mazes)
    right = np.concatenate(list(map(forks_right, mazes, chosen))).astype(bool)
    return {
        "model": name,
        "set": kind,
        "mazes": len(mazes),
        "forks": len(right),
        "failed": np.flatnonzero(~exact).tolist(),
        "wrong_forks": np.flatnonzero(~right).tolist(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the models, or those that are named, and write the table."""
    one_thread()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args(arguments).names
    asked = [
        (name, kind, mazes)
        for kind, mazes, models in sets()
        for name in models
        if name in (names or zoo.names())
    ]
    models = {name for name, *_ in asked}
    if unknown := set(names) - models:
        parser.error(f"{', '.join(sorted(unknown))}: asked about no set of mazes")
    rows = [row(*each) for each in tqdm(asked, "models and sets")]
    made_by = "python -m experiments.errors"
    replace_rows(TABLE, models, rows, zoo.hashes(models), made_by=made_by)


if __name__ == "__main__":
    main()
