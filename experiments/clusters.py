"""Do tokens of paths cluster, by where they lead, by their path, by their target?

    python -m experiments.clusters          # writes data/results/clusters.json
    python -m experiments.clusters dfs5-seed1 # this network again, no other

Of dfs5, its other seeds and an untrained network, at the embedding and after each
block: 240 questions about each of 100 mazes, and of 50 others, on which the best layer
is chosen.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.internals.clusters import STOP, PathTokens, centred, path_tokens
from mazelib.internals.geometry import purity, silhouette
from mazelib.internals.lens import Lens, open_lens
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo

TABLE = "clusters.json"
UNTRAINED = "untrained"
NETWORKS = ("dfs5", "dfs5-seed1", "dfs5-seed2", UNTRAINED)
QUESTIONS = 240
SCORED, CHOOSING = 100, 50
"""Mazes on which clusters are measured, and others on which the layer is chosen."""
DRAWS = 20
"""Shuffles of the silhouette's labels, at the best layer."""


def mazes() -> tuple[MazeSet, MazeSet]:
    """The mazes that are scored and those that the layer is chosen on."""
    config = StreamConfig(MazeConfig("dfs", 5), questions=QUESTIONS, split="test")
    drawn = MazeStream(config).take(0, SCORED + CHOOSING)
    return drawn[:SCORED], drawn[SCORED:]


def one_number(*columns: np.ndarray) -> np.ndarray:
    """Rows of small integers, from -1, as one integer each."""
    number = np.zeros_like(columns[0])
    for column in columns:
        number = number * (2 + column.max()) + column + 1
    return number


class Question(NamedTuple):
    """Among which tokens, and by which label, neighbours may be alike.

    centred: whether each cell's mean, maze by maze, is taken away first.
    """

    groups: np.ndarray
    kinds: np.ndarray
    centred: bool = False


def questions_asked(tokens: PathTokens) -> dict[str, Question]:
    """What neighbours may have in common.

    Most is asked of tokens of one cell, which have their name in common already;
    "came": of those that came from the same cell, where paths part, which leaves out
    corridors; "goes": of those that go on the same way, rightly, to several targets,
    which leaves out the next token.
    """
    came = one_number(tokens.place, tokens.before)
    goes = one_number(tokens.place, tokens.onward)
    goes = alone_unless(tokens.is_right & (tokens.onward != STOP), goes)
    return {
        "cell": Question(tokens.maze, tokens.cell),
        "path, centred": Question(tokens.maze, tokens.question, True),
        "before": Question(tokens.place, tokens.before),
        "onward": Question(tokens.place, tokens.onward),
        "onward, came": Question(with_several(came, tokens.onward), tokens.onward),
        "target, goes": Question(with_several(goes, tokens.target), tokens.target),
    }


def alone_unless(kept: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The groups, where things that are not kept are each in one of their own."""
    return np.where(kept, groups, groups.min() - 1 - np.arange(len(groups)))


def with_several(groups: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """The groups, where things of a group that has one kind are each alone."""
    pairs = np.unique(np.stack([groups, kinds]), axis=1)
    names, count = np.unique(pairs[0], return_counts=True)
    return alone_unless(np.isin(groups, names[count > 1]), groups)


def averaged(
    values: np.ndarray, of_maze: np.ndarray, weights: np.ndarray | None = None
) -> dict:
    """A weighted mean, as JSON, with its interval: whole mazes are drawn anew."""
    if not len(values):
        return {"mean": None, "interval": None, "n": 0, "mazes": 0}
    weights = np.ones(len(values)) if weights is None else weights
    total, weight = (np.bincount(of_maze, w) for w in (values * weights, weights))
    total, weight = (by_maze[np.unique(of_maze)] for by_maze in (total, weight))
    low, high = bootstrap_groups(
        np.arange(len(total)), lambda rows: total[rows].sum() / weight[rows].sum()
    )
    return {
        "mean": round(float(total.sum() / weight.sum()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "n": len(values),
        "mazes": len(total),
    }


def measured(tokens: PathTokens, asked: dict[str, Question], layer: int) -> dict:
    """How much oftener neighbours are alike than others, for each question."""
    found, plain = {}, tokens.vectors[layer]
    for name, (groups, kinds, is_centred) in asked.items():
        vectors = centred(plain, tokens.place) if is_centred else plain
        result = purity(vectors, kinds, groups)
        known = ~np.isnan(result.excess)
        found[name] = averaged(result.excess[known], tokens.maze[known])
        found[name]["shuffled"] = round(result.high, 4)
        found[name]["most"] = round(float(result.most[known].mean()), 4)
    return found


def wrong_turns(tokens: PathTokens, layer: int) -> dict:
    """At errors: do the nearest go the predicted way, or the true one?

    Of the ten nearest tokens of the same cell with other targets, more than of all such
    tokens. In a tree cell and target say the true way, and tokens of one target may lie
    together for its sake.
    """
    vectors, place, excess = tokens.vectors[layer], tokens.place, []
    for at in np.flatnonzero(~tokens.is_right):
        others = np.flatnonzero(
            (place == place[at]) & (tokens.target != tokens.target[at])
        )
        if len(others) >= 20:
            away = np.linalg.norm(vectors[others] - vectors[at], axis=1)
            goes = tokens.onward[others]
            near = goes[away.argsort(kind="stable")[:10]]
            ways = tokens.onward[at], tokens.true_onward[at]
            shares = [np.mean(near == way) - np.mean(goes == way) for way in ways]
            excess.append((tokens.maze[at], *shares))
    maze, predicted, true = np.array(excess).reshape(-1, 3).T
    sides = {"predicted": predicted, "true": true, "difference": true - predicted}
    return {name: averaged(side, maze.astype(int)) for name, side in sides.items()}


def silhouettes(tokens: PathTokens, layer: int, draws: int) -> dict:
    """The mean silhouette of a cell's tokens by the way on, where there are several.

    draws: how often the ways on are shuffled among them, for "shuffled": the 95th
    percentile of the mean.
    """
    scores, nulls, weights, of_maze = [], [], [], []
    for place in np.unique(tokens.place):
        at = np.flatnonzero(tokens.place == place)
        ways = tokens.onward[at]
        if len(at) >= 20 and 1 < len(np.unique(ways)) < len(at):
            found = silhouette(tokens.vectors[layer][at], ways, draws)
            scores.append(found.value)
            nulls.append(found.null)
            weights.append(len(at))
            of_maze.append(tokens.maze[at[0]])
    weights = np.array(weights, float)
    facts = averaged(np.array(scores), np.array(of_maze), weights)
    if draws:
        null = np.average(nulls, axis=0, weights=weights)
        facts["shuffled"] = round(float(np.quantile(null, 0.95)), 4)
    return facts


def tokens_of(lens: Lens, mazes: MazeSet, is_trained: bool) -> PathTokens:
    """The tokens of the paths that a network prints; if untrained, of the true ones.

    What that would print is chance, so it is asked for the true way on.
    """
    tokens = path_tokens(lens, mazes, is_trained)
    return tokens if is_trained else tokens._replace(onward=tokens.true_onward)


def rows_of(name: str) -> Iterator[dict]:
    """One row a layer of a network, and whether it is the best on other mazes."""
    is_trained = name != UNTRAINED
    lens = open_lens(zoo.load(name) if is_trained else zoo.untrained("dfs5"))
    scored, choosing = (tokens_of(lens, some, is_trained) for some in mazes())
    layers = range(len(scored.vectors))
    asked, other = questions_asked(scored), questions_asked(choosing)
    way = {"onward": other["onward"]}
    chosen = [measured(choosing, way, k)["onward"]["mean"] for k in layers]
    for layer in tqdm(layers, desc=name):
        is_best = layer == np.argmax(chosen)
        row = {"model": name, "layer": layer, "is_best": bool(is_best)}
        row |= measured(scored, asked, layer)
        row["silhouette"] = silhouettes(scored, layer, DRAWS if is_best else 0)
        yield row | ({"wrong turns": wrong_turns(scored, layer)} if is_trained else {})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all networks, or those that are named, and write the table."""
    one_thread()
    names = names_asked(__doc__, NETWORKS, arguments)
    facts = {"made_by": "python -m experiments.clusters", "mazes": SCORED}
    for name in names:
        weights = zoo.hashes({name} - {UNTRAINED})
        rows = list(rows_of(name))
        replace_rows(TABLE, [name], rows, weights, questions=QUESTIONS, **facts)


if __name__ == "__main__":
    main()
