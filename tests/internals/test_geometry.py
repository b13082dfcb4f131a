"""Statistics find what was put in, and nothing where names were shuffled."""

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from mazelib.errors import MazelibError
from mazelib.internals.geometry import (
    _silhouette,
    correlation,
    distances,
    lattice_distances,
    mantel,
    mantel_interval,
    purity,
    silhouette,
    silhouette_interval,
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


def test_pairs_that_do_not_count_change_nothing(places, rng):
    near, lattice = distances(places, "L2"), lattice_distances(5)
    far = lattice >= 3
    spoilt = np.where(far, near, rng.normal(size=near.shape))
    for measure in (mantel_interval, lambda *a, **k: mantel(*a, **k).value):
        found = [measure(a, lattice, pairs=far, draws=50) for a in (near, spoilt)]
        assert found[0] == found[1]
    assert mantel_interval(near, lattice, pairs=far, draws=50)[0] > 0.7


def test_two_tables_may_be_compared_draw_by_draw(places, rng):
    near, lattice = distances(places, "L2"), lattice_distances(5)
    assert mantel_interval(near, lattice, draws=50, less=near) == (0, 0)
    noise = distances(rng.normal(size=places.shape), "L2")
    low, high = mantel_interval(near, lattice, draws=100, less=noise)
    assert 0.5 < low < high < 1.5


def test_the_null_is_what_unrelated_vectors_give(rng):
    values, highs = [], []
    for _ in range(60):
        near = distances(rng.normal(size=(25, 16)), "cosine")
        found = mantel(near, lattice_distances(5), draws=100)
        values.append(found.value)
        highs.append(found.high)
    assert abs(np.mean(values)) < 0.03
    assert 0 < np.mean(np.array(values) > highs) < 0.2


def test_things_are_exchanged_with_those_of_their_kind_alone(rng):
    kinds = rng.permutation(np.repeat([0, 1, 2], [9, 9, 7]))
    near = (kinds[:, None] != kinds).astype(float)  # the kinds are all there is
    apart = near + 0.01 * distances(rng.normal(size=(25, 3)), "L2")
    assert mantel(near, apart, draws=50).high < 0.5
    held = mantel(near, apart, within=kinds, draws=50)
    assert held.null == pytest.approx(held.value)
    one = mantel(apart, near, within=np.arange(25), draws=5)
    assert one.null == pytest.approx(one.value)


def test_only_the_pairs_that_count_count(rng):
    a, b = (distances(rng.normal(size=(9, 3)), "L1") for _ in range(2))
    pairs = b > np.median(b)
    above = np.nonzero(np.triu(pairs, 1))
    want = spearmanr(a[above], b[above]).statistic
    assert correlation(a, b, pairs=pairs) == pytest.approx(want)
    assert mantel(a, b, pairs=pairs, draws=2).value == pytest.approx(want)


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
    low, high = silhouette_interval(clouds, labels, draws=200)
    assert 0.1 < low < found.value < high
    same = silhouette(rng.normal(size=(40, 8)), labels, draws=100)
    assert same.value < 0.02


def test_a_thing_drawn_twice_counts_twice_and_is_no_distance_from_others(rng):
    labels = np.repeat([0, 1, 2], [8, 7, 1])
    vectors = rng.normal(size=(16, 5))
    table = distances(vectors, "cosine")
    once = _silhouette(table, labels, np.ones(16, int))
    assert once == pytest.approx(silhouette(vectors, labels, draws=1).value)
    twice = _silhouette(table, labels, np.full(16, 2))
    assert twice == pytest.approx(once)
    kept = rng.permutation(16)[:12]
    some = _silhouette(table, labels, np.isin(np.arange(16), kept).astype(int))
    assert some == pytest.approx(silhouette(vectors[kept], labels[kept], 1).value)


def test_neighbours_are_alike_where_vectors_say_so(rng):
    kinds, group = np.repeat([0, 1, 2], 30), np.zeros(90, int)
    vectors = rng.normal(size=(90, 4))
    said = purity(vectors + 9 * np.eye(4)[kinds], kinds, group)
    assert said.excess == pytest.approx(1 - 29 / 89)
    assert abs(said.null.mean()) < 0.02 < said.high
    others = purity(vectors + 9 * np.eye(4)[kinds], kinds, group, (kinds + 1) % 3)
    assert others.excess == pytest.approx(-30 / 89)
    assert np.allclose(said.excess, said.most)
    unsaid = purity(vectors, kinds, group)
    assert unsaid.excess.mean() == pytest.approx(0, abs=0.05)


def test_neighbours_are_sought_in_the_own_group_alone(rng):
    kinds, group = np.tile([0, 1], 40), np.repeat([5, 2, 9], [38, 38, 4])
    vectors = rng.normal(size=(80, 3)) + 9 * np.eye(3)[kinds] * (group == 2)[:, None]
    found = purity(vectors, kinds, group).excess
    assert np.isnan(found[group == 9]).all()
    assert found[group == 5].mean() == pytest.approx(0, abs=0.1)
    assert found[group == 2] == pytest.approx(1 - 18 / 37)
    alone = purity(vectors[group == 5], kinds[group == 5], group[group == 5]).excess
    assert np.allclose(found[group == 5], alone)
    with pytest.raises(MazelibError, match="no group has 20 things"):
        purity(np.zeros((19, 2)), np.zeros(19, int), np.zeros(19, int))


def test_shuffled_kinds_have_no_excess_in_the_mean(rng):
    kinds, group = rng.integers(3, size=200), rng.integers(4, size=200)
    found = purity(rng.normal(size=(200, 2)), kinds, group, draws=200)
    assert found.null.mean() == pytest.approx(0, abs=0.004)
    assert found.null.std() > 0.005


@pytest.mark.parametrize("ranks", [True, False])
def test_things_that_are_exchanged_with_themselves_alone_leave_it_as_it_is(rng, ranks):
    a, b = (distances(rng.normal(size=(9, 4)), "cosine") for _ in range(2))
    some = np.triu(rng.random((9, 9)) < 0.6, 1)
    some |= some.T
    for pairs in (None, some):
        found = mantel(a, b, ranks, pairs, within=np.arange(9), draws=5)
        assert found.null == pytest.approx([found.value] * 5)


def test_a_null_is_the_correlation_of_the_exchanged_table(rng):
    a, b = (distances(rng.normal(size=(4, 3)), "cosine") for _ in range(2))
    orders = [np.ix_(order, order) for order in itertools.permutations(range(4))]
    every = {round(correlation(a[order], b), 9) for order in orders}
    null = mantel(a, b, draws=2000).null
    assert {round(value, 9) for value in null.tolist()} == every
