"""A patch with itself does nothing, a full one gives the other run; peers agree."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformer_lens import patching

from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.interventions import patching as ours
from mazelib.interventions.pairs import targets_moved
from mazelib.interventions.patching import PARTS, sweep


def test_a_full_patch_of_the_stream_gives_the_other_run(network, pairs):
    for noising in (False, True):
        effects = sweep(network, pairs, {"all": pairs.inside}, ("stream",), noising)
        found, whole = effects.patched["stream", "all"], effects.source
        for layer in range(network.layers + 1):
            for mine, theirs in zip(found, whole, strict=True):
                np.testing.assert_allclose(mine[layer], theirs, atol=1e-4)
        np.testing.assert_allclose(effects.recovery("stream", "all"), 1, atol=1e-3)
        assert (found.difference[-1] == whole.difference).all()


def test_noising_is_denoising_the_other_way_round(network, pairs):
    places = pairs.places()
    noised = sweep(network, pairs, places, noising=True)
    turned = sweep(network, pairs.turned, places)
    for key, found in noised.patched.items():
        other = turned.patched[key].difference
        np.testing.assert_allclose(found.difference, -other, atol=1e-4)


def test_two_runs_that_are_the_same_change_nothing(network, pairs):
    same = replace(pairs, corrupted=pairs.clean)
    effects = sweep(network, same, same.places())
    for part, _ in effects.patched:
        assert part in PARTS
    for found in effects.patched.values():
        assert (found.difference == effects.base.difference).all()
        assert (found.probability == effects.base.probability).all()


def test_the_target_is_all_that_differs_before_the_first_layer(network, trees, rng):
    pairs = targets_moved(trees, network.tokenizer, rng)
    effects = sweep(network, pairs, pairs.places(), ("stream",))
    found = {place: effects.recovery("stream", place) for place in pairs.places()}
    assert found["target"][0] == pytest.approx(1, abs=1e-4)
    assert found["asked"][-1] == pytest.approx(1, abs=1e-4)
    for place in ("first", "second", "list_end", "origin"):  # before the target
        assert (found[place] == 0).all()


def test_what_a_layer_writes_is_what_its_parts_write(network, pairs):
    """After the last layer, attention and MLP at the asked token make the stream."""
    places = {"asked": pairs.places()["asked"]}
    effects = sweep(network, pairs, places)
    assert set(effects.patched) == {(part, "asked") for part in PARTS}
    shapes = {part: effects.recovery(part, "asked").shape for part in PARTS}
    layers, heads = network.layers, network.heads
    assert shapes["stream"] == (layers + 1,)
    assert shapes["attention"] == shapes["mlp"] == (layers,)
    assert shapes["heads"] == shapes["patterns"] == (layers, heads)


def test_pairs_may_be_run_in_any_number_at_a_time(network, pairs, monkeypatch):
    whole = sweep(network, pairs, pairs.places())
    monkeypatch.setattr(ours, "MOST", 5)
    parts = sweep(network, pairs, pairs.places())
    for key, found in whole.patched.items():
        for mine, theirs in zip(found, parts.patched[key], strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_a_part_that_there_is_not_is_refused(network, pairs):
    with pytest.raises(MazelibError, match="no part 'key': take some of stream"):
        sweep(network, pairs, pairs.places(), ("key",))


def test_recovery_may_be_of_some_pairs(network, pairs):
    effects = sweep(network, pairs, {"all": pairs.inside}, ("mlp",))
    some = np.arange(3)
    found = effects.recovery("mlp", "all", rows=some)
    moved = (
        effects.patched["mlp", "all"].difference[:, :3] - effects.base.difference[:3]
    )
    span = (effects.source.difference - effects.base.difference)[:3].mean()
    np.testing.assert_allclose(found, moved.mean(1) / span)


def asked_of_peer(trained, pairs):
    """What a peer's sweep is given, for one pair: model, prompt, cache and metric."""
    bridge = open_lens(trained).bridge
    right, wrong, end = (int(x[0]) for x in (pairs.right, pairs.wrong, pairs.clean.end))

    def metric(logits):
        return logits[0, end, right] - logits[0, end, wrong]

    clean, corrupted = (
        torch.from_numpy(prompts.ids).long()
        for prompts in (pairs.clean, pairs.corrupted)
    )
    _, cache = bridge.run_with_cache(clean)
    return bridge, corrupted, cache, metric


@pytest.mark.parametrize("row", [3])
def test_patches_are_those_of_transformer_lens(trained, network, pairs, row):
    one = pairs.those(np.array([row]))
    given = asked_of_peer(trained, one)
    columns = one.clean.ids.shape[1]
    places = {str(at): one.inside & (np.arange(columns) == at) for at in range(columns)}
    effects = sweep(network, one, places, ("stream", "attention", "mlp", "heads"))

    def mine(part):
        each = [
            effects.patched[part, str(at)].difference[..., 0] for at in range(columns)
        ]
        return np.stack(each, -1)

    for name, part in (("attn_out", "attention"), ("mlp_out", "mlp")):
        found = getattr(patching, f"get_act_patch_{name}")(*given)
        np.testing.assert_allclose(found.numpy(), mine(part), atol=1e-4)
    before = patching.get_act_patch_resid_pre(*given).numpy()
    np.testing.assert_allclose(before, mine("stream")[:-1], atol=1e-4)
    whole = sweep(network, one, {"all": one.inside}, ("heads", "patterns"))
    for name, part in (("out", "heads"), ("pattern", "patterns")):
        found = getattr(patching, f"get_act_patch_attn_head_{name}_all_pos")(*given)
        own = whole.patched[part, "all"].difference[..., 0]
        np.testing.assert_allclose(found.numpy(), own, atol=1e-4)
