"""What else can be read off models: the target, distances, the maze, what is reachable.

    python -m experiments.decodable         # writes data/results/decodable.json
    python -m experiments.decodable dfs10   # this network again, the others as they are

One row a network, each reading by layer and beside its controls. The target, at the
fourth cell of paths of six steps and more; how far each cell is from the target, and
how long the path is, before its first step; every passage of the maze off one token;
which cells are within k steps of origin and of target, for each k; and, at the end of
the list, where nothing can be known of a question yet, how far cells are from one that
the last entry names. The cell three steps ahead is read apart where the steps are
forced and where they are not (`corridors`).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from tqdm import tqdm

from experiments.families import (
    COUNT,
    UNTRAINED,
    by_family,
    facts_of,
    is_trained,
    keep,
    lens_of,
    mazes_of,
    networks,
    rounded,
    some_of,
)
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.classification import draws_of
from mazelib.evidence.threads import one_thread
from mazelib.internals.plans import (
    PathSteps,
    cell_at,
    passages,
    path_steps,
    target_distances,
    to_go,
)
from mazelib.internals.probes import SCORE
from mazelib.internals.readings import (
    DRAWS,
    Asked,
    Reading,
    hidden_reading,
    input_controls,
    interval_of,
    model_controls,
    reading,
)
from mazelib.internals.roles import roles_of
from mazelib.internals.streams import Where, at_role, at_steps, streams_at
from mazelib.models import zoo

TABLE = "decodable.json"
LONG, FOURTH = 6, 3
"""Steps of the paths at whose fourth cell the target is read."""
REACHES = range(1, 11)
ONWARD = 3
"""Steps ahead that may be forced."""


class Question(NamedTuple):
    """What is asked, at which place of `Ground`, and what is read off the input.

    inputs: None where the input says it outright, and is no control.
    """

    name: str
    place: str
    asked: Asked
    inputs: dict[str, Reading] | None


class Ground(NamedTuple):
    """The mazes of a family, and the places that it is asked at: of which, and where.

    steps: those of the places that lie on a path. named: the second cell of each last
    entry.
    """

    mazes: MazeSet
    places: dict[str, tuple[MazeSet, Where]]
    steps: dict[str, PathSteps]
    named: np.ndarray

    @classmethod
    def of(cls, family: str) -> "Ground":
        """The same each time."""
        mazes, drawn = mazes_of(family, COUNT), mazes_of(family, 4 * COUNT)
        long = drawn[drawn.length[:, 0] > LONG][:COUNT]
        fourth = PathSteps(np.arange(len(long)), np.full(len(long), FOURTH))
        steps = {kind: path_steps(mazes, kind) for kind in ("start", "origin")}
        steps["onward"] = with_steps_on(mazes)
        last = sum(np.count_nonzero(p, (1, 2)) for p in (mazes.right, mazes.down)) - 1
        tokenizer = zoo.load(family).tokenizer
        edges = roles_of(mazes.encode(tokenizer), mazes, tokenizer).edges
        places = {name: (mazes, at_steps(at)) for name, at in steps.items()}
        places["list"] = (mazes, at_role("semicolon", np.asarray(last)))
        places["fourth"] = (long, at_steps(fourth))
        named = edges[np.arange(len(mazes)), last, 1]
        return cls(mazes, places, steps, named)

    def streams(self, name: str) -> dict[str, np.ndarray]:
        """The residual stream of a network at all places."""
        lens, found = lens_of(name), {}
        of_mazes = {k: w for k, (of, w) in self.places.items() if of is self.mazes}
        found |= streams_at(lens, self.mazes, of_mazes)
        long, where = self.places["fourth"]
        return found | streams_at(lens, long, {"fourth": where})

    def about_path(self, name: str, place: str, labels: np.ndarray, *how) -> Question:
        """A question at a step of a path; how: as in `Asked.of`."""
        steps = self.steps[place]
        asked = Asked.of(self.mazes, steps.maze, labels, *how)
        inputs = input_controls(asked, self.mazes, steps)
        return Question(name, place, asked, inputs)


def with_steps_on(mazes: MazeSet) -> PathSteps:
    """Steps from which the path goes on for `ONWARD` and more, in order."""
    every = path_steps(mazes, "any")
    return some_of(every.those(to_go(mazes, every) >= ONWARD), np.random.default_rng(0))


def questions(ground: Ground) -> Iterator[Question]:
    """All that is asked, one after the other."""
    long, _ = ground.places["fourth"]
    target, every = long.target.astype(int), np.arange(len(long))
    asked = Asked.of(long, every, target, long.n**2, "accuracy")
    yield Question("target", "fourth", asked, None)
    mazes, steps = ground.mazes, ground.steps
    far = target_distances(mazes, steps["origin"])
    yield ground.about_path("distance", "origin", far, None, "R²")
    left = to_go(mazes, steps["start"])[:, None].astype(float)
    yield ground.about_path("path length", "start", left, None, "R²")
    every = np.arange(len(mazes))
    asked = Asked.of(mazes, every, passages(mazes).astype(int))
    yield Question("passages", "start", asked, None)
    ends = {
        "target": far,
        "origin": np.stack([s.maze.distances(s.origin) for s in mazes]),
    }
    for k in REACHES:
        for end, distance in ends.items():
            name = f"within {k} of {end}"
            yield ground.about_path(name, "start", (distance <= k).astype(int))
    yield in_the_list(ground)


def in_the_list(ground: Ground) -> Question:
    """How far is each cell from the second that the last entry names?"""
    mazes, named = ground.mazes, ground.named
    far = [s.maze.distances(int(c)) for s, c in zip(mazes, named, strict=True)]
    every = np.arange(len(mazes))
    asked = Asked.of(mazes, every, np.array(far, float), None, "R²")
    cell = (named[:, None] == np.arange(mazes.n**2)).astype(float)
    known = np.concatenate([cell, passages(mazes)], 1)
    inputs = {
        "cell": reading(asked, cell[None]),
        "passages": reading(asked, known[None]),
        "passages, hidden": hidden_reading(asked, known),
    }
    return Question("distance, in the list", "list", asked, inputs)


def forced(ground: Ground) -> Bool[np.ndarray, "steps"]:
    """At which steps with `ONWARD` more there is no choice in the next three."""
    mazes, steps = ground.mazes, ground.steps["onward"]
    forks = path_steps(mazes, "fork")
    is_fork = np.zeros((len(mazes), mazes.path.shape[2] + ONWARD), bool)
    is_fork[forks.maze, forks.step] = True
    ahead = [is_fork[steps.maze, steps.step + more] for more in range(ONWARD)]
    return ~np.any(ahead, 0)


def corridors(ground: Ground, features: np.ndarray) -> dict[str, object]:
    """How often the cell three steps ahead is named, where it is forced and not.

    At the layer that names it best, chosen on other mazes; gap: the difference.
    """
    mazes, steps = ground.mazes, ground.steps["onward"]
    cell = cell_at(mazes, steps, ONWARD)[:, None]
    asked = Asked.of(mazes, steps.maze, cell, mazes.n**2, "accuracy")
    own, is_forced = reading(asked, features), forced(ground)
    scores = own.probes.scores(features)[own.best]
    rows = asked.part == SCORE
    right = scores[rows, 0].argmax(-1) == cell[rows, 0]
    _, group = np.unique(asked.group[rows], return_inverse=True)
    draws = np.vstack([np.ones((1, group.max() + 1), int), draws_of(group, DRAWS)])
    shares = []
    for those in (is_forced[rows], ~is_forced[rows]):
        count, hits = (np.bincount(group, x) for x in (those, those & right))
        shares.append((draws @ hits) / (draws @ count))
    gap = shares[0] - shares[1]
    return {
        "layer": own.best,
        "forced": rounded(shares[0][0]),
        "free": rounded(shares[1][0]),
        "gap": rounded([gap[0], *interval_of(gap[1:])]),
    }


def row(
    name: str,
    ground: Ground,
    asked: Sequence[Question],
    untrained: dict[str, np.ndarray],
) -> dict:
    """All that is measured of one network."""
    streams, found = ground.streams(name), {"model": name}
    for question in tqdm(asked, name, leave=False):
        features = streams[question.place]
        controls = dict(question.inputs or {})
        if is_trained(name):
            controls |= model_controls(
                question.asked, features, untrained[question.place]
            )
        own = reading(question.asked, features)
        found[question.name] = facts_of(own, controls)
    return found | {"corridors": corridors(ground, streams["onward"])}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all networks, or those that are named, and write the table."""
    one_thread()
    known = networks()
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.decodable", "n": COUNT}
    for family, some in by_family(names, known):
        ground = Ground.of(family)
        asked = list(tqdm(questions(ground), f"input, {family}"))
        untrained = ground.streams(UNTRAINED + family)
        for name in tqdm(some, family):
            keep(TABLE, row(name, ground, asked, untrained), **about)


if __name__ == "__main__":
    main()
