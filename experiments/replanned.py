"""The plan rewritten: a fork's other way is written into the stream, and walked.

    python -m experiments.replanned          # writes data/results/replanned.json
    python -m experiments.replanned dfs5     # this model again, the others as they are

One row a model. At one fork of a maze, with two ways on, the residual stream at the
fork's token is moved after one layer: along the sum of the probes (of cells that the
path comes to, `experiments.future`, the next one with them) of the other way's first
four cells less that of the right way's. `turns`: at what share of forks that were
decided rightly the choice becomes the other way; `walks`: the answer goes on that way
legally for four more steps or to where it ends, and in mazes with cycles to the target.
After the layer, and at the length (in units of the stream's own variation) that do most
on other mazes. `random`: along random directions, as long. `before`: of the forks that
turn, the share that turn, too, when the stream is moved at the token before the fork
and not at the fork; `by layer`, the same after each layer.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from experiments.families import (
    by_family,
    keep,
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
)
from experiments.pushes import (
    CELLS,
    CHOSEN,
    COUNT,
    MAZES,
    MORE,
    Asked,
    Read,
    columns,
    decided,
    pushed,
    tried_at,
    unit,
)
from mazelib.behaviour.detours import way_cells
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.threads import one_thread
from mazelib.internals.probes import CHOOSE, SCORE, groups_of
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

TABLE = "replanned.json"
ASKED = ("dfs5", "dfs6-learned")
CYCLIC = "mixed5"


def along(
    asked: Asked, weights: Float[np.ndarray, "layers width cells"]
) -> Float[np.ndarray, "layers forks width"]:
    """The direction of the probes from each fork's right way to its other one."""
    signs = np.zeros((len(asked.other), asked.mazes.n**2))
    for row, (sample, step, other) in enumerate(asked):
        signs[row, way_cells(sample, step, other, CELLS)] += 1
        signs[row, sample.path[step + 1 : step + 1 + CELLS]] -= 1
    return np.einsum("fc,ldc->lfd", signs, weights)


def row(name: str, family: str) -> dict:
    """All that is measured of one model."""
    trained, mazes = zoo.load(name), mazes_of(family, MAZES)
    probes, length, part = Read.of(trained, mazes)
    fresh = mazes[part == SCORE]
    if name == CYCLIC:
        more = without(mazes_of(family, MORE, start=MAZES), mazes)
        fresh = MazeSet.concatenate([fresh, more])
    tuned = decided(trained, mazes[part == CHOOSE], name == CYCLIC, CHOSEN)
    asked = decided(trained, fresh, name == CYCLIC, COUNT)
    layer, size, tried = chosen(trained, tuned, probes.weights, length)
    at, group = columns(trained, asked), groups_of(asked.mazes)
    far = size * length[:, None, None]
    moves = far * unit(along(asked, probes.weights))
    chance = far[layer] * unit(np.random.default_rng(0).normal(size=moves[0].shape))
    hits, by_chance = (
        pushed(trained, asked, layer, move, at) for move in (moves[layer], chance)
    )
    later = hits.turns & (asked.steps.step > 0)
    return {
        "model": name,
        "n": len(group),
        "mazes": len(np.unique(group)),
        "layer": layer,
        "length": size,
        "walks": mean_over(hits.walks, group),
        "turns": mean_over(hits.turns, group),
        "random": {k: rounded(v.mean()) for k, v in by_chance._asdict().items()},
        "before": early(
            trained, asked.those(later), layer, moves[:, later], chance[later]
        ),
        "by": tried,
    }


def early(
    trained: TrainedModel,
    asked: Asked,
    layer: int,
    moves: Float[np.ndarray, "layers forks width"],
    chance: Float[np.ndarray, "forks width"],
) -> dict:
    """How many choices turn when the stream is moved at the token before the fork."""
    before, group = columns(trained, asked) - 1, groups_of(asked.mazes)
    by_layer = [
        pushed(trained, asked, n, move, before).turns for n, move in enumerate(moves)
    ]
    by_chance = pushed(trained, asked, layer, chance, before).turns
    return {
        "n": len(group),
        "mazes": len(np.unique(group)),
        "turns": mean_over(by_layer[layer], group),
        "random": rounded(by_chance.mean()),
        "by layer": rounded([turns.mean() for turns in by_layer]),
    }


def chosen(
    trained: TrainedModel, asked: Asked, weights: np.ndarray, length: np.ndarray
) -> tuple[int, float, list[dict]]:
    """The layer and the length at which most forks are walked the other way."""
    pushes = tried_at(trained, asked, unit(along(asked, weights)), length)
    tried = {where: found.walks.mean() for where, found in pushes.items()}
    rows = [
        {"layer": layer, "length": size, "walks": rounded(share)}
        for (layer, size), share in tried.items()
    ]
    return *max(tried, key=tried.get), rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the plans of all models, or of those that are named."""
    one_thread()
    known = {**networks(untrained=False, families=ASKED), CYCLIC: CYCLIC}
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.replanned", "n": MAZES}
    for family, some in by_family(names, known):
        for name in tqdm(some, family):
            keep(TABLE, row(name, family), **about)


if __name__ == "__main__":
    main()
