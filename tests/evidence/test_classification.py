"""Scores of classification agree with scikit-learn's, ties and draws included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from mazelib.errors import MazelibError
from mazelib.evidence.classification import (
    NOT_ASKED,
    accuracy,
    auroc,
    auroc_draws,
    balanced_accuracy,
    calibration_error,
    check,
    confusions,
    draws_of,
    macro_f1,
    mean_over,
    r_squared_draws,
)


def table(seed: int, ties: bool):
    """Scores and labels of sixty things in twelve groups for three targets."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (60, 3))
    scores = rng.normal(size=(60, 3)) + labels
    return np.round(scores) if ties else scores, labels, rng.integers(0, 12, 60)


@given(st.integers(0, 10**6), st.booleans())
def test_areas_are_those_of_scikit_learn(seed, ties):
    scores, labels, _ = table(seed, ties)
    want = [
        metrics.roc_auc_score(y, x) for x, y in zip(scores.T, labels.T, strict=True)
    ]
    np.testing.assert_allclose(auroc(scores, labels), want, atol=1e-12)


@given(st.integers(0, 10**6), st.booleans())
def test_areas_of_groups_drawn_anew_are_those_of_the_things_repeated(seed, ties):
    scores, labels, groups = table(seed, ties)
    draws = draws_of(groups, 4, seed)
    assert (draws.sum(1) == groups.max() + 1).all()
    found = auroc_draws(scores, labels, groups, draws)
    for times, areas in zip(draws, found, strict=True):
        rows = np.repeat(np.arange(60), times[groups])
        np.testing.assert_allclose(areas, auroc(scores[rows], labels[rows]))


def test_what_is_not_asked_does_not_count_and_one_class_has_no_area():
    scores, labels, _ = table(0, ties=False)
    some = labels.copy()
    some[::3, 1] = NOT_ASKED
    some[:, 2] = 1
    found = auroc(scores, some)
    asked = np.arange(60) % 3 > 0
    assert found[0] == auroc(scores, labels)[0]
    assert found[1] == auroc(scores[asked], labels[asked])[1]
    assert np.isnan(found[2])
    assert mean_over(found) == found[:2].mean()
    assert np.isnan(mean_over(np.full(3, np.nan)))


@given(st.integers(0, 10**6))
def test_accuracy_and_f1_are_those_of_scikit_learn(seed):
    scores, labels, groups = table(seed, ties=False)
    told = scores >= 0.5
    want = [
        metrics.balanced_accuracy_score(y, t)
        for y, t in zip(labels.T, told.T, strict=True)
    ]
    found = balanced_accuracy(scores, labels, np.full(3, 0.5))
    np.testing.assert_allclose(found, want)
    rng = np.random.default_rng(seed)
    kinds, said = rng.integers(0, 5, (2, 60, 3))
    counts = confusions(said, kinds, groups, 5)
    want = metrics.f1_score(kinds.ravel(), said.ravel(), average="macro")
    assert macro_f1(counts.sum(0)[None])[0] == pytest.approx(want)
    assert counts.sum((1, 2)).tolist() == (3 * np.bincount(groups)).tolist()
    assert accuracy(counts.sum(0)[None])[0] == pytest.approx((kinds == said).mean())
    kinds[0] = NOT_ASKED
    assert confusions(said, kinds, groups, 5).sum() == 177


@given(st.integers(0, 10**6))
def test_shares_of_variance_are_those_of_scikit_learn(seed):
    told, _, groups = table(seed, ties=False)
    values = told + np.random.default_rng(seed).normal(size=told.shape)
    draws = draws_of(groups, 4, seed)
    found = r_squared_draws(told, values, groups, draws)
    for times, shares in zip(draws, found, strict=True):
        rows = np.repeat(np.arange(60), times[groups])
        want = metrics.r2_score(values[rows], told[rows], multioutput="raw_values")
        np.testing.assert_allclose(shares, want)


def test_chances_that_come_true_as_often_as_they_say_are_calibrated(rng):
    chances = rng.random((20_000, 2))
    labels = (rng.random(chances.shape) < chances).astype(int)
    assert calibration_error(chances, labels) < 0.01
    assert calibration_error(chances**3, labels) == pytest.approx(0.25, abs=0.01)
    assert calibration_error(np.array([[1.0], [0.0]]), np.array([[1], [0]])) == 0


def test_what_cannot_be_compared_is_refused():
    scores, labels, _ = table(0, ties=False)
    with pytest.raises(MazelibError, match=r"\(60, 3\) and labels \(60, 2\)"):
        check(scores, labels[:, :2])
    scores[0] = np.nan
    with pytest.raises(MazelibError, match="score is NaN"):
        check(scores, labels)
