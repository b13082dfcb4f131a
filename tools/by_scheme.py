"""How the models of the three token schemes do on the same mazes.

    python tools/by_scheme.py               # writes data/results/by-scheme.json
    python tools/by_scheme.py dfs5-walls    # this model again, the others as they are

One row a model and set: the means of what is measured of an answer; the numbers of the
mazes that are failed, each with how the answer first leaves the true path; the numbers
of the forks, counted through the set, that are decided wrongly given the path so far.
Beside the model of each scheme are the other seeds of one token a cell: how far apart
two trainings of the same scheme are. With dfs5 those of its checkpoints, NAME/STEP, are
asked that have seen as many questions as one of the models, which is then compared with
them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.evaluation import evaluate, summary
from mazelib.commands.flags import names_asked
from mazelib.dataset import MazeSet, MazeStream
from mazelib.evidence import replace_rows

TABLE = "by-scheme.json"
MODELS = ("dfs5", "dfs5-seed1", "dfs5-seed2", "dfs5-pairs", "dfs5-walls")
WITH_LADDER = "dfs5"
COUNT = 12_000
"""So many that a quarter of two failures in a hundred is beyond chance."""
SHIFTED = ("wilson", "kruskal", "cycles, p = 0.2")
"""Mazes that are new in kind; they are as large as in training, and listed as usual."""


def sets() -> Iterator[tuple[str, MazeSet]]:
    """Each set's name and mazes."""
    yield "test", MazeStream(zoo.held_out("dfs5")).take(0, COUNT)
    for name in SHIFTED:
        yield name, shifts.shifts()[name].draw(2000)[0]
    yield "open field, all", contrasts.open_field()


def networks(names: Sequence[str]) -> dict[str, Path]:
    """What to ask, by the name that its rows get: these models, and checkpoints."""
    found = {name: zoo.folder_of(name) for name in names}
    if WITH_LADDER in names:
        there = [name for name in MODELS if name in zoo.names()]
        seen = {zoo.read_card(name)["questions"] for name in there}
        for rung in zoo.ladder(WITH_LADDER):
            if zoo.read_card(rung)["questions"] in seen:
                found[f"{WITH_LADDER}/{rung.name}"] = rung
    return found


def row(name: str, network: Path, kind: str, mazes: MazeSet) -> dict:
    """What one network does on the mazes of a set."""
    trained = zoo.load(network)
    table = evaluate(trained.model, trained.tokenizer, mazes)
    failed = np.flatnonzero(~table["shortest"]).tolist()
    right = np.concatenate(table["forks_right"].tolist())
    return {
        "model": name,
        "set": kind,
        "questions": trained.card["questions"],
        **summary(table),
        "failed": failed,
        "departures": table["departure"].iloc[failed].tolist(),
        "wrong_forks": np.flatnonzero(right == 0).tolist(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask each model there is, or those that are named, and write the table."""
    there = [name for name in MODELS if name in zoo.names()]
    names = names_asked(__doc__, there, arguments)
    asked = [(*pair, *each) for each in sets() for pair in networks(names).items()]
    rows = [row(*each) for each in tqdm(asked, "models and sets")]
    made_by = "python tools/by_scheme.py"
    replace_rows(TABLE, names, rows, zoo.hashes(names), made_by=made_by)


if __name__ == "__main__":
    main()
