"""All of a stream is a full patch; a fitted subspace carries what chance does not."""

import numpy as np
import pytest
import torch
from samples import held_back
from transformer_lens.tools.analysis.interchange import (
    SubspaceInterchange,
    collect_activations,
    intervened_logits,
)

from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.interventions.network import Network
from mazelib.interventions.pairs import targets_moved
from mazelib.interventions.patching import sweep
from mazelib.interventions.subspaces import Spot, arbitrary, fit_subspace, swapped
from mazelib.models import zoo


@pytest.fixture
def pairs(trees, trained, rng):
    return targets_moved(trees, trained.tokenizer, rng)


def basis_of(network, rank: int):
    generator = torch.Generator().manual_seed(1)
    return torch.linalg.qr(torch.randn(network.width, rank, generator=generator))[0]


def test_the_whole_stream_is_a_full_patch(network, pairs):
    where = pairs.places()["target"]
    swept = sweep(network, pairs, {"target": where}, ("stream",))
    for layer in range(network.layers + 1):
        every = basis_of(network, network.width)
        found = swapped(network, pairs, Spot(layer, where), every).patched["swapped"]
        theirs = swept.patched["stream", "target"].difference[layer]
        np.testing.assert_allclose(found.difference, theirs, atol=1e-3)


def test_swaps_are_those_of_transformer_lens(trained, network, pairs):
    one = pairs.those(np.flatnonzero(pairs.clean.end == pairs.clean.end[0]))
    column = one.roles.target
    basis, spot = basis_of(network, 3), Spot(1, one.places()["target"])
    mine = swapped(network, one, spot, basis).patched["swapped"]
    bridge, ids = open_lens(trained).bridge, {}
    for name, prompts in (("clean", one.clean), ("corrupted", one.corrupted)):
        ids[name] = torch.from_numpy(prompts.ids).long()
    at = torch.from_numpy(column)
    hook = "blocks.0.hook_resid_post"
    source = collect_activations(
        bridge, hook, ids["clean"], lambda x: bridge(x)[:, -1], positions=at
    )
    logits = intervened_logits(
        bridge,
        hook,
        SubspaceInterchange(basis),
        ids["corrupted"],
        source,
        lambda x: bridge(x)[:, -1],
        positions=at,
    )
    each = torch.arange(len(one))
    theirs = logits[each, one.right] - logits[each, one.wrong]
    np.testing.assert_allclose(mine.difference, theirs.numpy(), atol=1e-3)


@pytest.fixture(scope="module")
def solver():
    """A trained network, pairs to fit on, and others."""
    network = Network(zoo.load("memorizer4"))
    rng = np.random.default_rng(0)
    pairs = targets_moved(held_back(4, 500), network.tokenizer, rng)
    both = sweep(network, pairs, {"asked": pairs.places()["asked"]}, ("stream",))
    right = np.flatnonzero(both.base.is_corrupted & both.source.is_clean)
    return network, pairs.those(right[:128]), pairs.those(right[128:])


def share(network, fitted, others, basis) -> float:
    spot = Spot(1, others.places()["target"])
    return swapped(network, others, spot, basis).patched["swapped"].is_clean.mean()


def test_a_fitted_subspace_carries_the_answer(solver):
    network, fitted, others = solver
    spot = Spot(1, fitted.places()["target"])
    own = fit_subspace(network, fitted, spot, rank=8)
    np.testing.assert_allclose(own.T @ own, np.eye(8), atol=1e-5)
    wrong = fit_subspace(
        network, arbitrary(fitted, np.random.default_rng(0)), spot, rank=8
    )
    chance = share(network, fitted, others, basis_of(network, 8))
    assert share(network, fitted, others, own) > 0.5
    assert share(network, fitted, others, own) > chance + 0.2
    assert share(network, fitted, others, wrong) < 0.5


def test_in_an_untrained_network_it_stays_at_its_control(solver):
    _, fitted, others = solver
    network = Network(zoo.untrained("memorizer4"))
    spot = Spot(1, fitted.places()["target"])
    own = fit_subspace(network, fitted, spot, rank=8)
    wrong = fit_subspace(
        network, arbitrary(fitted, np.random.default_rng(0)), spot, rank=8
    )
    shares = [share(network, fitted, others, basis) for basis in (own, wrong)]
    assert max(shares) < 0.25
    assert shares[0] - shares[1] < 0.15


def test_a_rank_that_there_is_not_is_refused(network, pairs):
    spot = Spot(1, pairs.places()["target"])
    for rank in (0, network.width + 1):
        with pytest.raises(MazelibError, match=rf"rank is {rank}: take 1 to"):
            fit_subspace(network, pairs, spot, rank)
