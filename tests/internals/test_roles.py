"""A role is where its token stands, whatever the maze, its list and its place."""

from dataclasses import replace

import numpy as np
import pytest
from samples import one_question

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals.roles import ENTRY, KINDS, QUESTION, roles_of
from mazelib.mazes.generators import MazeConfig
from mazelib.tokens.tokenizer import Tokenizer

MIXED = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.4), spread=6, split="any")


@pytest.mark.parametrize("scheme", ["ut", "walls"])
def test_roles_are_those_of_the_tokens_read_one_by_one(scheme):
    tokenizer = Tokenizer(scheme, 6)
    mazes = MazeStream(MIXED).take(0, 40)
    batch = mazes.encode(tokenizer)
    roles = roles_of(batch, mazes, tokenizer)
    assert len({int(end) for end in roles.list_end}) > 3
    for b, sample in enumerate(mazes):
        offset = tuple(mazes.offset[b].tolist())
        ids = batch.ids[b][batch.segment[b] >= 0]
        words = tokenizer.to_tokens(ids)
        read, edges = tokenizer.read(ids, mazes.n, offset)
        assert read.maze == sample.maze
        count = len(edges)
        assert roles.edges[b, :count].tolist() == edges.tolist()
        assert (roles.entry[b, count:] == -1).all()
        names = {words[at] for at in roles.connector[b, :count]}
        assert len(names) == 1
        assert {words[at] for at in roles.semicolon[b, :count]} == {";"}
        for role in QUESTION:
            expected = "ADJLIST_END" if role == "list_end" else role.upper()
            if role not in ("origin", "target"):
                assert words[getattr(roles, role)[b]] == f"<{expected}>"
        ends = [roles.cell_at(at)[b] for at in (roles.origin, roles.target)]
        assert ends == [sample.origin, sample.target]
        steps = len(sample.path)
        assert roles.cell_at(roles.path)[b, :steps].tolist() == sample.path.tolist()
        assert (roles.path[b, steps:] == -1).all()
        forks = np.flatnonzero(roles.is_fork[b]).tolist()
        assert forks == sample.maze.forks(sample.path).tolist()


def test_each_token_is_of_one_kind():
    tokenizer, mazes = Tokenizer("ut", 6), MazeStream(MIXED).take(0, 10)
    batch = mazes.encode(tokenizer)
    roles = roles_of(batch, mazes, tokenizer)
    assert np.array_equal(roles.kind >= 0, batch.segment >= 0)
    for name in (*ENTRY, *QUESTION, "path"):
        count = (roles.kind == KINDS.index(name)).sum()
        assert count == (getattr(roles, name) >= 0).sum()
    ends = batch.ids[roles.kind == KINDS.index("path_end")]
    assert set(ends.tolist()) == {tokenizer.id_of["<PATH_END>"]}
    assert (roles.kind[:, 0] == 0).all()


def test_a_cell_outside_the_maze_is_none_of_its_cells(few):
    tokenizer, mazes = Tokenizer("ut", 6), one_question(few)
    elsewhere = replace(mazes, offset=mazes.offset + 2)
    batch = mazes.encode(tokenizer)
    roles = roles_of(batch, elsewhere, tokenizer)
    inside = roles_of(batch, mazes, tokenizer).cell
    shifted = np.where((inside // 4 >= 2) & (inside % 4 >= 2), inside - 10, -1)
    assert np.array_equal(roles.cell, shifted)


def test_what_has_no_roles_is_an_error(few):
    with pytest.raises(MazelibError, match="packed"):
        roles_of(few.encode(Tokenizer("ut", 4)), few, Tokenizer("ut", 4))
    pairs, mazes = Tokenizer("ctt", 4), one_question(few)
    with pytest.raises(MazelibError, match="5 tokens"):
        roles_of(mazes.encode(pairs), mazes, pairs)
