"""The paths from a part of the network are those that TransformerLens patches."""

import numpy as np
import pytest
import torch
from transformer_lens import patching

from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.interventions.patching import sweep
from mazelib.interventions.paths import (
    READERS,
    Sender,
    paths_from,
    senders_patched,
)


@pytest.mark.parametrize("sender", [Sender("head", 0, 1), Sender("head", 1, 0)])
@pytest.mark.parametrize("reader", ["q", "k", "v"])
def test_paths_between_heads_are_those_of_transformer_lens(
    trained, network, pairs, sender, reader
):
    one = pairs.those(np.array([1]))
    bridge = open_lens(trained).bridge
    right, wrong, end = (int(x[0]) for x in (one.right, one.wrong, one.clean.end))

    def metric(logits):
        return logits[0, end, right] - logits[0, end, wrong]

    clean, corrupted = (
        torch.from_numpy(prompts.ids).long() for prompts in (one.clean, one.corrupted)
    )
    caches = [bridge.run_with_cache(tokens)[1] for tokens in (clean, corrupted)]
    theirs = patching.get_act_patch_direct_path(
        bridge, corrupted, *caches, metric, sender.layer, sender.head, reader, False
    )
    mine = paths_from(network, one, sender).patched[reader].difference[..., 0]
    assert np.isnan(mine[: sender.layer + 1]).all()
    after = slice(sender.layer + 1, None)
    np.testing.assert_allclose(mine[after], theirs[after].numpy(), atol=1e-4)
    assert np.ptp(mine[after]) > 0


def test_the_last_mlp_is_read_by_the_end_alone(network, pairs):
    last = network.layers - 1
    effects = paths_from(network, pairs, Sender("mlp", last))
    assert set(effects.patched) == set(READERS)
    for reader in ("q", "k", "v", "mlp"):
        assert np.isnan(effects.patched[reader].difference).all()
    assert np.isfinite(effects.recovery("logits"))


def test_a_senders_direct_effect_is_its_write_at_the_end(network, pairs):
    places = {"asked": pairs.places()["asked"]}
    swept = sweep(network, pairs, places, ("mlp", "heads"))
    last = network.layers - 1
    found = paths_from(network, pairs, Sender("mlp", last)).patched["logits"]
    np.testing.assert_allclose(
        found.difference, swept.patched["mlp", "asked"].difference[last], atol=1e-4
    )


def test_a_head_is_read_by_the_mlp_of_its_own_layer(network, pairs):
    effects = paths_from(network, pairs, Sender("head", 1, 0))
    mlps = effects.recovery("mlp")
    assert np.isnan(mlps[:1]).all()
    assert np.isfinite(mlps[1:]).all()
    after = paths_from(network, pairs, Sender("mlp", 1)).recovery("mlp")
    assert np.isnan(after[:2]).all()
    assert np.isfinite(after[2:]).all()


def test_the_other_run_is_patched_when_noising(network, pairs):
    sender = Sender("embedding")
    noised = paths_from(network, pairs, sender, noising=True)
    turned = paths_from(network, pairs.turned, sender)
    for reader in READERS:
        np.testing.assert_allclose(
            noised.recovery(reader), turned.recovery(reader), atol=1e-4
        )


@pytest.mark.parametrize(
    "sender",
    [Sender("head", 3, 0), Sender("head", 0), Sender("mlp", -1), Sender("key")],
)
def test_a_sender_that_there_is_not_is_refused(network, pairs, sender):
    with pytest.raises(MazelibError, match="layers 0 to 2, heads 0 to 1"):
        paths_from(network, pairs, sender)
    with pytest.raises(MazelibError, match="no sender"):
        senders_patched(network, pairs, [sender])
