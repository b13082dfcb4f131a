"""Heads are chosen by their scores, and compared with others of their own number."""

import numpy as np
import pytest

from mazelib.errors import MazelibError
from mazelib.internals.attention import HeadScores
from mazelib.internals.head_sets import (
    DRAWS,
    others_like,
    sets_of_heads,
    without_a_job,
)


def test_others_are_as_many_heads_of_the_same_layers():
    others = others_like([(2, 0), (2, 3), (5, 1)], per_layer=4)
    assert others == [[(2, 1), (2, 2), (5, head)] for head in (0, 2, 3)]
    assert others_like([(1, 0), (1, 1), (1, 3)], per_layer=4) == [[(1, 2)]]
    many = others_like([(0, 0), (1, 0), (2, 0)], per_layer=4)
    assert 1 < len(many) <= DRAWS
    for some in many:
        assert [layer for layer, _ in some] == [0, 1, 2]
        assert not {(0, 0), (1, 0), (2, 0)} & set(some)


def test_heads_without_a_job_are_drawn_where_no_score_is_high():
    scores = HeadScores(*np.zeros((14, 30, 2, 4)))
    scores.entries[:, 1, :2] = 0.3
    scores.second_to_first[:, 0, 3] = 0.9
    scores.second_to_connector[:, 0, 2] = 0.9
    drawn = without_a_job(scores, [(1, 0), (1, 2)])
    assert len(drawn) == DRAWS
    free = {(0, 0), (0, 1), (1, 3)}
    assert {head for some in drawn for head in some} == free
    assert all(len(set(some)) == 2 for some in drawn)
    with pytest.raises(MazelibError, match="only 4 heads"):
        without_a_job(scores, [(0, 3)] * 4)


def test_sets_of_heads_are_those_that_look_so():
    scores = HeadScores(*np.zeros((14, 30, 3, 4)))
    scores.entries[:, 2, 1] = 0.7
    scores.semicolon_to_first[:, 0, 2] = 0.6
    scores.second_to_first[:, 1, 0] = scores.semicolon_to_second[:, 1, 0] = 1.0
    scores.second_to_connector[:, 0, 3] = 0.8
    scores.second_to_first[:, 2, 3] = 1.0  # not before the one that finds entries
    found = sets_of_heads(scores)
    assert found["entries"][0] == (2, 1)
    assert found["naming"] == [(0, 2)]
    assert found["telling"] == found["first stage"] == [(1, 0)]
    assert found["within"] == [(0, 2), (1, 0)]
    assert found["connector"] == [(0, 3)]
