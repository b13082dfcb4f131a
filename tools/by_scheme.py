"""How the models of the three token schemes do on the same test mazes.

    python tools/by_scheme.py               # writes data/results/by-scheme.json

One row a model: the means of what is measured of an answer, the share of forks that
are decided rightly, and the numbers of the mazes that are failed, each with how the
answer first leaves the true path. Beside the model of each scheme are the other seeds
of one token a cell: how far apart two trainings of the same scheme are.
"""

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.behaviour.evaluation import evaluate, summary
from mazelib.dataset import MazeSet, MazeStream
from mazelib.evidence import RESULTS
from mazelib.files import write_json

MODELS = ("dfs5", "dfs5-seed1", "dfs5-seed2", "dfs5-pairs", "dfs5-walls")
COUNT = 12_000
"""So many that a quarter of two failures in a hundred is beyond chance."""


def row(name: str, mazes: MazeSet) -> dict:
    """What one model does on the mazes."""
    trained = zoo.load(name)
    table = evaluate(trained.model, trained.tokenizer, mazes, progress=True)
    failed = np.flatnonzero(~table["exact"]).tolist()
    how = table["departure"].iloc[failed].tolist()
    facts = {"model": name, "questions": trained.card["questions"]}
    return {**facts, **summary(table), "failed": failed, "departures": how}


def main() -> None:
    """Ask each model there is and write the table."""
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, COUNT)
    there = [name for name in MODELS if name in zoo.names()]
    rows = [row(name, mazes) for name in tqdm(there, "models")]
    facts = {"made_by": "python tools/by_scheme.py", "rows": rows}
    write_json(RESULTS / "by-scheme.json", facts)


if __name__ == "__main__":
    main()
