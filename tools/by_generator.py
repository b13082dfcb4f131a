"""How every model of data/models does on the mazes of every generator.

    python tools/by_generator.py            # writes data/results/by-generator.json

One row a model and kind of maze: 1,000 test mazes without cycles, the share solved
exactly, fork accuracy, what a random choice scores at those forks, and the accuracy at
misleading ones that one has to look ahead from, 4 steps and more. Earlier checkpoints
of a model (its ladder) are asked the three kinds in `LADDER`.
"""

import json
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.behaviour.baselines import fork_chances, random_step
from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.shifts import Shift, shifts
from mazelib.evidence import RESULTS
from mazelib.files import replacing
from mazelib.generators import PERFECT
from mazelib.validation import teacher_forced

COUNT = 1000
LADDER = ("dfs", "wilson", "kruskal")


def kinds(grid: int) -> dict[str, Shift]:
    """Each generator's mazes of a grid in the corner, by its name."""
    known = shifts(grid, grid)
    return {name: known["none" if name == "dfs" else name] for name in PERFECT}


def row(model: str | Path, name: str, shift: Shift) -> dict:
    """What a model scores on one kind of maze."""
    trained = zoo.load(model)
    mazes, tokenizer = shift.draw(COUNT)[0], trained.tokenizer
    likeliest, _, right = teacher_forced(trained.model, tokenizer, mazes)
    forks = fork_table(mazes, next_cells(likeliest, tokenizer, mazes))
    chances = [fork_chances(sample, random_step) for sample in mazes]
    deep = forks[forks["misleading"] & (forks["lookahead"] >= 4)]
    return {
        "questions": trained.card["questions"],
        "mazes": name,
        "n": len(mazes),
        "exact": float(right.mean()),
        "forks": float(forks["right"].mean()),
        "chance": float(np.mean(np.concatenate(chances))),
        "deep": float(deep["right"].mean()),
        "deep_n": len(deep),
    }


def asked() -> list[tuple[str, str | Path, str, Shift]]:
    """The name, the model, and the name and the mazes of a kind, of every row."""
    found = []
    for name in zoo.names():
        known = kinds(zoo.held_out(name).mazes.grid)
        found += [(name, name, kind, shift) for kind, shift in known.items()]
        rungs = [(rung, kind) for rung in zoo.ladder(name) for kind in LADDER]
        found += [(f"{name}/{rung.name}", rung, k, known[k]) for rung, k in rungs]
    return found


def main() -> None:
    """Ask everything and write the table."""
    rows = [{"model": name, **row(*rest)} for name, *rest in tqdm(asked())]
    facts = {"made_by": "python tools/by_generator.py", "rows": rows}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with replacing(RESULTS / "by-generator.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
