"""How the models of data/models do on every set of mazes, and how solvers do there.

    python -m experiments.by_set            # writes data/results/by-set.json
    python -m experiments.by_set mixed5     # this model again, the others as they are

One row a model (or solver, or earlier checkpoint of a model) and set. Each number is a
list, the share and its 95% interval: answers that are exact, a shortest path, valid, or
start where they should; of the valid ones, those that are a shortest path (`of_valid`);
forks that are decided rightly, all and the deep misleading ones (4 steps and more to
look ahead). Whole mazes are drawn for the intervals, up to turns and mirror images;
questions where the set is all of them about one maze. `sets` says how many questions
there are, and how many such groups.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.baselines import SOLVERS, fork_chances, shortest_probability
from mazelib.behaviour.evaluation import evaluate
from mazelib.behaviour.forks import fork_table
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.models import zoo
from mazelib.tokens.tokenizer import Edges

DECIDING = ("none", "4×4", "6×6", "wilson", "kruskal", "cycles, p = 0.2")
"""Sets of which 2,000 mazes are asked; of the others that are drawn, 500."""
BY_SOLVER = 1200
"""The most mazes of a set that a solver is asked."""
LADDER = ("none", "wilson", "kruskal")
"""Sets that the earlier checkpoints are asked."""
TABLE = "by-set.json"
GRID = 5
"""The side of the mazes that the sets are shifted from."""


class Asked(NamedTuple):
    """Mazes, their lists where these are not as usual, and what is drawn as a whole.

    orders: how many times over all questions come, listed in another order each time.
    """

    mazes: MazeSet
    lists: list[Edges] | None
    groups: np.ndarray
    orders: int = 1


def drawn(name: str, shift: shifts.Shift) -> Asked:
    """As many mazes of a shift as are asked."""
    mazes, lists = shift.draw(2000 if name in DECIDING else 500)
    return Asked(mazes, lists, mazes.canonical_hashes)


def enumerated(
    make: Callable[..., MazeSet], orders: int = 3, by_question: bool = False
) -> Asked:
    """A set of all there is, in several orders."""
    mazes = make(orders=orders)
    ends = mazes.origin[:, 0] * mazes.n**2 + mazes.target[:, 0]
    return Asked(mazes, None, ends if by_question else mazes.canonical_hashes, orders)


def two_ways() -> Asked:
    """Mazes with one cycle."""
    mazes = contrasts.two_ways(2000)
    return Asked(mazes, None, mazes.canonical_hashes)


def sets() -> dict[str, Callable[[], Asked]]:
    """What makes each set, by its name."""
    known = {**shifts.shifts(GRID), **shifts.lengths(GRID)}
    return {
        **{name: partial(drawn, name, shift) for name, shift in known.items()},
        "two ways": two_ways,
        "open field, all": partial(enumerated, contrasts.open_field, by_question=True),
        "obstacle, all": partial(enumerated, contrasts.blocked),
    }


def score(right: np.ndarray, groups: np.ndarray) -> list[float]:
    """A share, and its 95% interval over groups."""
    right = right.astype(float)
    interval = bootstrap_groups(groups, lambda rows: right[rows].mean(), resamples=500)
    return [float(right.mean()), *interval]


def row_of_model(model: str | Path, asked: Asked) -> dict:
    """What a model scores on a set."""
    trained = zoo.load(model)
    table = evaluate(trained.model, trained.tokenizer, asked.mazes, edges=asked.lists)
    forks = fork_table(asked.mazes, table["next_cells"].tolist())
    columns = ("exact", "shortest", "valid")
    shares = {name: table[name].to_numpy() for name in columns}
    shares["starts"] = (table["departure"] != "starts elsewhere").to_numpy()
    found = {name: score(right, asked.groups) for name, right in shares.items()}
    if (valid := shares["valid"]).any():
        of_valid = score(shares["shortest"][valid], asked.groups[valid])
        found |= {"of_valid": of_valid, "valid_n": int(valid.sum())}
    found["forks"] = score(forks["right"].to_numpy(), asked.groups[forks["maze"]])
    deep = forks[forks["misleading"] & (forks["lookahead"].fillna(0) >= 4)]
    if len(deep):
        found["deep"] = score(deep["right"].to_numpy(), asked.groups[deep["maze"]])
    return {"questions": trained.card["questions"], **found}


def row_of_solver(solver: str, asked: Asked) -> dict:
    """What a solver scores on a set, in closed form, on mazes from all through it."""
    step, distinct = SOLVERS[solver], len(asked.mazes) // asked.orders
    count = min(BY_SOLVER, distinct)
    rows = np.linspace(0, distinct - 1, count).round().astype(int)
    few, groups = asked.mazes[rows], asked.groups[rows]
    shortest = np.array([shortest_probability(sample, step) for sample in few])
    chances = [np.array(fork_chances(sample, step)) for sample in few]
    of_fork = np.repeat(groups, [len(c) for c in chances])
    return {
        "shortest": score(shortest, groups),
        "forks": score(np.concatenate(chances), of_fork),
    }


def rows(
    models: Sequence[str], solvers: Sequence[str]
) -> tuple[list[dict], dict[str, dict]]:
    """Models and solvers on every set, rungs of the models on a few; and the sets."""
    found, about = [], {}
    for name, make in tqdm(sets().items(), "sets"):
        asked = make()
        places = {n: n for n in models}
        if name in LADDER:
            places |= {f"{n}/{r.name}": r for n in models for r in zoo.ladder(n)}
        about[name] = {"n": len(asked.mazes), "groups": len(set(asked.groups.tolist()))}
        key = {"set": name, "n": len(asked.mazes)}
        for model, place in places.items():
            found.append({"model": model, **key, **row_of_model(place, asked)})
        for solver in solvers:
            found.append({"model": solver, **key, **row_of_solver(solver, asked)})
    return found, about


def models_asked() -> list[str]:
    """Those with one token a cell that were not shown a few mazes again and again.

    And not those that learned positions behind lists of another length than 5×5 mazes
    have: they solve nothing here (`experiments.list_lengths`).
    """
    return [name for name in zoo.names() if is_asked(name)]


def is_asked(name: str) -> bool:
    """Can anything be learned from asking this model?"""
    shape, stream = zoo.read_card(name)["model"], zoo.trained_on(name)
    is_at_home = shape["positions"] == "rotary" or stream.mazes.grid == GRID
    return shape["scheme"] == "ut" and stream.pool is None and is_at_home


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask everything, or what is named, and write the table."""
    one_thread()
    everyone = [*models_asked(), *SOLVERS]
    names = names_asked(__doc__, everyone, arguments)
    models = [name for name in names if name not in SOLVERS]
    found, about = rows(models, [name for name in names if name in SOLVERS])
    made_by, weights = "python -m experiments.by_set", zoo.hashes(models)
    replace_rows(TABLE, names, found, weights, made_by=made_by, sets=about)


if __name__ == "__main__":
    main()
