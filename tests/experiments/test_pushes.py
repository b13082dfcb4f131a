"""Forks have another way that can be walked; pushes act at their own tokens."""

import numpy as np
import pytest
from samples import held_back

from experiments import pushes
from mazelib.behaviour.detours import steps_by, walks
from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo


@pytest.fixture(scope="module")
def trained():
    return zoo.load("memorizer4")


@pytest.fixture(scope="module")
def asked():
    return pushes.asked_of(held_back(4, 80), leads=False)


def test_the_other_way_of_a_fork_is_none_of_the_path(asked):
    assert len(asked.other) > 30
    for sample, step, other in asked:
        ways = ways_on(sample.maze, sample.path.tolist(), step)
        assert sorted(ways) == sorted([other, int(sample.path[step + 1])])
        assert steps_by(sample, step, other) is None


def test_in_mazes_with_cycles_it_leads_to_the_target_later():
    stream = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.3), split="any")
    asked = pushes.asked_of(MazeStream(stream).take(0, 200), leads=True)
    assert len(asked.other) > 10
    for sample, step, other in asked:
        left = len(sample.path) - 1 - step
        assert left + 2 <= steps_by(sample, step, other) <= 2 * left


def test_answers_go_on_from_the_fork(trained, asked):
    right = pushes.goes_right(trained, asked)
    assert 0.3 < right.mean() < 1
    kept = asked.those(right)
    assert len(kept.other) == right.sum()
    assert pushes.goes_right(trained, kept).all()
    nothing = np.zeros((len(asked.other), trained.model.config.hidden_size))
    column = pushes.columns(trained, asked)
    found = pushes.pushed(trained, asked, 1, nothing, column)
    assert not (found.turns & right).any()
    plain = pushes.answers(trained, asked)
    again = [walks(*fork, answer) for fork, answer in zip(asked, plain, strict=True)]
    assert found.walks.tolist() == again


def test_a_push_to_the_other_ways_unembedding_turns_the_choice(trained, asked):
    """After the last layer, along the unembedding of the other way's first cell."""
    layers = trained.model.config.num_hidden_layers
    tokens = trained.tokenizer.place(4)[asked.other, 0]
    rows = trained.model.get_output_embeddings().weight.detach().numpy()
    move = 200 * (rows[tokens] - rows.mean(0))
    column = pushes.columns(trained, asked)
    found = pushes.pushed(trained, asked, layers, move, column)
    assert found.turns.mean() > 0.9
    early = pushes.pushed(trained, asked, layers, move, column - 1)
    plain = pushes.pushed(trained, asked, layers, 0 * move, column)
    assert (early.turns == plain.turns).all()
