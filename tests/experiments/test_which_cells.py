"""Cells are counted from the fork; what is apart has nothing of the probes before."""

import numpy as np
import pytest
from samples import held_back

from experiments import pushes, which_cells


@pytest.fixture(scope="module")
def asked():
    return which_cells.with_far_ends(
        pushes.asked_of(held_back(5, 400), leads=False), 20
    )


def test_cells_of_each_kind_are_counted_from_the_fork(asked):
    assert len(asked.other) == 20
    signs = which_cells.signs_of(asked)
    for row, (sample, step, other) in enumerate(asked):
        right = sample.path[step + 1 :].tolist()
        assert signs["next"][row].nonzero()[0].tolist() == sorted([other, right[0]])
        assert signs["next"][row, other] == 1
        assert signs["near"][row, right[:4]].tolist() == [-1] * 4
        assert signs["far"][row, right[4:8]].tolist() == [-1] * len(right[4:8])
        assert (signs["far"][row] > 0).sum() >= 2
        for each in signs.values():
            assert not each[row, sample.path[: step + 1]].any()
    np.testing.assert_array_equal(signs["next"] + signs["later"], signs["near"])
    assert not (signs["near"] * signs["far"]).any()


def test_what_is_apart_has_nothing_of_the_probes_of_cells_before(asked, rng):
    weights = rng.normal(size=(2, 30, 25))  # [layers, width, cells]
    found, signs = which_cells.directions(asked, weights), which_cells.signs_of(asked)
    assert set(found) == {*which_cells.CELLS, "later apart", "far apart"}
    for move in found.values():
        np.testing.assert_allclose(np.linalg.norm(move, axis=-1), 1)
    for kind, before in which_cells.APART.items():
        apart = found[f"{kind} apart"]
        for row, which in enumerate(signs[before] != 0):
            for layer in range(2):
                probes = weights[layer][:, which]
                assert abs(apart[layer, row] @ probes).max() < 1e-9
        assert abs((apart * found[kind]).sum(-1)).min() > 0.3
