"""Before the first layer moving the target's token is changing the prompt."""

import numpy as np
import pytest
from samples import held_back

from experiments import retargeted
from mazelib.behaviour.evaluation import predicted_paths
from mazelib.models import zoo


@pytest.fixture(scope="module")
def trained():
    return zoo.load("memorizer4")


@pytest.fixture(scope="module")
def asked(trained):
    return retargeted.Question(trained, held_back(4, 60), 40)


@pytest.fixture(scope="module")
def means(trained):
    return retargeted.Means(trained, held_back(4, 400))


def test_the_other_targets_are_far_from_the_old_ones(asked):
    assert len(asked.mazes) == 40
    for sample, other, apart in zip(asked.mazes, asked.other, asked.apart, strict=True):
        assert sample.maze.distances(sample.target)[other.target] == apart >= 3
        assert other.origin == sample.origin != other.target
        assert other.path.tolist() == (
            sample.maze.shortest_path(sample.origin, other.target).tolist()
        )


@pytest.mark.parametrize("way", retargeted.WAYS)
def test_before_the_first_layer_it_is_another_prompt(trained, asked, means, way):
    changes = list(asked.changes(means, 0, ("target",), way))
    answers = asked.answers(changes)
    assert answers == predicted_paths(trained.model, trained.tokenizer, asked.other)
    assert 0.1 < asked.exact(answers).mean() <= 1
    found = retargeted.breaks(asked, answers)
    assert found["to the old target"] < found["reaches the new"]


def test_random_directions_are_as_long(asked, means):
    changes = list(asked.changes(means, 2, retargeted.ROLES, "added"))
    drawn = retargeted.at_random(changes)
    for one, other in zip(changes, drawn, strict=True):
        np.testing.assert_allclose(
            one.add.norm(dim=-1), other.add.norm(dim=-1), rtol=1e-4
        )
        assert (one.add - other.add).abs().max() > 0.01


def test_the_space_of_the_means_holds_their_differences(means):
    of_cells = means.of["target_end"][2]
    basis = retargeted.space(of_cells)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-5)
    left = of_cells - of_cells @ basis @ basis.T
    assert (left**2).sum() < 0.002 * ((of_cells - of_cells.mean(0)) ** 2).sum()


def test_the_paths_tokens_are_moved_at_each_step(trained, asked, means):
    """Where the target's token is left as it is, moving them does something."""
    *_, steps = asked.changes(means, 1, retargeted.WITH_PATH, "added")
    assert steps.where == retargeted.STEPS
    assert steps.add.shape == (len(asked.old), trained.model.config.hidden_size)
    plain, moved = asked.answers([]), asked.answers([steps])
    assert plain != moved
    assert retargeted.far(np.array([True, False]), np.array([3, 4])) == {
        "3 to 4": [2, 0.5]
    }


def test_the_change_of_this_very_maze_is_the_other_prompts_stream(trained, asked):
    """Before the first layer at the target's token, so it is the other prompt."""
    own = retargeted.Own(trained, asked.mazes, asked.other)
    answers = asked.answers(list(asked.changes(own, 0, ("target",), "added")))
    assert answers == predicted_paths(trained.model, trained.tokenizer, asked.other)
    assert not own.moves["target_end"][0].any()
    assert own.moves["target_end"][1].any()
