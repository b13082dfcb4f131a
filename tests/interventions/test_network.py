"""The parts add up to the model, and going on from the middle is going through."""

import numpy as np
import pytest
import torch

from mazelib.errors import MazelibError
from mazelib.interventions.network import Network, Prompts


@pytest.fixture
def prompts(trained, trees):
    batch = trees[:5].encode(trained.tokenizer)
    lengths = (batch.segment >= 0).sum(1)
    return Prompts(batch.ids, lengths - np.array([1, 2, 5, 1, 3]))


def own_logits(trained, prompts):
    ids = torch.from_numpy(prompts.ids).long()
    with torch.no_grad():
        return trained.model(ids).logits[range(len(ids)), prompts.end]


def test_the_logits_are_the_models_own(trained, network, prompts):
    found = network.run(prompts).logits
    torch.testing.assert_close(
        found, own_logits(trained, prompts), atol=1e-5, rtol=1e-5
    )


def test_what_is_written_adds_up_to_the_stream(network, prompts):
    run = network.run(prompts)
    for layer, block in enumerate(network.blocks):
        heads = network.written(layer, run.read[layer]).sum(1) + block.output.bias
        total = run.streams[layer] + heads + run.mlps[layer]
        torch.testing.assert_close(total, run.streams[layer + 1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("start", [0, 1, 40])
def test_going_on_from_anywhere_gives_the_same(network, prompts, start):
    run = network.run(prompts)
    for layer in range(network.layers + 1):
        streams = run.streams[layer][:, start:].expand(2, -1, -1, -1)
        found = network.resume(run, layer, start, streams)
        for logits in found:
            torch.testing.assert_close(logits, run.logits, atol=1e-4, rtol=1e-4)


def test_going_on_with_another_stream_is_going_through_with_it(network, prompts):
    """The stream of other prompts from a column on, in one variant of two."""
    run, start = network.run(prompts), 30
    other = Prompts(prompts.ids.copy(), prompts.end)
    other.ids[:, start + 2] = 3
    theirs = network.run(other)
    streams = torch.stack([run.streams[0], theirs.streams[0]])[:, :, start:]
    found = network.resume(run, 0, start, streams)
    torch.testing.assert_close(found[0], run.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[1], theirs.logits, atol=1e-4, rtol=1e-4)
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_some_prompts_lose_the_columns_that_none_needs(prompts):
    some = prompts.those(np.array([2]))
    assert some.ids.shape == (1, prompts.end[2] + 1)
    assert (some.ids == prompts.ids[2, : prompts.end[2] + 1]).all()


def test_a_model_in_training_mode_is_refused(trained):
    trained.model.train()
    with pytest.raises(MazelibError, match=r"model\.eval\(\)"):
        Network(trained)


def test_a_prompt_beyond_learned_positions_is_refused(network, prompts):
    long = Prompts(np.zeros((1, 161), int), np.array([160]))
    if not network.is_learned:
        assert network.run(long).logits.isfinite().all()
        return
    with pytest.raises(MazelibError, match=r"161 tokens.*160 positions"):
        network.run(long)
