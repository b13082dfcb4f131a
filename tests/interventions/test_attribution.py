"""What the parts write adds up to the difference of the two logits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mazelib.behaviour.forks import ways_on
from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.internals.roles import KINDS
from mazelib.interventions.attribution import TASKS, attribute, read_off
from mazelib.interventions.network import Prompts


@pytest.mark.parametrize("task", TASKS)
def test_the_parts_add_up_to_the_difference(network, trees, task):
    found = attribute(network, trees, task)
    np.testing.assert_allclose(found.written.sum(1), found.difference, atol=1e-4)
    heads = found.written[:, (found.parts["component"] == "head").to_numpy()]
    by_kind = found.by_kind.sum(-1).reshape(len(heads), -1)
    np.testing.assert_allclose(by_kind, heads, atol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_the_difference_is_that_of_the_models_logits(trained, network, trees, task):
    found = attribute(network, trees, task)
    batch = trees.encode(trained.tokenizer)
    with torch.no_grad():
        logits = trained.model(torch.from_numpy(batch.ids).long()).logits.numpy()
    start = batch.answer.argmax(1) - 1  # <PATH_START>
    at = logits[found.steps.maze, start[found.steps.maze] + 1 + found.steps.step]
    each = np.arange(len(at))
    lead = at[each, found.right] - at[each, found.wrong]
    np.testing.assert_allclose(found.difference, lead, atol=1e-4)
    following = start[found.steps.maze] + 2 + found.steps.step
    assert (batch.ids[found.steps.maze, following] == found.right).all()
    assert (found.right != found.wrong).all()


def test_the_wrong_token_is_the_likeliest_other_way_at_a_fork(network, trees):
    found = attribute(network, trees, "fork")
    for maze, step, right, wrong in zip(
        *found.steps, found.right, found.wrong, strict=True
    ):
        sample = trees[int(maze)]
        ways = ways_on(sample.maze, sample.path.tolist(), int(step))
        tokens = set(network.tokenizer.cell_ids[ways, 0])
        assert {right, wrong} <= tokens


def test_a_table_has_a_row_a_part_and_shares_that_add_up(network, trees):
    found = attribute(network, trees, "fork")
    table = found.table
    assert len(table) == len(found.parts)
    assert table["share"].sum() == pytest.approx(1, abs=1e-3)
    assert table["mean"].is_monotonic_decreasing
    assert table["mean"].sum() == pytest.approx(found.difference.mean(), abs=1e-3)


def test_heads_read_nothing_off_tokens_that_come_later(network, trees):
    found = attribute(network, trees, "origin")
    later = [KINDS.index(kind) for kind in ("path", "path_end")]
    assert (found.by_kind[..., later] == 0).all()
    assert (found.by_kind[..., KINDS.index("target")] != 0).any()


def test_what_is_read_off_each_token_adds_up(network, trees):
    found = attribute(network, trees[:5], "fork")
    by_token = read_off(network, trees[:5], found.steps)
    np.testing.assert_allclose(by_token.sum(-1), found.by_kind.sum(-1), atol=1e-4)
    batch = trees[:5].encode(network.tokenizer)
    own = batch.answer.argmax(1)[found.steps.maze] + found.steps.step
    later = np.arange(by_token.shape[-1]) > own[:, None]
    assert (by_token.transpose(0, 3, 1, 2)[later] == 0).all()


def test_attributions_are_those_of_transformer_lens(trained, network, trees):
    """`logit_attrs` of one maze's asked token, by head and by MLP."""
    one = trees[:1]
    found = attribute(network, one, "origin")
    lens = open_lens(trained, folded=True)
    batch = one.encode(trained.tokenizer)
    column = int(batch.answer.argmax(1)[0]) - 1
    ids = torch.from_numpy(Prompts(batch.ids, np.array([column])).those([0]).ids).long()
    with torch.no_grad():
        _, cache = lens.bridge.run_with_cache(ids)
        stack, labels = cache.get_full_resid_decomposition(
            -1, expand_neurons=False, apply_ln=True, pos_slice=-1, return_labels=True
        )
        lens.bridge.W_U.detach()
        along = lens.bridge.W_U[:, found.right[0]] - lens.bridge.W_U[:, found.wrong[0]]
        theirs = dict(zip(labels, (stack[:, 0] @ along).tolist(), strict=True))
    parts = found.parts.assign(written=found.written[0])
    for row in parts.itertuples():
        name = {"head": f"L{row.layer}H{row.head}", "mlp": f"{row.layer}_mlp_out"}
        if row.component in name:
            mine = pytest.approx(theirs[name[row.component]], abs=1e-3)
            assert row.written == mine, name[row.component]


def test_another_task_is_refused(network, trees):
    with pytest.raises(MazelibError, match="no task 'walk': take one of origin"):
        attribute(network, trees, "walk")
    none = replace(trees[:3], length=trees.length[:3] * 0 + 1)
    with pytest.raises(MazelibError, match="no step of the task 'fork' in 3 mazes"):
        attribute(network, none, "fork")
