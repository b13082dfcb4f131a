"""Can the path to come be read off models, at which tokens, and off the input?

    python -m experiments.future            # writes data/results/future.json
    python -m experiments.future dfs10      # this network again, the others as they are

One row a network, about the mazes of `experiments.families`. By linear probes, each
beside every control of `mazelib.internals.readings`: which cells are on the path two
steps ahead or more (`future`), at <PATH_START>, the origin, forks and
corridors; the same at every role (`roles`), where those that come before the target
cannot know; how the path leaves each cell (`directions`). Apart from these controls
stands what could be read off the input by whoever knew the next cell and no more of the
path: a model has to know that one.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tqdm import tqdm

from experiments.families import (
    COUNT,
    UNTRAINED,
    Places,
    Streams,
    by_family,
    facts_of,
    is_trained,
    keep,
    networks,
    rounded,
    told,
)
from mazelib.commands.flags import names_asked
from mazelib.evidence.classification import balanced_accuracy, calibration_error
from mazelib.evidence.threads import one_thread
from mazelib.internals.geometry import (
    correlation,
    distances,
    lattice_distances,
    mantel_interval,
)
from mazelib.internals.plans import (
    directions,
    future,
    onward_features,
)
from mazelib.internals.probes import SCORE, Probes, fit
from mazelib.internals.readings import (
    Asked,
    Reading,
    hidden_reading,
    input_controls,
    model_controls,
    reading,
    selectivity,
)

TABLE = "future.json"
SHUFFLES = 40
"""Fits of shuffled labels whose geometry is compared."""
RANK = 4
"""Of the probe of low rank that stands beside the others."""


def quality(asked: Asked, own: Reading, features: np.ndarray) -> dict[str, float]:
    """How well the best layer's probes do as classifiers; the means over cells.

    accuracy: balanced, by whether a chance is above the share of all; calibration: the
    expected error of chances; and the AUROC of other probes at that layer.
    """
    rows, layer = asked.part == SCORE, own.best
    scores = own.probes.scores(features)[layer]
    labels = asked.labels
    base = labels[asked.part != SCORE].mean(0)
    threshold = np.log(base / (1 - base))
    chances = 1 / (1 + np.exp(-scores[rows]))
    accuracy = balanced_accuracy(scores[rows], labels[rows], threshold)
    low = hidden_reading(asked, features[layer], hidden=RANK, is_linear=True)
    found = {
        "accuracy": float(np.nanmean(accuracy)),
        "calibration": calibration_error(chances, labels[rows]),
        "hidden": hidden_reading(asked, features[layer]).value,
        f"rank {RANK}": low.value,
    }
    return {name: round(value, 4) for name, value in found.items()}


def geometry(asked: Asked, own: Reading, features: np.ndarray) -> dict[str, object]:
    """Do cells that are near have probes that are alike, at the best layer?

    The rank correlation over pairs of cells of the cosine distance of their probes'
    directions with their distance on the lattice, and its interval over cells; null:
    the 95th percentile of the same for probes fitted on shuffled labels.
    """
    side = int(np.sqrt(len(asked.targets)))
    apart, rng = lattice_distances(side), np.random.default_rng(0)

    def near(probes: Probes) -> np.ndarray:
        return distances(probes.weights[-1].T, "cosine")

    layer = features[own.best][None]
    mine = near(Probes(*(part[own.best][None] for part in own.probes)))
    null = []
    for _ in range(SHUFFLES):
        mixed = asked.shuffled(rng)
        probes = fit(layer, mixed.labels, mixed.part)
        null.append(correlation(near(probes), apart))
    found = [correlation(mine, apart), *mantel_interval(mine, apart)]
    return {"geometry": rounded(found), "null": rounded(np.quantile(null, 0.95))}


def questions(places: Places) -> Iterator[tuple[str, str, Asked]]:
    """What is asked with all controls: the question's name, the place, the question."""
    for kind, steps in places.steps.items():
        yield "future", kind, places.asked(kind, future(places.mazes, steps))
    for kind in ("start", "fork"):
        labels = directions(places.mazes, places.steps[kind])
        yield "directions", kind, places.asked(kind, labels, 5, "macro-F1")


def without_model(
    places: Places, kind: str, asked: Asked
) -> tuple[dict[str, Reading], Reading]:
    """What is read off the input, and off the input and the path's next cell."""
    mazes, steps = places.mazes, places.steps[kind]
    onward = reading(asked, onward_features(mazes, steps)[None])
    return input_controls(asked, mazes, steps), onward


def row(
    name: str,
    places: Places,
    untrained: Streams,
    inputs: Mapping[tuple[str, str], tuple[dict[str, Reading], Reading]],
) -> dict:
    """All that is measured of one network."""
    streams = places.streams(name)
    found = {"model": name, "future": {}, "directions": {}, "roles": {}}
    for question, kind, asked in tqdm([*questions(places)], "questions", leave=False):
        own = reading(asked, streams.steps[kind])
        controls, onward = inputs[question, kind]
        if is_trained(name):
            extra = model_controls(asked, streams.steps[kind], untrained.steps[kind])
            controls = controls | extra
        gap, ends, _ = selectivity(own, {"": onward})
        facts = facts_of(own, controls) | {
            "knowing the next cell": told(onward),
            "beyond the next cell": rounded([gap, *ends]),
        }
        if question == "future":
            facts |= quality(asked, own, streams.steps[kind])
        if (question, kind) == ("future", "fork"):
            facts |= geometry(asked, own, streams.steps[kind])
        found[question][kind] = facts
    whole = places.asked("start", future(places.mazes, places.steps["start"]))
    for role in places.roles:
        own = reading(whole, streams.roles[role])
        gap, ends, _ = selectivity(own, inputs["future", "start"][0])
        found["roles"][role] = {
            "by layer": rounded(own.by_site),
            "selectivity": rounded([gap, *ends]),
        }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all networks, or those that are named, and write the table."""
    one_thread()
    known = networks()
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.future", "n": COUNT}
    for family, asked in by_family(names, known):
        places = Places.of(family)
        inputs = {
            (question, kind): without_model(places, kind, some)
            for question, kind, some in tqdm([*questions(places)], "input")
        }
        untrained = places.streams(UNTRAINED + family)
        for name in tqdm(asked, family):
            keep(TABLE, row(name, places, untrained, inputs), **about)


if __name__ == "__main__":
    main()
