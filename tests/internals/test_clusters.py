"""Tokens of paths are those that their questions' own sequences hold."""

from dataclasses import replace

import numpy as np
import pytest
from samples import large, one_question

from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals.clusters import STOP, packed, path_tokens
from mazelib.internals.lens import Site, activations, open_lens
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel
from mazelib.training.loop import TrainConfig, train


@pytest.fixture
def mazes():
    """Three 4×4 mazes with six questions each."""
    config = StreamConfig(MazeConfig("dfs", 4), questions=6, split="test")
    return MazeStream(config).take(0, 3)


@pytest.fixture(scope="module")
def model(tiny_config):
    """A small model that has learned a little, and errs."""
    config = TrainConfig(
        StreamConfig(MazeConfig("dfs", 4), questions=8),
        replace(tiny_config, max_positions=256),
        steps=30,
        validation=1,
    )
    return train(config)[0]


@pytest.fixture
def lens(model, tiny_config):
    return open_lens(TrainedModel(model, tiny_config.tokenizer, {}))


def test_packing_keeps_mazes_lists_and_questions(mazes):
    few = packed(mazes, 2)
    assert few.origin.shape == (9, 2)
    assert few.origin.reshape(3, 6).tolist() == mazes.origin.tolist()
    assert few.path.reshape(mazes.path.shape).tolist() == mazes.path.tolist()
    assert few.key.tolist() == np.repeat(mazes.key, 3).tolist()
    assert np.array_equal(few.right[::3], mazes.right)
    with pytest.raises(MazelibError, match="6 questions cannot be packed 4"):
        packed(mazes, 4)


def test_tokens_are_those_of_the_paths(lens, mazes):
    tokens = path_tokens(lens, mazes, predicted=False, packing=3, size=4)
    at = 0
    for maze in range(3):
        for k in range(6):
            path = mazes.path[maze, k, : mazes.length[maze, k]].tolist()
            rows = slice(at, at + len(path))
            at += len(path)
            assert tokens.cell[rows].tolist() == path
            assert tokens.before[rows].tolist() == [STOP, *path[:-1]]
            assert tokens.true_onward[rows].tolist() == [*path[1:], STOP]
            assert set(tokens.target[rows]) == {path[-1]}
            assert set(tokens.maze[rows]) == {maze}
            assert set(tokens.question[rows]) == {6 * maze + k}
    assert at == len(tokens.cell)
    assert len(np.unique(tokens.place)) == len(
        set(zip(tokens.maze.tolist(), tokens.cell.tolist(), strict=True))
    )


def test_vectors_are_those_of_each_question_by_itself(lens, mazes):
    tokens = path_tokens(lens, mazes, predicted=False, packing=2)
    sites = [Site("resid_pre", 0), Site("resid_post", 0), Site("resid_post", 1)]
    for k in (0, 4):
        [part] = activations(lens, one_question(mazes, k), sites)
        for maze in range(3):
            here = tokens.question == 6 * maze + k
            at = part.roles.path[maze, : here.sum()]
            for layer, site in enumerate(sites):
                own = part.values[site][maze, at].numpy()
                assert np.allclose(tokens.vectors[layer, here], own, atol=1e-3)


def test_predicted_tokens_are_those_that_the_model_prints(lens, model, mazes):
    tokens = path_tokens(lens, mazes, packing=3)
    asked = packed(mazes, 1)
    for question, prompt in enumerate(prompts(asked, lens.tokenizer)):
        true = asked.sample(question).path.tolist()
        here = tokens.question == question
        count = here.sum()
        assert tokens.cell[here].tolist() == true[:count]
        right = tokens.is_right[here]
        assert right[:-1].all()
        assert count == len(true) or not right[-1]
        begun = [*prompt, *lens.tokenizer.cell_ids[true[:count], 0]]
        [answer] = rollout(model, lens.tokenizer, [np.array(begun)])
        [cell] = lens.tokenizer.leading_cells(answer[:1]) or [STOP]
        assert cell == tokens.onward[here][-1]
    assert 0 < tokens.is_right.sum() < len(tokens.cell)


def test_a_scheme_of_several_tokens_a_cell_is_an_error(tiny_config, mazes):
    config = replace(tiny_config, scheme="ctt", max_positions=512)
    trained = TrainedModel(large(config, seed=4), config.tokenizer, {})
    with pytest.raises(MazelibError, match="a cell takes 5 tokens"):
        path_tokens(open_lens(trained), mazes)
