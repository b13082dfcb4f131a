"""All parts kept is the model, a planted stop head is found, paths have shares."""

import numpy as np
import pytest
import torch
from samples import held_back

from experiments import parts, stops
from mazelib.internals.ways import Forks
from mazelib.interventions import Network, Sender, attribute, targets_moved
from mazelib.models import zoo
from mazelib.training.validation import teacher_forced


@pytest.fixture(scope="module")
def solver():
    return Network(zoo.load("memorizer4"))


@pytest.fixture(scope="module")
def mazes():
    return held_back(4, 100)


def test_all_parts_kept_is_the_model_and_none_is_less(solver, mazes):
    forks, means = Forks(mazes, solver.tokenizer), parts.means_of(solver, mazes)
    every = list(means)
    whole = parts.forks_right(solver, mazes, forks, means, every)
    right = teacher_forced(solver.model, solver.tokenizer, mazes).right
    assert whole[np.isin(forks.maze, np.flatnonzero(right))].all()
    assert not whole.all()
    none = parts.forks_right(solver, mazes, forks, means, [])
    assert none.mean() < whole.mean() - 0.1


def test_means_are_those_of_their_kind_of_token(network, mazes):
    means = parts.means_of(network, mazes[:10])
    assert set(means) == {
        *(("head", layer, head) for layer in range(2) for head in range(2)),
        *(("mlp", layer, -1) for layer in range(2)),
    }
    _, writes, kinds = parts.run_with(network, mazes[:10], {}, [])
    for part, mean in means.items():
        own = writes[part][torch.from_numpy(kinds == 6)].mean(0)
        torch.testing.assert_close(mean[6], own, atol=1e-4, rtol=1e-4)


def test_the_least_number_is_found_by_halving(solver, mazes, monkeypatch):
    """Forks go right one after the other as parts are kept."""
    forks = Forks(mazes, solver.tokenizer)
    order = [("mlp", layer, -1) for layer in range(20)]
    count = len(forks.right)
    tried = []

    def planted(network, mazes, forks, means, kept):
        tried.append(len(kept))
        return np.arange(count) < count * min(1.0, len(kept) / 10)

    monkeypatch.setattr(parts, "forks_right", planted)
    counts, hits = parts.fewest(solver, mazes, forks, {}, order)
    found = parts.least(counts, hits, forks)
    needed = parts.wanted(np.ones(count, bool), forks)
    assert found == int(np.ceil(10 * needed))
    assert len(tried) == len(set(tried)) < 10
    around, _ = parts.fewest(solver, mazes, forks, {}, order, around=2)
    assert set(range(found - 2, found + 3)) <= set(around)


def test_a_planted_stop_head_is_found(network, mazes):
    """A head that alone tells the end by what it reads in this maze."""
    lost, before = stops.falls(network, mazes[:40])
    assert lost.shape == (network.layers, network.heads + 1, 40)
    assert ((before >= 0) & (before <= 1)).all()
    with torch.no_grad():
        kept = [network.output_matrix(layer).clone() for layer in range(2)]
        for layer in range(2):
            network.output_matrix(layer).zero_()
        silent, _ = stops.falls(network, mazes[:40])
        network.output_matrix(1)[1] = kept[1][1]
        alone, _ = stops.falls(network, mazes[:40])
        for layer in range(2):
            network.output_matrix(layer).copy_(kept[layer])
    assert np.abs(silent).max() < 1e-6
    assert np.abs(alone[1, 1]).max() > 1e-4
    np.testing.assert_allclose(alone[1, 2], alone[1, 1], atol=1e-6)
    alone[1, 1:] = 0
    assert np.abs(alone).max() < 1e-6


def test_the_last_mlp_acts_by_its_direct_path_alone(network, mazes):
    pairs = targets_moved(mazes, network.tokenizer, np.random.default_rng(0))
    share = parts.kept_directly(network, pairs, [Sender("mlp", network.layers - 1)])
    assert share(slice(None)) == pytest.approx(1, abs=1e-3)
    found = attribute(network, mazes, "fork")
    named = parts.senders(found, np.array([1, 2]))
    assert named == [Sender("head", 0, 0), Sender("head", 0, 1)]
