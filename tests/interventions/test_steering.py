"""Steering by nothing changes nothing, at one token what it should; hooks come off."""

import numpy as np
import pytest
import torch

from mazelib.behaviour.rollout import rollout
from mazelib.errors import MazelibError
from mazelib.interventions.network import Prompts, attended
from mazelib.interventions.steering import (
    ALL,
    Change,
    class_means,
    steered,
    steered_rollout,
)
from mazelib.models.blocks import mlp


@pytest.fixture
def prompts(trained, trees):
    return [
        trained.tokenizer.encode(sample.maze, sample.origin, sample.target)
        for sample in trees[:12]
    ]


def vectors(network, count: int, size: float = 3.0):
    generator = torch.Generator().manual_seed(0)
    return size * torch.randn(count, network.width, generator=generator)


def same(answers, others) -> bool:
    return all(map(np.array_equal, answers, others))


def test_steering_by_nothing_changes_nothing(trained, network, prompts):
    plain = rollout(trained.model, trained.tokenizer, prompts)
    nothing = torch.zeros(network.width)
    for layer in range(network.layers + 1):
        changes = [Change(layer, add=nothing), Change(layer, add=nothing, where=ALL)]
        assert same(steered_rollout(trained, prompts, changes), plain)
    assert same(steered_rollout(trained, prompts, []), plain)


@torch.no_grad()
def by_hand(trained, network, prompt, layer, vector, columns_of):
    """The greedy answer by whole passes, layer by layer, changed at some columns."""
    ids, end = prompt, trained.model.config.eos_token_id
    for _ in range(network.tokenizer.side**2 + 1):
        x = network.embedded(Prompts(ids[None], np.array([len(ids) - 1])))
        for number in range(network.layers + 1):
            if number == layer:
                x[:, columns_of(len(prompt), len(ids))] += vector
            if number < network.layers:
                read = attended(*network.attention_inputs(number, x))
                x = x + network.attention_output(number, read)
                x = x + mlp(network.blocks[number], x, torch.float32)
        ids = np.append(ids, int(network.unembedded(x[0, -1]).argmax()))
        if ids[-1] == end:
            break
    return ids[len(prompt) :]


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_each_way_of_steering_is_what_whole_passes_give(
    trained, network, prompts, layer
):
    own = vectors(network, len(prompts))
    target = np.array([len(prompt) - 3 for prompt in prompts])
    beyond = np.array([len(prompt) + 1 for prompt in prompts])
    ways = {
        "steps": ("steps", lambda prompt, length: slice(prompt - 1, length)),
        "all": (ALL, lambda prompt, length: slice(0, length)),
        "target": (target, lambda prompt, length: prompt - 3),
        "beyond": (
            beyond,
            lambda prompt, length: [prompt + 1] if length > prompt + 1 else [],
        ),
    }
    plain = rollout(trained.model, trained.tokenizer, prompts)
    for name, (where, columns) in ways.items():
        answers = steered_rollout(trained, prompts, [Change(layer, own, where=where)])
        for at in range(0, len(prompts), 5):
            expected = by_hand(trained, network, prompts[at], layer, own[at], columns)
            assert np.array_equal(answers[at], expected), (name, at)
        if layer < network.layers or name == "steps":
            assert not same(answers, plain)


def test_one_token_is_changed_and_then_released(trained, network, prompts):
    """After the last layer only what is read off that token changes."""
    column = np.array([len(prompt) - 1 for prompt in prompts])
    change = Change(network.layers, 50 * torch.eye(network.width)[0], where=column)
    plain = rollout(trained.model, trained.tokenizer, prompts)
    answers = steered_rollout(trained, prompts, [change])
    assert any(one[0] != two[0] for one, two in zip(answers, plain, strict=True))
    at_target = Change(network.layers, change.add, where=column - 2)
    assert same(steered_rollout(trained, prompts, [at_target]), plain)


def test_what_is_removed_is_gone_and_what_is_swapped_is_there(
    trained, network, prompts
):
    basis = torch.linalg.qr(vectors(network, network.width))[0][:, :3]
    ids = torch.from_numpy(np.stack(prompts[:3])).long()
    seen = {}

    def look(name):
        def hook(module, arguments):
            seen[name] = arguments[0] @ basis

        return hook

    wanted = torch.tensor([1.0, -2.0, 0.5])
    for name, add in (("removed", None), ("swapped", basis @ wanted)):
        with (
            torch.no_grad(),
            steered(trained.model, [Change(1, add, remove=basis, where=ALL)]),
        ):
            handle = network.blocks[1].attention_norm.register_forward_pre_hook(
                look(name)
            )
            trained.model(ids)
            handle.remove()
    assert seen["removed"].abs().max() < 1e-4
    torch.testing.assert_close(
        seen["swapped"], wanted.expand_as(seen["swapped"]), atol=1e-4, rtol=1e-4
    )


def test_hooks_are_gone_after_an_exception(trained, network, prompts):
    ids = torch.from_numpy(np.stack(prompts[:2])).long()
    moved = []

    def fail():
        with steered(trained.model, [Change(0, vectors(network, 1)[0], where=ALL)]):
            moved.append(trained.model(ids).logits)
            raise ZeroDivisionError

    with torch.no_grad():
        plain = trained.model(ids).logits
        with pytest.raises(ZeroDivisionError):
            fail()
        after = trained.model(ids).logits
    assert (moved[0] - plain).abs().max() > 1e-3
    assert torch.equal(plain, after)
    assert not any(module._forward_pre_hooks for module in trained.model.modules())


def test_rows_of_their_own_stay_with_their_prompts(trained, network, prompts):
    """In any order, and among prompts of other lengths."""
    own = vectors(network, len(prompts))
    answers = steered_rollout(trained, prompts, [Change(1, own)])
    order = np.random.default_rng(1).permutation(len(prompts))
    turned = steered_rollout(
        trained, [prompts[at] for at in order], [Change(1, own[order])]
    )
    assert same([answers[at] for at in order], turned)
    longer = [np.append(prompt, prompt[1]) for prompt in prompts]
    mixed = steered_rollout(trained, prompts + longer, [Change(1, own.repeat(2, 1))])
    assert same(mixed[: len(prompts)], answers)


def test_what_cannot_be_steered_by_is_refused(trained, network):
    model, wide = trained.model, torch.zeros(network.width + 1)
    for change, message in (
        (Change(4), "layer is 4, but the model has 3"),
        (Change(1, wide), r"is \d+ wide, but the model's stream \d+"),
        (Change(1, where="target"), "where is 'target'"),
    ):
        with pytest.raises(MazelibError, match=message), steered(model, [change]):
            pass
    model.train()
    with pytest.raises(MazelibError, match=r"model\.eval\(\)"), steered(model, []):
        pass


def test_means_are_those_of_their_label(rng):
    streams, label = rng.normal(size=(2, 30, 5)), rng.permutation(np.arange(30) % 3)
    means = class_means(streams, label, 3)
    for which in range(3):
        np.testing.assert_allclose(means[:, which], streams[:, label == which].mean(1))
    with pytest.raises(MazelibError, match="no token has the label 3"):
        class_means(streams, label, 4)
