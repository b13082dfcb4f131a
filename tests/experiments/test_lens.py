"""Layers in which something is planted are the layers that are found."""

import numpy as np
import pytest
from samples import held_back, logits_that_turn

from experiments import lens
from mazelib.dataset.stream import MazeStream
from mazelib.evidence import records, tables
from mazelib.internals.plans import path_steps
from mazelib.internals.ways import Forks
from mazelib.models import zoo
from mazelib.tokens.tokenizer import Tokenizer

LAYERS = 6


@pytest.fixture(scope="module")
def mazes():
    return held_back(5, 300)


@pytest.fixture(scope="module")
def forks(mazes):
    return Forks(mazes, Tokenizer(side=7))


def test_the_layer_that_decides_is_found(forks):
    rng = np.random.default_rng(0)
    at = rng.integers(1, LAYERS + 1, len(forks.right))
    logits = logits_that_turn(forks, at[forks.ways["fork"]], LAYERS)
    right = logits[-1].argmax(1) == forks.right
    assert right.all()
    found = lens.decided(forks, logits, right)
    late, low, high = found["late"]
    assert late == pytest.approx((at >= LAYERS - 1).mean(), abs=1e-4)
    assert low < late < high
    look = forks.table["lookahead"].to_numpy()
    n, *share = found["by lookahead"]["3-4"]
    here = (look >= 3) & (look <= 4)
    assert n == here.sum()
    want = [(at[here] <= layer).mean() for layer in range(LAYERS + 1)]
    np.testing.assert_allclose(share, want, atol=1e-4)


def test_dead_ends_that_go_two_layers_earlier_are_seen_and_no_others(forks):
    depth, rng = forks.ways["depth"].to_numpy(), np.random.default_rng(0)
    right = np.ones(len(forks.right), bool)
    layer = np.where(depth == lens.SHORT, 2, 4)
    found = lens.dead_ends(forks, logits_that_turn(forks, layer, LAYERS), right)
    assert found["earlier"] == [2.0, 2.0, 2.0]
    assert found["layer"] == [2.0, 4.0]
    assert 0 < found["null"] < 1
    layer = rng.integers(1, LAYERS, len(depth))
    found = lens.dead_ends(forks, logits_that_turn(forks, layer, LAYERS), right)
    value, low, high = found["earlier"]
    assert low < 0 < high
    assert value == pytest.approx(0, abs=0.3)


def test_the_share_of_the_way_not_taken_is_that_of_its_logit(forks):
    logits = logits_that_turn(forks, np.full(len(forks.ways), 3), LAYERS)
    found = lens.shared(forks, logits, np.ones(len(forks.right), bool))["1-1"]
    want = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(found["wrong"], [want] * 3 + [1 - want] * 4, atol=1e-4)
    bits = -want * np.log2(want) - (1 - want) * np.log2(1 - want)
    np.testing.assert_allclose(found["entropy"], bits, atol=1e-4)


def test_a_model_is_looked_at_and_its_row_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(lens, "COUNT", 60)
    monkeypatch.setattr(lens, "TUNING", 30)
    monkeypatch.setattr(lens, "without", lambda mazes, others: mazes)  # all 3×3 are
    monkeypatch.setattr(lens, "networks", lambda untrained: {folder: folder})
    lens.main([folder])
    [row] = tables.read_table(lens.TABLE)["rows"]
    stream = MazeStream(zoo.held_out(folder))
    steps = path_steps(stream.take(0, 60), "fork")
    assert row["forks"] == len(steps.maze) >= row["right"] > 0
    for kind in ("plain", "tuned"):
        for n, *share in row[kind]["by lookahead"].values():
            assert n <= row["right"]
            assert share == sorted(share)
            assert share[-1] == 1.0
    assert row["plain"]["late"] != row["tuned"]["late"]
