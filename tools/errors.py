"""Which mazes models fail, and at which forks they err.

    python tools/errors.py                  # writes data/results/errors.json

One row a model and set of mazes: how many mazes and forks there are, the numbers of the
mazes that are not solved exactly, and of the forks, counted through the set, that are
decided wrongly given the path so far. Chapters make the same mazes again and ask what
the errors have in common. All is teacher-forced.
"""

from collections.abc import Iterator

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.metrics import forks_right
from mazelib.dataset import MazeSet, MazeStream
from mazelib.evidence import RESULTS
from mazelib.files import write_json
from mazelib.generators import PERFECT
from mazelib.validation import teacher_forced

TRAININGS = ("dfs5", "dfs5-seed1", "dfs5-seed2")
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
    six = contrasts.far_forks(zoo.held_out("dfs6"), 6000, least=9)
    yield "far, 6×6", six[0], ("dfs6",)
    for name in (*TRAININGS, MEMORIZER):
        seen = contrasts.asked_again(zoo.trained_on(name), 4000)
        yield f"trained on, {name}", seen, (name,)
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


def main() -> None:
    """Ask the models and write the table."""
    asked = [(name, kind, mazes) for kind, mazes, models in sets() for name in models]
    rows = [row(*each) for each in tqdm(asked, "models and sets")]
    weights = {name: zoo.read_card(name)["sha256"] for name, *_ in asked}
    facts = {"made_by": "python tools/errors.py", "weights": weights, "rows": rows}
    write_json(RESULTS / "errors.json", facts)


if __name__ == "__main__":
    main()
