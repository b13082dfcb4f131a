import numpy as np
import pytest

from mazelib.evidence import bootstrap_mean, wilson


def test_wilson_interval_of_a_textbook_case():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 0) == (0, 1)


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says(rng):
    covered = 0
    for seed in range(200):
        low, high = bootstrap_mean(rng.exponential(size=80), seed, resamples=500)
        covered += low <= 1 <= high
    assert 0.88 < covered / 200 < 0.98


def test_bootstrap_repeats_itself():
    values = np.arange(30)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    low, high = bootstrap_mean(values)
    assert low < 14.5 < high


def test_bootstrap_of_equal_values_is_that_value():
    assert bootstrap_mean(np.full(9, 0.25)) == (0.25, 0.25)
