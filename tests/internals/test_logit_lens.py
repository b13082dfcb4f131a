"""The lens is the model's own end at every layer, and the logits at the last."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import large, one_question
from transformer_lens.tools.analysis.logit_lens import logit_lens

from mazelib.internals.lens import activations, bridge_inputs, open_lens
from mazelib.internals.logit_lens import fit_tuned, read_out, settled
from mazelib.internals.plans import path_steps
from mazelib.internals.streams import at_steps, streams_at
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture(params=["rotary", "learned"])
def lens(request, tiny_config):
    config = replace(tiny_config, positions=request.param, layers=3)
    return open_lens(TrainedModel(large(config, 2), config.tokenizer, {}))


def test_the_lens_is_that_of_transformer_lens_and_ends_with_the_logits(lens, few):
    mazes = one_question(few)[:6]
    steps = path_steps(mazes, "origin")
    streams = streams_at(lens, mazes, {"": at_steps(steps)})[""]
    found = read_out(lens, streams)
    batch = mazes.encode(lens.tokenizer)
    row, at = at_steps(steps)(next(activations(lens, mazes, [])))
    own = lens.logits(batch)[row, at].numpy()
    np.testing.assert_allclose(found[-1], own, atol=1e-4)
    _, cache = lens.bridge.run_with_cache(**bridge_inputs(batch))
    theirs = logit_lens(cache, positions=None).readout.values.numpy()
    np.testing.assert_allclose(found, theirs[:, row, at], atol=1e-4)


def divergence(lens, streams) -> np.ndarray:
    """What is said after each layer, from what is said at last; mean over tokens."""
    said = torch.from_numpy(read_out(lens, streams)).log_softmax(-1)
    return (said[-1].exp() * (said[-1] - said)).sum(-1).mean(1).numpy()


def test_a_tuned_lens_comes_nearer_to_the_end_on_mazes_it_was_not_fitted_on(lens, few):
    mazes = one_question(few)
    steps = path_steps(mazes, "corridor")
    streams = streams_at(lens, mazes, {"path": at_steps(steps)})["path"]
    fitted = steps.maze < 25
    before = [p.clone() for p in lens.bridge.parameters()]
    tuned = fit_tuned(lens, streams[:, fitted], steps=150)
    others = streams[:, ~fitted]
    plain, mapped = (divergence(lens, some) for some in (others, tuned(others)))
    assert (mapped[:-1] < 0.8 * plain[:-1]).all()
    np.testing.assert_allclose(tuned(others)[-1], others[-1], atol=1e-6)
    for one, other in zip(before, lens.bridge.parameters(), strict=True):
        assert torch.equal(one, other)
        assert other.grad is None


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1))
def test_what_is_settled_stays_ahead_and_was_not_before(rows):
    leads = np.array(rows)
    for column, layer in zip(leads.T, settled(leads), strict=True):
        assert (column[layer:] > 0).all()
        assert layer == 0 or column[layer - 1] <= 0
