"""Scores of attention patterns made by hand, whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from samples import one_question

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.internals.attention import (
    best_head,
    entry_attention,
    head_scores,
    on_own_entries,
    own_entries,
    relations,
    rows_at,
    scores_of,
    towards,
)
from mazelib.internals.lens import Site, open_lens
from mazelib.internals.roles import roles_of
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.model import build
from mazelib.tokens.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def known():
    """Twenty mazes with cycles, their tokens and roles."""
    config = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.2), split="any")
    mazes, tokenizer = MazeStream(config).take(0, 20), Tokenizer("ut", 4)
    batch = mazes.encode(tokenizer)
    return mazes, batch, roles_of(batch, mazes, tokenizer)


def looking_at(wanted) -> torch.Tensor:
    """Attention spread evenly over the wanted keys; on the first token if none is."""
    wanted = torch.as_tensor(wanted)
    wanted = wanted & torch.ones(wanted.shape[1:], dtype=torch.bool).tril()
    wanted[..., 0] |= ~wanted.any(-1)
    return (wanted / wanted.sum(-1, keepdim=True))[:, None]


def test_relations_are_those_of_the_maze(known):
    mazes = known[0]
    lattice, passages = relations(mazes)
    for sample, near, joined in zip(mazes, lattice, passages, strict=True):
        for cell in range(16):
            is_open = np.flatnonzero(joined[cell]).tolist()
            assert is_open == list(sample.maze.neighbours(cell))
        row, col = np.divmod(np.arange(16), 4)
        distance = abs(row[:, None] - row) + abs(col[:, None] - col)
        assert np.array_equal(near, distance == 1)


def test_a_head_that_looks_at_walled_neighbours_has_all_but_the_null(known):
    mazes, _, roles = known
    lattice, passages = relations(mazes)
    walled = lattice & ~passages
    cell, here = roles.cell, np.arange(len(mazes))[:, None, None]
    wanted = walled[here, cell[:, :, None], cell[:, None]]
    wanted &= (cell[:, :, None] >= 0) & (cell[:, None] >= 0)
    scores = scores_of(looking_at(wanted), roles, mazes)
    for b, sample in enumerate(mazes):
        ways = walled[b, sample.path].sum(1)
        expected = [(1 - k / 15) * (k > 0) for k in ways]
        assert scores.walled[b, 0] == pytest.approx(np.mean(expected), abs=1e-6)
        assert scores.joined[b, 0] < 0.01
        assert scores.joined_each[b, 0] < 1e-6
    assert (scores.walled_each > 0.1).all()
    assert scores.walled_from_ends.mean() > 0.4  # each end is named in the list
    assert scores.walled_from_list.mean() > 0.3


def test_a_head_that_looks_at_its_cells_entries_has_all_but_the_null(known):
    mazes, batch, roles = known
    wanted = np.zeros((*batch.ids.shape, batch.ids.shape[1]), bool)
    for b, sample in enumerate(mazes):
        for t, cell in enumerate(sample.path):
            for entry, edge in zip(roles.entry[b], roles.edges[b], strict=True):
                if cell in edge:
                    wanted[b, roles.path[b, t], entry] = True
    scores = scores_of(looking_at(wanted), roles, mazes)
    assert scores.entries[:, 0] == pytest.approx(1 - 2 / 16, abs=1e-6)
    looks = rows_at(looking_at(wanted), roles.path)
    tokens = on_own_entries(looks, roles)[:, 0]
    assert tokens.sum((1, 2)) == pytest.approx(1, abs=1e-6)
    assert np.ptp(tokens, axis=2).max() < 1e-6
    sides = roles.edges[:, None] == roles.cell_at(roles.path)[..., None, None]
    share = sides.any(2).sum(1) / (roles.path >= 0).sum(1)[:, None]
    assert np.allclose((tokens.sum(2) > 0), share > 0)


def test_a_head_that_looks_one_token_back_is_seen_as_such(known):
    mazes, batch, roles = known
    length = batch.ids.shape[1]
    back = torch.arange(length)[:, None] - torch.arange(length) == 1
    scores = scores_of(looking_at(back[None].repeat(20, 1, 1)), roles, mazes)
    assert scores.previous == pytest.approx(1)
    steps = (roles.path >= 0).sum(1)
    assert scores.previous_cell[steps > 1] == pytest.approx(1)
    assert scores.semicolon_to_second == pytest.approx(1)
    assert scores.own_cells == pytest.approx(0.5)
    back = torch.arange(length)[:, None] - torch.arange(length) == 2
    scores = scores_of(looking_at(back[None].repeat(20, 1, 1)), roles, mazes)
    assert (scores.previous < 0.02).all()  # the second token has the first alone
    assert scores.second_to_first == pytest.approx(1)
    assert scores.semicolon_to_first == pytest.approx(0)
    assert scores.own_cells == pytest.approx(0.5)


def test_scores_are_nothing_on_average_where_names_are_shuffled(known, rng):
    mazes, batch, roles = known
    length = batch.ids.shape[1]
    pattern = torch.from_numpy(rng.random((20, 2, length, length), np.float32) ** 4)
    pattern = pattern.tril() / pattern.tril().sum(-1, keepdim=True)
    roles = roles._replace(path=roles.path[:, :1])
    looks = rows_at(pattern, roles.path)
    origin, mazes_at = roles.cell_at(roles.origin), np.arange(20)
    found = []
    for _ in range(300):
        names = rng.permuted(np.tile(np.arange(16), (20, 1)), axis=1)
        cell = np.take_along_axis(names, np.maximum(roles.cell, 0), 1)
        cell = np.where((roles.cell >= 0) & (batch.segment == 0), cell, -1)
        cell[mazes_at, roles.path[:, 0]] = origin
        entries = own_entries(looks, roles._replace(cell=cell), 4)
        kept = np.where(roles.cell == origin[:, None], origin[:, None], cell)
        swapped = (kept == origin[:, None]) & (roles.cell != origin[:, None])
        taken = names[mazes_at, origin]  # a cell that got the own name gets this one
        kept = np.where(swapped & (cell >= 0), taken[:, None], kept)
        shuffled, joined = roles._replace(cell=kept), relations(mazes)[1]
        related = towards(pattern, shuffled, roles.path, joined)
        found.append([entries.mean(), related.mass.mean()])
    error = np.std(found, 0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, 0)) < 4 * error).all()
    assert (np.std(found, 0) > 1e-3).all()


def test_an_untrained_network_scores_next_to_nothing(tiny_config):
    config = replace(tiny_config, layers=3)
    trained = TrainedModel(build(config, seed=0), config.tokenizer, {})
    stream = StreamConfig(MazeConfig("dfs", 4), split="test")
    scores = head_scores(open_lens(trained), MazeStream(stream).take(0, 200))
    for score in (scores.walled, scores.entries):
        assert score.shape == (200, 3, 2)
        assert np.abs(score.mean(0)).max() < 0.05


def test_a_previous_token_head_that_was_built_in_is_found(tiny_config, few):
    config = replace(tiny_config, positions="learned", width=32, heads=2)
    model = build(config, seed=0)
    with torch.no_grad():  # layer 1, head 1: position p asks for p - 1
        table = model.transformer.wpe.weight
        place = torch.arange(len(table))[:, None] * 2 ** -torch.arange(8.0)
        table.zero_()
        table[:, :8], table[:, 8:16] = place.sin(), place.cos()
        for block in model.transformer.h:
            block.ln_1.weight.fill_(1.0)
        attend = model.transformer.h[1].attn.c_attn
        attend.weight[:, 16:32] = 0.0
        attend.weight[:, 48:64] = 0.0
        turn = 2 ** -torch.arange(8.0)
        for i in range(8):
            attend.weight[i, 16 + i] = 9 * turn[i].cos()
            attend.weight[8 + i, 16 + i] = -9 * turn[i].sin()
            attend.weight[i, 24 + i] = 9 * turn[i].sin()
            attend.weight[8 + i, 24 + i] = 9 * turn[i].cos()
            attend.weight[i, 48 + i] = attend.weight[8 + i, 56 + i] = 9.0
        model.transformer.wte.weight *= 0.1
    lens = open_lens(TrainedModel(model, config.tokenizer, {}))
    scores = head_scores(lens, one_question(few))
    assert best_head(scores.previous) == (1, 1)
    mean = scores.previous.mean(0)
    assert mean[1, 1] > 0.9
    assert np.delete(mean.ravel(), 3).max() < 0.5


def test_a_heads_search_for_entries_is_its_score_unless_something_is_replaced(
    tiny_config, few
):
    trained = TrainedModel(build(tiny_config, seed=4), tiny_config.tokenizer, {})
    lens, mazes = open_lens(trained), one_question(few)
    score = head_scores(lens, mazes).entries[:, 1, 0]
    found, tokens = entry_attention(lens, mazes, (1, 0), lambda part: {})
    assert np.allclose(found, score, atol=1e-6)
    assert (tokens.sum((1, 2)) > found).all()  # which the null is not taken from
    nothing = {Site("resid_pre", 1): torch.zeros(1, 1, 16)}
    found, _ = entry_attention(lens, mazes, (1, 0), lambda part: nothing)
    assert not np.allclose(found, score, atol=1e-4)
