"""The far end of a way, written into the stream: does the choice at a fork follow?

    python -m experiments.planned_back        # writes data/results/planned-back.json
    python -m experiments.planned_back dfs5   # this model again, the others as they are

One row a model. A plan that is made back from the target settles the far cells of a way
first, and the next step by them. As `experiments.replanned` moves the stream at a fork
along the probes of the first four cells of its other way (`near`), here it is moved
along those of the up to four cells *after* these (`far`). Cells of both ways are left
out. `apart`: along what is left of that direction without the probes of the first four
cells of either way. `turns`: at what share of forks that were decided rightly the
choice becomes the other way, at the same forks for all three, each after the layer and
at the length that turn most on other mazes; `random`: as far in random directions.
`cosine`: of the near direction and the far one.
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
from experiments.replanned import (
    ASKED,
    CELLS,
    CHOSEN,
    COUNT,
    CYCLIC,
    LENGTHS,
    MAZES,
    MORE,
    SHORTEST,
    Asked,
    columns,
    decided,
    pushed,
    unit,
)
from mazelib.behaviour.detours import way_cells
from mazelib.dataset.stream import MazeSet
from mazelib.internals.lens import open_lens
from mazelib.internals.plans import future, path_steps
from mazelib.internals.probes import CHOOSE, SCORE, fit, groups_of, parts_of
from mazelib.internals.streams import at_steps, streams_at
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

TABLE = "planned-back.json"
LOOKED = 4
"""How many times as many forks are looked through, for such as have far cells."""

Signs = Float[np.ndarray, "forks cells"]
Moves = Float[np.ndarray, "layers forks width"]


def cells_of(asked: Asked) -> Iterator[tuple[list[int], list[int]]]:
    """The first eight cells of each fork's other way, and of its right one."""
    for sample, step, other in asked:
        yield (
            way_cells(sample, step, other, 2 * CELLS),
            sample.path[step + 1 : step + 1 + 2 * CELLS].tolist(),
        )


def signs_of(asked: Asked) -> tuple[Signs, Signs]:
    """1 at cells of the other way, -1 at the right one's: near ones, and far ones."""
    near, far = (np.zeros((len(asked.other), asked.mazes.n**2)) for _ in range(2))
    for row, (other, right) in enumerate(cells_of(asked)):
        near[row, other[:CELLS]] += 1
        near[row, right[:CELLS]] -= 1
        both = {*other} & {*right}
        for cells, sign in ((other, 1), (right, -1)):
            far[row, [cell for cell in cells[CELLS:] if cell not in both]] = sign
    return near, far


def with_far_ends(asked: Asked, most: int) -> Asked:
    """Forks of which both ways have far cells of their own, at most so many."""
    _, far = signs_of(asked)
    fits = ((far > 0).sum(1) >= SHORTEST) & ((far < 0).sum(1) >= SHORTEST)
    return asked.those(np.isin(np.arange(len(fits)), np.flatnonzero(fits)[:most]))


def directions(
    asked: Asked, weights: Float[np.ndarray, "layers width cells"]
) -> dict[str, Moves]:
    """The directions of near cells, of far ones, and of these without the near."""
    near, far = signs_of(asked)
    found = {
        kind: np.einsum("fc,ldc->lfd", signs, weights)
        for kind, signs in (("near", near), ("far", far))
    }
    apart = np.empty_like(found["far"])
    for row, signs in enumerate(near):
        basis = np.linalg.qr(weights[:, :, signs != 0])[0]  # [layers, width, near]
        move = found["far"][:, row, :, None]
        apart[:, row] = (move - basis @ (basis.transpose(0, 2, 1) @ move))[..., 0]
    found["apart"] = apart
    return {kind: unit(move) for kind, move in found.items()}


def most_turned(
    trained: TrainedModel, asked: Asked, moves: Moves, spread: np.ndarray
) -> tuple[int, float]:
    """The layer and the length that turn most forks."""
    at = columns(trained, asked)
    tried = {
        (layer, size): pushed(
            trained, asked, layer, size * spread[layer] * moves[layer], at
        ).turns.mean()
        for layer in range(len(spread))
        for size in LENGTHS
    }
    return max(tried, key=tried.get)


def row(name: str, family: str) -> dict:
    """All that is measured of one model."""
    trained, mazes = zoo.load(name), mazes_of(family, MAZES)
    steps, part = path_steps(mazes, "fork"), parts_of(mazes)
    streams = streams_at(open_lens(trained), mazes, {"": at_steps(steps)})[""]
    probes = fit(streams, future(mazes, steps, least=1), part[steps.maze])
    spread = np.sqrt(streams.var(1).sum(-1))
    more = without(mazes_of(family, MORE, start=MAZES), mazes)
    fresh, cyclic = MazeSet.concatenate([mazes[part == SCORE], more]), name == CYCLIC
    tuned, asked = (
        with_far_ends(decided(trained, some, cyclic, LOOKED * most), most)
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
    known = {**networks(untrained=False, families=ASKED), CYCLIC: CYCLIC}
    write_table(
        __doc__, TABLE, known, arguments, lambda family: (family,), row, n=MAZES
    )


if __name__ == "__main__":
    main()
