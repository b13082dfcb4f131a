"""How the models of the three token schemes do on the same mazes.

    python -m experiments.by_scheme         # writes data/results/by-scheme.json
    python -m experiments.by_scheme dfs5-walls # this model again, no other

One row a model and set: the means of what is measured of an answer, and how many
failures first leave the true path in which way; of the test also the numbers of the
mazes that are failed, and of the forks, counted through the set, that are decided
wrongly given the path so far.
Beside the model of each scheme are the other seeds of one token a cell: how far apart
two trainings of the same scheme are. A model that is on its way is compared with the
checkpoint of dfs5, NAME/STEP, that has seen as many questions; dfs5 and this checkpoint
are asked with it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.evaluation import evaluate, summary
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.errors import MazelibError
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.models import zoo

TABLE = "by-scheme.json"
MODELS = ("dfs5", "dfs5-seed1", "dfs5-seed2", "dfs5-pairs", "dfs5-walls")
COMPARED = "dfs5"
"""The model whose checkpoints others are compared with that are on their way."""
TEST = "test"
COUNT = 12_000
"""So many that a quarter of two failures in a hundred is beyond chance."""
SHIFTED = ("wilson", "kruskal", "cycles, p = 0.2")
"""Mazes that are new in kind; they are as large as in training, and listed as usual."""


def sets() -> Iterator[tuple[str, MazeSet]]:
    """Each set's name and mazes."""
    yield TEST, MazeStream(zoo.held_out("dfs5")).take(0, COUNT)
    for name in SHIFTED:
        yield name, shifts.shifts()[name].draw(2000)[0]
    yield "open field, all", contrasts.open_field()


def rungs(names: Sequence[str]) -> dict[str, Path]:
    """The checkpoints that those of some models are compared with that need one.

    Raises MazelibError for a model that has seen as many questions as no checkpoint.
    """
    own = zoo.folder_of(COMPARED)
    after = {zoo.read_card(x)["questions"]: x for x in [*zoo.ladder(COMPARED), own]}
    found = {}
    for name in names:
        questions = zoo.read_card(name)["questions"]
        if questions not in after:
            raise MazelibError(
                f"{name} has seen {questions:,} questions, and no checkpoint of "
                f"{COMPARED} as many: publish it after "
                f"{', '.join(f'{count:,}' for count in after)}"
            )
        if after[questions] != own:
            found[name] = after[questions]
    return found


def networks(names: Sequence[str], there: Sequence[str]) -> dict[str, Path]:
    """What to ask if these models of all there are to be, by the name of its rows."""
    compared = rungs(there)
    if not compared.keys().isdisjoint(names):
        names = dict.fromkeys([COMPARED, *names])
    found = {name: zoo.folder_of(name) for name in names}
    if COMPARED in names:
        found |= {f"{COMPARED}/{rung.name}": rung for rung in compared.values()}
    return found


def row(name: str, network: Path, kind: str, mazes: MazeSet) -> dict:
    """What one network does on the mazes of a set."""
    trained = zoo.load(network)
    table = evaluate(trained.model, trained.tokenizer, mazes)
    is_failed = ~table["shortest"]
    found = {
        "model": name,
        "set": kind,
        "questions": trained.card["questions"],
        **summary(table),
        "departures": table["departure"][is_failed].value_counts().to_dict(),
    }
    if kind == TEST:
        right = np.concatenate(table["forks_right"].tolist())
        found["failed"] = np.flatnonzero(is_failed).tolist()
        found["wrong_forks"] = np.flatnonzero(right == 0).tolist()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask each model there is, or those that are named, and write the table."""
    one_thread()
    there = [name for name in MODELS if name in zoo.names()]
    names = names_asked(__doc__, there, arguments)
    pairs = networks(names, there).items()
    asked = [(*pair, *each) for each in sets() for pair in pairs]
    rows = [row(*each) for each in tqdm(asked, "models and sets")]
    made_by = "python -m experiments.by_scheme"
    names = [name for name, _ in pairs if name in there]
    replace_rows(TABLE, names, rows, zoo.hashes(names), made_by=made_by)


if __name__ == "__main__":
    main()
