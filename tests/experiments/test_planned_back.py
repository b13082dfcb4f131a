"""Far cells come after the first four of a way; what is left of them is apart."""

import numpy as np
import pytest
from samples import held_back

from experiments import planned_back, replanned


@pytest.fixture(scope="module")
def asked():
    return planned_back.with_far_ends(
        replanned.asked_of(held_back(5, 400), leads=False), 20
    )


def test_forks_have_far_cells_on_both_ways(asked):
    assert len(asked.other) == 20
    near, far = planned_back.signs_of(asked)
    for row, (sample, step, other) in enumerate(asked):
        right = sample.path[step + 1 :].tolist()
        assert near[row, other] == 1
        assert near[row, right[:4]].tolist() == [-1] * 4
        assert far[row, right[4:8]].tolist() == [-1] * len(right[4:8])
        assert (far[row] > 0).sum() >= 2
        gone = sample.path[: step + 1]
        assert not near[row, gone].any()
        assert not far[row, gone].any()
    assert not (near * far).any()


def test_cells_of_both_ways_are_left_out(asked, monkeypatch):
    ways = [0, 1, 2, 3, 7, 8], [4, 5, 6, 9, 8, 10]
    monkeypatch.setattr(planned_back, "cells_of", lambda asked: [ways] * 20)
    _, far = planned_back.signs_of(asked)
    assert far[0].nonzero()[0].tolist() == [7, 10]


def test_what_is_left_of_a_far_direction_has_nothing_of_the_near_probes(asked, rng):
    weights = rng.normal(size=(2, 30, 25))  # [layers, width, cells]
    found = planned_back.directions(asked, weights)
    near, _ = planned_back.signs_of(asked)
    for kind in ("near", "far", "apart"):
        np.testing.assert_allclose(np.linalg.norm(found[kind], axis=-1), 1)
    for row, signs in enumerate(near):
        for layer in range(2):
            probes = weights[layer][:, signs != 0]
            assert abs(found["apart"][layer, row] @ probes).max() < 1e-9
    assert abs((found["apart"] * found["far"]).sum(-1)).min() > 0.3
