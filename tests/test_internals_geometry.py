"""Statistics find what was put in, and nothing where names were shuffled."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mazelib.errors import MazelibError
from mazelib.internals.geometry import (
    correlation,
    distances,
    lattice_distances,
    mantel,
    mantel_interval,
    purity,
    silhouette,
)


@pytest.fixture
def places():
    """The cells of a 5×5 grid as vectors, turned in a wider space."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(9, 9)))[0]
    return np.stack(np.divmod(np.arange(25.0), 5), 1) @ turn[:2]


def test_lattice_distances_count_steps():
    table = lattice_distances(3)
    assert table[0].tolist() == [0, 1, 2, 1, 2, 3, 2, 3, 4]
    assert np.array_equal(table, table.T)


def test_cells_laid_out_as_in_the_grid_are_found(places):
    near = distances(places, "L2")
    found = mantel(near, lattice_distances(5), draws=200)
    assert found.value > 0.9 > found.high
    low, high = mantel_interval(near, lattice_distances(5), draws=200)
    assert 0.8 < low <= found.value <= high


def test_the_null_is_what_unrelated_vectors_give(rng):
    values, highs = [], []
    for _ in range(60):
        near = distances(rng.normal(size=(25, 16)), "cosine")
        found = mantel(near, lattice_distances(5), draws=100)
        values.append(found.value)
        highs.append(found.high)
    assert abs(np.mean(values)) < 0.03
    assert 0 < np.mean(np.array(values) > highs) < 0.2


def test_correlation_is_over_each_pair_once(rng):
    a, b = (distances(rng.normal(size=(7, 3)), "L1") for _ in range(2))
    pairs = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    x, y = ([table[pair] for pair in pairs] for table in (a, b))
    assert correlation(a, b) == pytest.approx(spearmanr(x, y).statistic)
    assert correlation(a, b, ranks=False) == pytest.approx(np.corrcoef(x, y)[0, 1])
    with pytest.raises(MazelibError, match="metric is 'L3'"):
        distances(a, "L3")


def test_two_clouds_are_apart_and_one_is_not(rng):
    labels = np.repeat([0, 1], 20)
    clouds = rng.normal(size=(40, 8)) + 6 * labels[:, None] * np.eye(8)[0]
    found = silhouette(clouds, labels, draws=100)
    assert found.value > 0.15 > found.high
    same = silhouette(rng.normal(size=(40, 8)), labels, draws=100)
    assert same.value < 0.02


def test_neighbours_are_alike_where_vectors_say_so(rng):
    kinds = np.repeat([0, 1, 2], 30)
    said = purity(rng.normal(size=(90, 4)) + 9 * np.eye(4)[kinds], kinds)
    assert said.near == pytest.approx(1)
    assert said.all == pytest.approx(29 / 89)
    unsaid = purity(rng.normal(size=(90, 4)), kinds)
    assert (unsaid.near - unsaid.all).mean() == pytest.approx(0, abs=0.05)
    with pytest.raises(MazelibError, match="no 10 neighbours"):
        purity(np.zeros((10, 2)), np.zeros(10, int))
