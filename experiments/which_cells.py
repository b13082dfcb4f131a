"""Which cells of a fork's other way turn the choice: the next, later, or far ones?

    python -m experiments.which_cells        # writes data/results/which-cells.json
    python -m experiments.which_cells dfs5   # this model again, the others as they are

One row a model. As in `experiments.replanned`, the stream at a fork is moved along the
probes of cells of the other way less those of the right one: of the `next` cell, of the
first four (`near`), of these without the next (`later`), and of the up to four cells
after them (`far`), as a plan that is made back from the target would settle first.
`later apart`, `far apart`: along what is left of these directions without the probes of
the cells before them, on either way. `turns`: at what share of forks that were decided
rightly the choice becomes the other way, at the same forks for all, each after the
layer and at the length that turn most on other mazes; `random`: as far in random
directions. `cosine`: of the near direction and the far one.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from experiments.families import (
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
    write_table,
)
from experiments.pushes import (
    CHOSEN,
    COUNT,
    MAZES,
    MORE,
    SHORTEST,
    Asked,
    Read,
    columns,
    decided,
    pushed,
    tried_at,
    unit,
)
from experiments.replanned import ASKED
from mazelib.behaviour.detours import way_cells
from mazelib.dataset.stream import MazeSet
from mazelib.internals.probes import CHOOSE, SCORE, groups_of
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

TABLE = "which-cells.json"
LOOKED = 4
"""How many times as many forks are looked through, for such as have far cells."""
CELLS = {"next": (0, 1), "near": (0, 4), "later": (1, 4), "far": (4, 8)}
"""Which cells of each way, counted from the fork."""
APART = {"later": "next", "far": "near"}
"""Which cells' probes are taken out of which direction."""

Signs = Float[np.ndarray, "forks cells"]
Moves = Float[np.ndarray, "layers forks width"]


def ways_of(asked: Asked) -> Iterator[tuple[list[int], list[int]]]:
    """The first eight cells of each fork's other way, and of its right one."""
    most = max(end for _, end in CELLS.values())
    for sample, step, other in asked:
        right = sample.path[step + 1 : step + 1 + most].tolist()
        yield way_cells(sample, step, other, most), right


def signs_of(asked: Asked) -> dict[str, Signs]:
    """1 at cells of the other way, -1 at the right one's, for each of `CELLS`.

    In mazes without cycles the two ways share no cell.
    """
    found = {k: np.zeros((len(asked.other), asked.mazes.n**2)) for k in CELLS}
    for row, (other, right) in enumerate(ways_of(asked)):
        for kind, (begin, end) in CELLS.items():
            found[kind][row, other[begin:end]] = 1
            found[kind][row, right[begin:end]] = -1
    return found


def with_far_ends(asked: Asked, most: int) -> Asked:
    """Forks of which both ways have far cells of their own, at most so many."""
    far = signs_of(asked)["far"]
    fits = ((far > 0).sum(1) >= SHORTEST) & ((far < 0).sum(1) >= SHORTEST)
    return asked.those(np.isin(np.arange(len(fits)), np.flatnonzero(fits)[:most]))


def directions(
    asked: Asked, weights: Float[np.ndarray, "layers width cells"]
) -> dict[str, Moves]:
    """The directions of each kind of cells, and what is apart from cells before."""
    signs = signs_of(asked)
    found = {k: np.einsum("fc,ldc->lfd", each, weights) for k, each in signs.items()}
    for kind, before in APART.items():
        apart = np.empty_like(found[kind])
        for row, which in enumerate(signs[before] != 0):
            basis = np.linalg.qr(weights[:, :, which])[0]  # [layers, width, cells]
            move = found[kind][:, row, :, None]
            apart[:, row] = (move - basis @ (basis.transpose(0, 2, 1) @ move))[..., 0]
        found[f"{kind} apart"] = apart
    return {kind: unit(move) for kind, move in found.items()}


def most_turned(
    trained: TrainedModel, asked: Asked, moves: Moves, spread: np.ndarray
) -> tuple[int, float]:
    """The layer and the length that turn most forks."""
    tried = tried_at(trained, asked, moves, spread)
    return max(tried, key=lambda where: tried[where].turns.mean())


def row(name: str, family: str) -> dict:
    """All that is measured of one model."""
    trained, mazes = zoo.load(name), mazes_of(family, MAZES)
    probes, spread, part = Read.of(trained, mazes)
    more = without(mazes_of(family, MORE, start=MAZES), mazes)
    fresh = MazeSet.concatenate([mazes[part == SCORE], more])
    tuned, asked = (
        with_far_ends(decided(trained, some, False, LOOKED * most), most)
        for some, most in ((mazes[part == CHOOSE], CHOSEN), (fresh, COUNT))
    )
    at, group = columns(trained, asked), groups_of(asked.mazes)
    on_others, moves = (directions(some, probes.weights) for some in (tuned, asked))
    chance = unit(np.random.default_rng(0).normal(size=moves["near"][0].shape))
    found = {}
    for kind, move in moves.items():
        layer, size = most_turned(trained, tuned, on_others[kind], spread)
        length = size * spread[layer]
        hits, by_chance = (
            pushed(trained, asked, layer, length * along, at).turns
            for along in (move[layer], chance)
        )
        found[kind] = {
            "layer": layer,
            "length": size,
            "turns": mean_over(hits, group),
            "random": rounded(by_chance.mean()),
        }
    layer = found["near"]["layer"]
    cosine = (moves["near"][layer] * moves["far"][layer]).sum(-1)
    return {
        "model": name,
        "n": len(group),
        "mazes": len(np.unique(group)),
        "chosen on": len(tuned.other),
        **found,
        "cosine": rounded(cosine.mean()),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[str]:
        return (family,)

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=MAZES)


if __name__ == "__main__":
    main()
