"""Do tokens of paths cluster, by where they lead, by their path, by their target?

    python tools/clusters.py                # writes data/results/clusters.json

Of dfs5, its other seeds and an untrained network, at the embedding and after each
block: 240 questions about each of 100 mazes, and of 50 others, on which the best layer
is chosen.
"""

from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.dataset import MazeSet, MazeStream, StreamConfig
from mazelib.evidence import RESULTS
from mazelib.files import write_json
from mazelib.generators import MazeConfig
from mazelib.internals.clusters import STOP, PathTokens, path_tokens
from mazelib.internals.geometry import purity, silhouette
from mazelib.internals.lens import open_lens
from mazelib.intervals import bootstrap_groups

NETWORKS = ("dfs5", "dfs5-seed1", "dfs5-seed2", "untrained")
QUESTIONS = 240
SCORED, CHOOSING = 100, 50
"""Mazes on which clusters are measured, and others on which the layer is chosen."""


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
    "came": of those that came from the same cell, which leaves out corridors; "goes":
    of those that go on the same way, rightly, which leaves out the next token.
    """
    came = one_number(tokens.place, tokens.before)
    goes = one_number(tokens.place, tokens.onward)
    known = tokens.is_right & (tokens.onward != STOP)
    goes = np.where(known, goes, -1 - np.arange(len(goes)))  # else alone
    return {
        "cell": Question(tokens.maze, tokens.cell),
        "path": Question(tokens.maze, tokens.question),
        "path, centred": Question(tokens.maze, tokens.question, True),
        "target, centred": Question(tokens.maze, tokens.target, True),
        "before": Question(tokens.place, tokens.before),
        "onward": Question(tokens.place, tokens.onward),
        "onward, came": Question(came, tokens.onward),
        "target, came": Question(came, tokens.target),
        "target, goes": Question(goes, tokens.target),
        "later, goes": Question(goes, tokens.later),
    }


def centred(vectors: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Vectors less the mean of those of the same place."""
    _, at, count = np.unique(place, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), vectors.shape[1]))
    np.add.at(total, at, vectors)
    return vectors - (total / count[:, None])[at]


def measured(tokens: PathTokens, asked: dict[str, Question], layer: int) -> dict:
    """How much oftener neighbours are alike than others, for each question."""
    found, plain = {}, tokens.vectors[layer]
    for name, (groups, kinds, is_centred) in asked.items():
        vectors = centred(plain, tokens.place) if is_centred else plain
        result = purity(vectors, kinds, groups)
        known = ~np.isnan(result.excess)
        values, of_maze = result.excess[known], tokens.maze[known]
        low, high = bootstrap_groups(of_maze, lambda rows, v=values: v[rows].mean())
        found[name] = {
            "mean": round(float(values.mean()), 4),
            "interval": [round(low, 4), round(high, 4)],
            "shuffled": round(result.high, 4),
            "n": int(known.sum()),
        }
    return found


def wrong_turns(tokens: PathTokens, layer: int) -> dict:
    """At errors: are neighbours on the predicted way, or on the true one?"""
    vectors, wrong = tokens.vectors[layer], ~tokens.is_right
    sides = {"predicted": tokens.onward, "true": tokens.true_onward}
    found = {}
    for name, sought in sides.items():
        each = purity(vectors, tokens.onward, tokens.place, sought, draws=1).excess
        values = each[wrong & ~np.isnan(each)]
        found[name] = round(float(values.mean()), 4) if len(values) else None
        found["n"] = len(values)
    return found


def silhouettes(tokens: PathTokens, layer: int) -> float:
    """The mean silhouette of a cell's tokens by the way on, where there are several."""
    scores, weights = [], []
    for place in np.unique(tokens.place):
        at = np.flatnonzero(tokens.place == place)
        ways = tokens.onward[at]
        if len(at) >= 20 and 1 < len(np.unique(ways)) < len(at):
            scores.append(silhouette(tokens.vectors[layer][at], ways, draws=0).value)
            weights.append(len(at))
    return round(float(np.average(scores, weights=weights)), 4)


def facts_of(name: str) -> dict:
    """All that is kept of one network."""
    is_trained = name != "untrained"
    lens = open_lens(zoo.load(name) if is_trained else zoo.untrained("dfs5"))
    scored, choosing = (path_tokens(lens, some, is_trained) for some in mazes())
    layers = range(len(scored.vectors))
    asked, other = questions_asked(scored), questions_asked(choosing)
    way = {"onward": other["onward"]}
    chosen = [measured(choosing, way, k)["onward"]["mean"] for k in layers]
    found = {"tokens": len(scored.cell), "best": int(np.argmax(chosen)), "layers": []}
    for layer in tqdm(layers, desc=name):
        facts = measured(scored, asked, layer)
        facts["silhouette"] = silhouettes(scored, layer)
        if is_trained:
            facts["wrong turns"] = wrong_turns(scored, layer)
        found["layers"].append(facts)
    return found


def main() -> None:
    """Measure all networks and write the table."""
    facts = {
        "made_by": "python tools/clusters.py",
        "mazes": SCORED,
        "questions": QUESTIONS,
        "networks": {name: facts_of(name) for name in NETWORKS},
    }
    write_json(RESULTS / "clusters.json", facts, indent=1)


if __name__ == "__main__":
    main()
