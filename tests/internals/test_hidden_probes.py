"""A hidden layer reads what no line parts; a probe of low rank has that rank."""

import numpy as np
import pytest

from mazelib.evidence.classification import auroc
from mazelib.internals.hidden_probes import fit_hidden
from mazelib.internals.probes import SCORE, SHARES, fit


@pytest.fixture
def things(rng):
    features = rng.normal(size=(1500, 6)).astype(np.float32)
    return features, rng.choice(3, 1500, p=SHARES)


def test_a_hidden_layer_reads_an_exclusive_or(things):
    features, part = things
    labels = (features[:, :2] * features[:, 2:4] > 0).astype(int)
    scored = part == SCORE
    line = fit(features[None], labels, part).scores(features[None])[0, scored]
    assert (auroc(line, labels[scored]) < 0.6).all()
    bent = fit_hidden(features, labels, part, hidden=32).scores(features)[scored]
    assert (auroc(bent, labels[scored]) > 0.95).all()
    flat = fit_hidden(features, labels, part, hidden=32, is_linear=True)
    assert (auroc(flat.scores(features)[scored], labels[scored]) < 0.6).all()


def test_classes_are_read_as_well(rng, things):
    features, part = things
    octant = (features[:, :2] > 0) @ [1, 2]  # of two targets, four classes each
    labels = np.stack([octant, (octant + (features[:, 2] > 0)) % 4], 1)
    probe = fit_hidden(features, labels, part, classes=4, hidden=32)
    scores = probe.scores(features)
    assert scores.shape == (1500, 2, 4)
    scored = part == SCORE
    told = scores.argmax(-1)
    assert (told[scored] == labels[scored]).mean() > 0.9


def test_a_linear_probe_has_the_rank_of_its_middle_and_that_may_do(rng, things):
    features, part = things
    hidden = features @ rng.normal(size=(6, 2))
    labels = (hidden @ rng.normal(size=(2, 5)) > 0).astype(int)
    scored = part == SCORE
    areas = {}
    for rank in (1, 2):
        probe = fit_hidden(features, labels, part, hidden=rank, is_linear=True)
        scores = probe.scores(features)
        assert np.linalg.matrix_rank(scores - scores.mean(0), tol=1e-3) == rank
        areas[rank] = auroc(scores[scored], labels[scored]).mean()
    assert areas[2] > 0.99 > areas[1]
