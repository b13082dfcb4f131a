"""Probes find what is planted and no more, and what scikit-learn's find."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.evidence.classification import auroc, auroc_draws, draws_of, mean_over
from mazelib.internals import probes
from mazelib.internals.probes import CHOOSE, FIT, NOT_ASKED, SCORE, fit, parts_of
from mazelib.mazes.generators import MazeConfig

THINGS, WIDTH, TARGETS = 900, 24, 4


@pytest.fixture
def part(rng):
    return rng.choice(3, THINGS, p=probes.SHARES)


@pytest.fixture
def features(rng):
    """At two sites; directions of very different size, one that never varies."""
    mixed = rng.normal(size=(WIDTH, WIDTH)) * np.exp(-np.arange(WIDTH) / 6)
    found = rng.normal(size=(2, THINGS, WIDTH)) @ mixed + 3
    found[..., 5] = 1.0
    return found.astype(np.float32)


def planted(rng, features):
    """Labels by four directions at the first site."""
    said = (features[0] - features[0].mean(0)) @ rng.normal(size=(WIDTH, TARGETS))
    return (said > np.quantile(said, 0.7, 0)).astype(int)


def test_a_planted_direction_is_found_and_only_where_it_is(rng, features, part):
    labels = planted(rng, features)
    scored = part == SCORE
    scores = fit(features, labels, part).scores(features)[:, scored]
    assert (auroc(scores[0], labels[scored]) > 0.98).all()
    elsewhere = auroc_draws(
        scores[1],
        labels[scored],
        np.arange(scored.sum()),
        draws_of(np.arange(scored.sum()), 200),
    )
    low, high = np.quantile(mean_over(elsewhere), [0.025, 0.975])
    assert low < 0.5 < high


def test_shuffled_labels_leave_chance(rng, features, part):
    labels = rng.permutation(planted(rng, features))
    scored = part == SCORE
    scores = fit(features, labels, part).scores(features)[0, scored]
    each = np.arange(scored.sum())
    found = auroc_draws(scores, labels[scored], each, draws_of(each, 200))
    low, high = np.quantile(mean_over(found), [0.025, 0.975])
    assert low < 0.5 < high


def standard(features, part):
    fitted = features[part == FIT]
    scale = fitted.std(0)
    return (features - fitted.mean(0)) / np.where(scale > 1e-6, scale, np.inf)


@pytest.mark.parametrize("strength", [1.0, 100.0, 10_000.0])
def test_probes_are_those_of_scikit_learn(rng, features, part, strength):
    noisy = features + 2 * rng.normal(size=features.shape)
    labels, given = planted(rng, noisy), standard(features[0], part)
    found = fit(features, labels, part, strengths=(strength,))
    assert (found.strength == strength).all()
    scores = found.scores(features)[0]
    for target in range(TARGETS):
        own = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=10_000)
        own.fit(given[part == FIT], labels[part == FIT, target])
        theirs = own.decision_function(given)
        assert np.abs(theirs - scores[:, target]).max() < 0.002 * np.ptp(theirs)
        both = np.stack([theirs, scores[:, target]], 1)
        areas = auroc(both, labels[:, [target, target]])
        assert abs(areas[0] - areas[1]) < 1e-4


def test_probes_of_classes_are_those_of_scikit_learn(rng, features, part):
    said = np.tensordot(features[0], rng.normal(size=(WIDTH, 2, 3)), 1)
    said += 3 * rng.normal(size=said.shape)
    labels, given = (said - said.mean(0)).argmax(-1), standard(features[0], part)
    found = fit(features[:1], labels, part, classes=3, strengths=(10.0,))
    scores = found.scores(features[:1])[0]
    for target in range(2):
        own = LogisticRegression(C=0.1, tol=1e-8, max_iter=10_000)
        own.fit(given[part == FIT], labels[part == FIT, target])
        chances = np.exp(scores[:, target])
        chances /= chances.sum(1, keepdims=True)
        assert np.abs(own.predict_proba(given) - chances).max() < 0.003


@pytest.mark.parametrize("strength", [1.0, 100.0])
def test_probes_of_numbers_are_those_of_scikit_learn(rng, features, part, strength):
    values = features[0] @ rng.normal(size=(WIDTH, 3))
    values += rng.normal(size=values.shape)
    found = fit(features[:1], values, part, strengths=(strength,))
    given = standard(features[0], part)
    own = Ridge(alpha=strength).fit(given[part == FIT], values[part == FIT])
    scores = found.scores(features[:1])[0]
    np.testing.assert_allclose(own.predict(given), scores, atol=1e-2)


def test_the_strength_is_that_which_does_best_on_mazes_to_choose_by(
    rng, features, part
):
    labels = planted(rng, features + 4 * rng.normal(size=features.shape))
    strengths = (0.1, 30.0, 1e5)
    found = fit(features, labels, part, strengths=strengths)
    rows = part == CHOOSE

    def loss(scores):
        x, y = scores[:, rows], labels[rows]
        return (np.logaddexp(0, x) - y * x).mean(1)

    losses = [
        loss(fit(features, labels, part, strengths=(s,)).scores(features))
        for s in strengths
    ]
    want = np.array(strengths)[np.argmin(losses, 0)]
    np.testing.assert_allclose(found.strength, want)
    np.testing.assert_allclose(
        loss(found.scores(features)), np.min(losses, 0), atol=1e-4
    )


def test_a_thing_that_is_not_asked_is_as_if_it_were_not_there(rng, features, part):
    labels = planted(rng, features + rng.normal(size=features.shape))
    some = labels.copy()
    some[:300, 0] = NOT_ASKED
    rest = fit(features[:, 300:], labels[300:, :1], part[300:], strengths=(10.0,))
    found = fit(features, some, part, strengths=(10.0,))
    # the features are standardized on all things, so the penalty differs a little
    one, other = (probe.scores(features)[0, :, 0] for probe in (rest, found))
    assert np.corrcoef(one, other)[0, 1] > 0.999
    whole = fit(features, labels, part, strengths=(10.0,))
    np.testing.assert_allclose(
        found.weights[..., 1:], whole.weights[..., 1:], atol=2e-3
    )


@pytest.mark.parametrize("grid", [3, 5])
def test_parts_share_no_maze_up_to_symmetry(grid):
    stream = MazeStream(StreamConfig(MazeConfig("dfs", grid), split="any"))
    mazes = stream.take(0, 2000)
    turned = MazeSet.concatenate([mazes, mirrored(mazes)])
    part = parts_of(turned)
    names = [set(turned.canonical_hashes[part == p].tolist()) for p in range(3)]
    assert sum(map(len, names)) == len(set.union(*names))
    assert (part[:2000] == part[2000:]).all()
    group, names_of = probes.groups_of(turned), turned.canonical_hashes
    assert (names_of == np.unique(names_of)[group]).all()
    shares = [len(n) / sum(map(len, names)) for n in names]
    np.testing.assert_allclose(shares, probes.SHARES, atol=0.03)


def mirrored(mazes: MazeSet) -> MazeSet:
    """The same mazes, left and right exchanged; questions are not looked at."""
    return replace(mazes, right=mazes.right[:, :, ::-1], down=mazes.down[:, :, ::-1])


def test_what_cannot_be_fitted_is_refused(rng, features, part):
    labels = planted(rng, features)
    with pytest.raises(MazelibError, match="900 things have features, 899 labels"):
        probes.check(features, labels[1:], part, None)
    with pytest.raises(MazelibError, match="labels go from 0 to 2: give 0 to 1"):
        fit(features, labels * 2, part)
    with pytest.raises(MazelibError, match="nothing to choose by"):
        fit(features, labels, np.where(part == CHOOSE, FIT, part))
    features[0, 0, 0] = np.inf
    with pytest.raises(MazelibError, match="not finite"):
        fit(features, labels, part)
