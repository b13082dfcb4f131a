"""Is what the probes of the path read used? The stream is moved along them.

    python -m experiments.steered           # writes data/results/steered.json
    python -m experiments.steered dfs10     # this model again, the others as they are

One row a model. The probes are those of `experiments.future` at forks. At one fork of a
maze, with two ways on, the residual stream after one layer is moved from the cells two
and three steps into the right way to those as far into the wrong one: along the sum of
the probes of the latter less that of the former, as far as the stream itself varies at
forks. `flips`: at what share of forks that were decided rightly the choice becomes the
other way; `random`: the same in directions drawn by chance, as far; `lost`: at what
share it becomes neither way. By layer, and at the layer that is best on other mazes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from tqdm import tqdm

from experiments.families import (
    Places,
    by_family,
    keep,
    lens_of,
    mean_over,
    networks,
    rounded,
)
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.threads import one_thread
from mazelib.internals.ablation import replaced
from mazelib.internals.lens import Lens, activations
from mazelib.internals.logit_lens import read_out
from mazelib.internals.plans import PathSteps, future
from mazelib.internals.probes import (
    CHOOSE,
    SCORE,
    Probes,
    fit,
    groups_of,
    parts_of,
)
from mazelib.internals.streams import at_steps, stream_sites, streams_at
from mazelib.internals.ways import Forks

TABLE = "steered.json"
COUNT = 1000
"""Mazes to score, at most."""
INTO = (2, 3)
"""How many steps into a way the cells are whose probes are used."""


def one_fork_a_maze(forks: Forks, part: np.ndarray, wanted: int) -> np.ndarray:
    """Forks with two ways, by number, one of each maze of a part; at most `COUNT`."""
    ways = forks.ways
    deep = ways.loc[~ways["right"]].groupby("fork")["depth"].min() >= min(INTO)
    to_go = forks.table["to_target"].to_numpy() >= min(INTO)
    fits = (forks.table["options"] == 2).to_numpy() & to_go & deep.to_numpy()
    fits &= part[forks.maze] == wanted
    order = np.random.default_rng(0).permutation(np.flatnonzero(fits))
    _, first = np.unique(forks.maze[order], return_index=True)
    return order[first][:COUNT]


def towards_other(
    mazes: MazeSet, steps: PathSteps, probes: Probes, wrong: Int[np.ndarray, "forks"]
) -> Float[np.ndarray, "layers forks width"]:
    """The sums of the probes' directions of the wrong way's cells less the right one's.

    steps: the forks. wrong: the first cell of each one's wrong way.
    """
    signs = np.zeros((len(wrong), mazes.n**2))
    for row, (at, step) in enumerate(np.stack(steps, 1).tolist()):
        maze, _, _, path = mazes[at]
        fork, way = int(path[step]), int(wrong[row])
        far, beyond = maze.distances(fork), maze.distances(way)
        there = np.isin(far, INTO) & (beyond == far - 1)
        signs[row, there] = 1
        signs[row, path[step + min(INTO) : step + max(INTO) + 1]] = -1
    return np.einsum("fc,ldc->lfd", signs, probes.weights)


def choices_moved(
    lens: Lens,
    mazes: MazeSet,
    steps: PathSteps,
    moves: Float[np.ndarray, "layers forks width"],
) -> Int[np.ndarray, "layers forks"]:
    """The likeliest token at one fork of each maze, with the stream moved there.

    moves: what is added to the residual stream at the fork's token, before the first
    layer or after one: each by itself.
    """
    sites, found = stream_sites(lens), []
    where = at_steps(steps)
    for part in activations(lens, mazes, sites):
        row, position = where(part)
        chosen = []
        for site, move in zip(sites, moves, strict=True):
            value = torch.full_like(part.values[site], torch.nan)
            own = torch.from_numpy(move[part.rows]).float()
            value[row, position] = part.values[site][row, position] + own
            with replaced(lens, {site: value}):
                logits = lens.logits(part.batch)
            chosen.append(logits[row, position].argmax(-1).numpy())
        found.append(np.stack(chosen))
    return np.concatenate(found, 1)


def moved(
    lens: Lens, mazes: MazeSet, forks: Forks, rows: np.ndarray, probes: Probes, streams
) -> dict[str, np.ndarray]:
    """At each fork and layer: does the choice flip, does it by chance, is it lost?"""
    ways = forks.ways
    other = ways.loc[~ways["right"]].drop_duplicates("fork").set_index("fork").loc[rows]
    some = mazes[forks.maze[rows]]
    steps = PathSteps(np.arange(len(rows)), forks.steps.step[rows])
    length = np.sqrt(streams.var(1).sum(-1))[:, None, None]
    along = towards_other(some, steps, probes, other["cell"].to_numpy())
    chance = np.random.default_rng(0).normal(size=along.shape)
    found = {}
    for name, move in {"flips": along, "random": chance}.items():
        unit = move / np.linalg.norm(move, axis=-1, keepdims=True)
        chosen = choices_moved(lens, some, steps, length * unit)
        found[name] = chosen == other["token"].to_numpy()
        if name == "flips":
            found["lost"] = ~found[name] & (chosen != forks.right[rows])
    return found


def row(name: str, places: Places) -> dict:
    """All that is measured of one model."""
    lens, mazes, part = lens_of(name), places.mazes, parts_of(places.mazes)
    forks, fitted = Forks(mazes, lens.tokenizer), places.steps["fork"]
    streams = streams_at(
        lens, mazes, {"fit": at_steps(fitted), "all": at_steps(forks.steps)}
    )
    labels = future(mazes, fitted)
    probes = fit(streams["fit"], labels, part[fitted.maze])
    right = read_out(lens, streams["all"][-1]).argmax(-1) == forks.right
    by_part = {}
    for number in (CHOOSE, SCORE):
        rows = one_fork_a_maze(forks, part, number)
        rows = rows[right[rows]]
        by_part[number] = rows, moved(lens, mazes, forks, rows, probes, streams["fit"])
    best = int(by_part[CHOOSE][1]["flips"].mean(1).argmax())
    rows, scored = by_part[SCORE]
    group = groups_of(mazes)[forks.maze[rows]]

    found = {"model": name, "n": len(rows), "mazes": len(np.unique(group))}
    found |= {"layer": best}
    for kind, hits in scored.items():
        by_layer = rounded(hits.mean(1))
        found[kind] = {"by layer": by_layer, "best": mean_over(hits[best], group)}
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Move all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.steered", "n": COUNT}
    for family, some in by_family(names, known):
        places = Places.of(family)
        for name in tqdm(some, family):
            keep(TABLE, row(name, places), **about)


if __name__ == "__main__":
    main()
