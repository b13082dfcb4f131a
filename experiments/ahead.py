"""How many steps ahead the path can be read off models: the horizon.

    python -m experiments.ahead             # writes data/results/ahead.json
    python -m experiments.ahead dfs10       # this network again, the others as they are

One row a network, about the mazes of `experiments.families`: at forks, and at steps
without a choice, how often a linear probe names the cell where the path is in j steps,
for each j; beside the best probe of the input, and what could be read off the input by
whoever knew the next cell, and no more of the path.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from experiments.families import COUNT, Places, by_family, keep, networks, told
from mazelib.commands.flags import names_asked
from mazelib.evidence.threads import one_thread
from mazelib.internals.hidden_probes import fit_hidden
from mazelib.internals.plans import (
    cell_at,
    onward_features,
    passage_features,
    question_features,
)
from mazelib.internals.probes import SCORE, parts_of
from mazelib.internals.readings import Asked, Reading, read_by, reading

TABLE = "ahead.json"
FARTHEST = 20
FEWEST = 200
"""Steps to score that a j needs to be asked about."""
BEATS = 0.05
"""How much better than the input is seen ahead."""
KINDS = ("fork", "corridor")
WIDE = 256
"""The hidden layer of the one network that tells all j off the input."""


class Ahead(NamedTuple):
    """The question where the path is in j steps, and what is known without a model.

    controls: read off the input. onward: off the input and the next cell.
    """

    asked: Asked
    controls: dict[str, Reading]
    onward: Reading


def ahead(places: Places, kind: str) -> dict[int, Ahead]:
    """For each j what is asked, and what is read without a model."""
    mazes, steps = places.mazes, places.steps[kind]
    part, cells = parts_of(mazes)[steps.maze], mazes.n**2
    every = [cell_at(mazes, steps, j) for j in range(1, FARTHEST + 1)]
    enough = [(cell[part == SCORE] >= 0).sum() >= FEWEST for cell in every]
    labels = np.stack(every[: np.minimum.accumulate(enough).sum()], 1)
    found = {
        j: places.asked(kind, label[:, None], cells, "accuracy")
        for j, label in enumerate(labels.T, 1)
    }
    passages = passage_features(mazes, steps)
    hidden = fit_hidden(passages, labels, part, cells, hidden=WIDE)
    scores = hidden.scores(passages)
    plain = {"question": question_features(mazes, steps), "passages": passages}
    onward = onward_features(mazes, steps)
    return {
        j: Ahead(
            asked,
            {name: reading(asked, given[None]) for name, given in plain.items()}
            | {"passages, hidden": read_by(asked, scores[None, :, [j - 1]])},
            reading(asked, onward[None]),
        )
        for j, asked in tqdm(found.items(), f"input, {kind}")
    }


def seen_ahead(asked: dict[int, Ahead], features: np.ndarray) -> dict[str, object]:
    """How well it is known where the path is in j steps, and the horizon.

    read, input, next cell: for each j, of the model, of the best probe of the input,
    and of that which knows the next cell, too. horizon: the largest j up to which the
    model's is better than the input's by `BEATS`.
    """
    own = [
        reading(question, features)
        for question, *_ in tqdm(asked.values(), "steps ahead", leave=False)
    ]
    controls = [
        max(each.controls.values(), key=lambda found: found.value)
        for each in asked.values()
    ]
    onward = [each.onward for each in asked.values()]
    return {
        "read": [told(found) for found in own],
        "layer": [found.best for found in own],
        "input": [told(found) for found in controls],
        "next cell": [told(found) for found in onward],
        "horizon": horizon(own, controls),
    }


def horizon(own: Sequence[Reading], others: Sequence[Reading]) -> list[int]:
    """Up to which j each reading beats another by `BEATS`, with its interval."""
    pairs = list(zip(own, others, strict=True))
    value = unbroken(np.array([[a.value - b.value] for a, b in pairs]))[0]
    drawn = unbroken(np.stack([a.drawn - b.drawn for a, b in pairs]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [int(value), int(min(low, value)), int(max(high, value))]


def unbroken(gaps: np.ndarray) -> np.ndarray:
    """In each column, how many gaps from the first on are `BEATS` and more."""
    short = np.vstack([gaps < BEATS, np.ones((1, gaps.shape[1]), bool)])
    return short.argmax(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all networks, or those that are named, and write the table."""
    one_thread()
    known = networks()
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.ahead", "n": COUNT}
    for family, asked in by_family(names, known):
        places = Places.of(family)
        far = {kind: ahead(places, kind) for kind in KINDS}
        for name in tqdm(asked, family):
            streams = places.streams(name).steps
            facts = {kind: seen_ahead(far[kind], streams[kind]) for kind in KINDS}
            keep(TABLE, {"model": name, **facts}, **about)


if __name__ == "__main__":
    main()
