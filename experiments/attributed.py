"""Who writes the next token's lead: heads and MLPs, and the tokens they read it off.

    python -m experiments.attributed          # writes data/results/attributed.json
    python -m experiments.attributed dfs5     # this model again, the others as they are

One row a model, by task (`mazelib.interventions.attribution.TASKS`), on 1,000 test
mazes. `parts`: what share of the right token's lead over the best other way each head
and MLP writes, over all steps that go right, with an interval over mazes; `read off`:
the share of the heads alone, by the kind of the token they attend to. `three`: the
share of the three heads or MLPs that write most on other mazes; `chance`: the 95th
percentile of that of three drawn by chance.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from experiments.families import (
    mazes_of,
    networks,
    rounded,
    without,
    write_table,
)
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.internals.probes import groups_of
from mazelib.interventions import Attribution, Network, attribute
from mazelib.interventions.attribution import TASKS
from mazelib.models import zoo

TABLE = "attributed.json"
FAMILIES = ("dfs5", "dfs6-learned")
COUNT, OTHERS = 1000, 50_000
"""Mazes to score and as many to choose on, and where the latter begin."""
BEST, DRAWS = 3, 1000


def named(found: Attribution) -> list[str]:
    """The parts' names: L3H1, L3 MLP, embedding, …"""
    names = []
    for component, layer, head in found.parts.itertuples(index=False):
        of_layer = {"head": f"L{layer}H{head}", "mlp": f"L{layer} MLP"}
        rest = f"L{layer} {component}" if layer >= 0 else component
        names.append(of_layer.get(component, rest))
    return names


def share(
    written: Float[np.ndarray, "steps"], whole: Float[np.ndarray, "steps"]
) -> float:
    """What part of a sum of leads is written by some."""
    return written.sum() / whole.sum()


def with_interval(
    written: Float[np.ndarray, "steps"],
    whole: Float[np.ndarray, "steps"],
    group: Int[np.ndarray, "steps"],
) -> list[float]:
    """A share and its interval over groups of mazes."""
    ends = bootstrap_groups(
        group, lambda rows: share(written[rows], whole[rows]), resamples=500
    )
    return rounded([share(written, whole), *ends])


def most(found: Attribution, right: np.ndarray) -> Int[np.ndarray, "best"]:
    """The heads or MLPs that write most, of steps that go right."""
    parts = candidates(found)
    total = found.written[right][:, parts].sum(0)
    return parts[np.argsort(-total)[:BEST]]


def candidates(found: Attribution) -> Int[np.ndarray, "parts"]:
    """The columns of heads and MLPs."""
    return np.flatnonzero(found.parts["component"].isin(["head", "mlp"]))


def facts(found: Attribution, other: Attribution, group: np.ndarray) -> dict:
    """What is kept of one task. other: of the mazes that the three are chosen on."""
    right, names = found.difference > 0, named(found)
    written, whole = found.written[right], found.difference[right]
    groups = group[found.steps.maze[right]]
    best = most(other, other.difference > 0)
    rng, parts = np.random.default_rng(0), candidates(found)
    drawn = [rng.choice(parts, BEST, replace=False) for _ in range(DRAWS)]
    chance = [share(written[:, some].sum(1), whole) for some in drawn]
    by_kind = found.by_kind[right].sum(0) / whole.sum()
    return {
        "n": len(whole),
        "mazes": len(np.unique(groups)),
        "accuracy": rounded(right.mean()),
        "parts": {
            name: with_interval(column, whole, groups)
            for name, column in zip(names, written.T, strict=True)
        },
        "read off": rounded(by_kind),
        "best": [names[at] for at in best],
        "three": with_interval(written[:, best].sum(1), whole, groups),
        "chance": rounded(np.quantile(chance, 0.95)),
    }


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    network, group = Network(zoo.load(name)), groups_of(mazes)
    found: dict = {"model": name}
    for task in TASKS:
        asked, chosen = (attribute(network, some, task) for some in (mazes, others))
        found[task] = facts(asked, chosen, group)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Attribute all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, COUNT)
        others = without(mazes_of(family, COUNT, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=FAMILIES)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
