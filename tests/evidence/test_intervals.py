"""Intervals cover as often as they say; matched groups differ by what was put in."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from mazelib.evidence.intervals import (
    as_text,
    bootstrap_groups,
    bootstrap_mean,
    in_bins,
    matched_difference,
    newcombe,
    of_difference,
    of_mean,
    of_ratio,
    partial_rank_correlation,
    prediction,
    shuffles_within,
    student,
    wilson,
)


def test_wilson_interval_of_a_textbook_case():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 0) == (0, 1)


def test_newcombe_interval_of_a_textbook_case():
    # table II of the paper, case (a): 56 of 70 against 48 of 80
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    low, high = newcombe(0, 10, 0, 20)
    assert low < 0 < high


def test_interval_of_a_difference_adds_the_squares_of_the_sides_that_matter():
    root = math.sqrt(2)
    found = of_difference(5.0, (4.0, 6.0), 3.0, (2.0, 4.0))
    assert found == pytest.approx((2 - root, 2 + root))
    found = of_difference(5.0, (5.0, 9.0), 3.0, (3.0, 6.0))
    assert found == pytest.approx((2 - 3, 2 + 4))


def test_students_interval_is_the_textbooks_and_covers_as_often_as_it_says(rng):
    # three values: t = 4.3027 at 2 degrees of freedom
    half = 4.3027 * 2 / math.sqrt(3)
    assert student(np.array([1, 3, 5])) == pytest.approx((3 - half, 3 + half), abs=1e-3)
    assert student(np.array([1.0])) == (-math.inf, math.inf)
    drawn = [student(values) for values in rng.normal(0.4, 1, (1000, 3))]
    assert 0.92 < np.mean([low < 0.4 < high for low, high in drawn]) < 0.98


def test_prediction_interval_is_the_textbooks_and_covers_one_more_value(rng):
    half = 4.3027 * 2 * math.sqrt(1 + 1 / 3)
    found = prediction(np.array([1, 3, 5]))
    assert found == pytest.approx((3 - half, 3 + half), abs=1e-3)
    assert prediction(np.array([1.0])) == (-math.inf, math.inf)
    drawn = [(prediction(four[:3]), four[3]) for four in rng.normal(size=(1000, 4))]
    assert 0.92 < np.mean([low < last < high for (low, high), last in drawn]) < 0.98


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says(rng):
    covered = 0
    for seed in range(200):
        low, high = bootstrap_mean(rng.exponential(size=80), seed, resamples=500)
        covered += low <= 1 <= high
    assert 0.88 < covered / 200 < 0.98


def test_bootstrap_of_groups_is_as_wide_as_the_groups_are_few(rng):
    values = np.repeat(rng.normal(size=60), 20)
    groups = np.repeat(rng.permutation(60), 20)
    low, high = bootstrap_groups(groups, lambda rows: values[rows].mean())
    wide = bootstrap_mean(values[::20])
    assert (low, high) == pytest.approx(wide, abs=0.06)
    alone = bootstrap_groups(np.arange(1200), lambda rows: values[rows].mean())
    assert alone[1] - alone[0] < 0.4 * (high - low)


def test_bootstrap_repeats_itself():
    values = np.arange(30)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    low, high = bootstrap_mean(values)
    assert low < 14.5 < high


def test_bootstrap_of_equal_values_is_that_value():
    assert bootstrap_mean(np.full(9, 0.25)) == (0.25, 0.25)


def test_bootstrap_of_groups_takes_any_names_and_draws_whole_groups(rng):
    groups = rng.choice([-7, 3, 900, 10**9], size=50)
    seen = []

    def counts(rows):
        drawn = [np.unique((groups[rows] == g).sum()) for g in np.unique(groups)]
        whole = [(groups == g).sum() for g in np.unique(groups)]
        seen.append([int(d[0]) % int(w) for d, w in zip(drawn, whole, strict=True)])
        return 0.0

    assert bootstrap_groups(groups, counts, resamples=30) == (0, 0)
    assert not np.any(seen)


def test_matched_groups_differ_by_the_effect_and_not_by_their_mix(rng):
    strata = rng.integers(4, size=20_000)
    is_first = rng.random(20_000) < np.array([0.9, 0.6, 0.2, 0.1])[strata]
    values = strata + 0.5 * is_first  # the first group is in the low strata
    assert values[is_first].mean() < values[~is_first].mean()
    assert matched_difference(values, is_first, strata) == pytest.approx(0.5)


def test_a_stratum_weighs_as_mantel_and_haenszel_say():
    # 2 × 2 tables of two strata: (1 of 2, 0 of 1) and (3 of 4, 2 of 4)
    right = np.array([1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0], bool)
    is_first = np.array([1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0], bool)
    strata = np.array([0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2])
    want = (2 / 3 * 0.5 + 2 * 0.25) / (2 / 3 + 2)
    assert matched_difference(right, is_first, strata) == pytest.approx(want)


def test_groups_without_a_stratum_in_common_cannot_be_matched():
    strata = np.array([0, 0, 1])
    alone = matched_difference(np.ones(3), strata == 0, strata)
    assert math.isnan(alone)


def test_values_are_shuffled_within_their_strata_and_nowhere_else(rng):
    strata, values = rng.integers(3, size=90), rng.integers(1000, size=90)
    drawn = list(shuffles_within(strata, values, 20))
    for mixed in drawn:
        for stratum in range(3):
            here = strata == stratum
            assert sorted(mixed[here]) == sorted(values[here])
    assert len({tuple(mixed) for mixed in drawn}) == 20


def test_what_comes_from_a_common_cause_is_no_partial_correlation(rng):
    cause = rng.random((3000, 2))
    x = cause.sum(1) + 0.3 * rng.random(3000)
    y = cause[:, 0] - cause[:, 1] + 0.3 * rng.random(3000)
    both = np.column_stack([x, y])
    assert abs(partial_rank_correlation(x, y, cause)) < 0.1
    assert partial_rank_correlation(x, cause[:, 0], y[:, None]) > 0.5
    assert partial_rank_correlation(x, x**3, cause) == pytest.approx(1)
    assert partial_rank_correlation(x, y, both) == 0


def test_a_partial_correlation_given_one_thing_is_the_textbooks(rng):
    x, y, z = rng.random((3, 200)) + rng.random(200)
    (_, xy, xz), (_, _, yz), _ = spearmanr(np.column_stack([x, y, z])).statistic
    want = (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_rank_correlation(x, y, z[:, None]) == pytest.approx(want)


def test_numbers_for_prose():
    assert as_text(0.979) == "97.9%"
    assert as_text(-0.02, (-0.33, 0.21), ".2f") == "-0.02 (-0.33 to 0.21)"


def test_bins_hold_what_is_from_an_edge_up_to_the_next(rng):
    by = np.array([0, 1, 1, 2, 5])
    values = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    bins = in_bins(by, values, [0, 1, 3, 4, 6])
    assert bins.x.tolist() == [0, pytest.approx(4 / 3), 5]  # none from 3 up to 4
    assert bins.mean.tolist() == [0, pytest.approx(2 / 3), 1]
    assert (bins.low[1], bins.high[1]) == pytest.approx(wilson(2, 3))


def test_the_interval_of_a_mean_is_wilsons_where_values_are_right_or_wrong(rng):
    assert of_mean(np.array([1.0, 0.0, 1.0])) == wilson(2, 3)
    chances = rng.random(50)
    assert of_mean(chances) == bootstrap_mean(chances)


def test_the_interval_of_a_ratio_is_katzs_and_covers_as_often_as_it_says(rng):
    a, n, b, m = 30, 400, 60, 500
    log = np.log((a / n) / (b / m))
    spread = 1.96 * np.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    assert np.allclose(of_ratio(a, n, b, m), np.exp([log - spread, log + spread]), 1e-3)
    drawn = rng.binomial(400, [0.1, 0.2], (500, 2)).tolist()
    ends = [of_ratio(k, 400, j, 400) for k, j in drawn]
    assert 0.92 <= np.mean([low <= 0.5 <= high for low, high in ends]) <= 0.98
