"""What is planted in a stream is selective; what the input says is not."""

import numpy as np
import pytest
from samples import one_question

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals import readings
from mazelib.internals.plans import (
    cell_at,
    directions,
    future,
    passage_features,
    path_steps,
    target_distances,
)
from mazelib.internals.probes import SCORE
from mazelib.internals.readings import (
    Asked,
    input_controls,
    model_controls,
    reading,
    selectivity,
)
from mazelib.mazes.generators import MazeConfig


@pytest.fixture(scope="module")
def mazes():
    config = StreamConfig(MazeConfig("dfs", 4), split="test")
    return one_question(MazeStream(config).take(0, 500))


@pytest.fixture(scope="module")
def steps(mazes):
    return path_steps(mazes, "fork")


def streams_of(knows, rng):
    """Two layers of noise; the second writes down what is known, in any directions."""
    noise = rng.normal(size=(2, len(knows), 48))
    noise[1] += 3 * knows @ rng.normal(size=(knows.shape[1], 48))
    return noise.astype(np.float32)


@pytest.mark.parametrize("kind", ["cells", "directions", "next", "distances"])
def test_what_is_planted_is_found_at_its_layer_and_beats_every_control(
    mazes, steps, rng, monkeypatch, kind
):
    monkeypatch.setattr(readings, "DRAWS", 100)
    coming = future(mazes, steps)
    labels, classes, measure = {
        "cells": (coming, None, "AUROC"),
        "directions": (directions(mazes, steps), 5, "macro-F1"),
        "next": (cell_at(mazes, steps, 2)[:, None], 16, "accuracy"),
        "distances": (target_distances(mazes, steps), None, "R²"),
    }[kind]
    one_hot = labels[..., None] == np.arange(classes or 1)
    knows = {
        "cells": coming - coming.mean(0),
        "directions": one_hot.reshape(len(labels), -1),
        "next": one_hot.reshape(len(labels), -1),
        "distances": labels - labels.mean(0),
    }[kind]
    asked = Asked.of(mazes, steps.maze, labels, classes, measure)
    streams, untrained = (streams_of(knows * on, rng) for on in (1, 0))
    own = reading(asked, streams)
    assert own.best == 1
    assert own.value == own.by_site[1] > own.by_site[0] + 0.2
    low, high = own.interval
    assert low <= own.value <= high
    controls = input_controls(asked, mazes, steps)
    controls |= model_controls(asked, streams, untrained)
    gap, (low, high), name = selectivity(own, controls)
    assert name == max(controls, key=lambda each: controls[each].value)
    assert low < gap < high
    assert gap > 0.05
    chance = {"cells": 0.5, "directions": 0.2, "next": 1 / 16, "distances": 0.0}[kind]
    for name in ("untrained", "shuffled", "random"):
        assert controls[name].value == pytest.approx(chance, abs=0.06)
    assert controls["passages"].value > controls["random"].value + 0.1


def test_what_the_input_says_is_not_selective(mazes, steps, rng, monkeypatch):
    monkeypatch.setattr(readings, "DRAWS", 100)
    asked = Asked.of(mazes, steps.maze, future(mazes, steps))
    known = passage_features(mazes, steps)[None].astype(np.float32)
    own = reading(asked, known @ np.linalg.qr(rng.normal(size=known.shape[2:] * 2))[0])
    gap, (low, high), _ = selectivity(own, input_controls(asked, mazes, steps))
    assert gap < 0.02
    assert low <= gap <= high


def test_targets_that_hardly_vary_are_left_out(mazes, steps):
    labels = future(mazes, steps)
    labels[:, 3] = 0
    labels[:5, 3] = 1
    asked = Asked.of(mazes, steps.maze, labels)
    assert asked.targets.tolist() == [c for c in range(16) if c != 3]
    assert (asked.labels == labels[:, asked.targets]).all()
    with pytest.raises(MazelibError, match="no target is so"):
        Asked.of(mazes, steps.maze, labels[:, 3:4])
    with pytest.raises(MazelibError, match="kind yes, which R² does not measure"):
        Asked.of(mazes, steps.maze, labels, measure="R²")


def test_shuffling_keeps_the_labels_of_a_part(mazes, steps, rng):
    asked = Asked.of(mazes, steps.maze, future(mazes, steps))
    mixed = asked.shuffled(rng)
    rows = asked.part == SCORE
    assert (mixed.labels[rows].sum(0) == asked.labels[rows].sum(0)).all()
    assert (mixed.labels != asked.labels).any()
