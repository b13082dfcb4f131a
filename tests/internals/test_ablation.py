"""What a head wrote, put in its own place, changes nothing; other things do."""

import numpy as np
import pytest
import torch
from samples import large, one_question

from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.forks import fork_table, step_table
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals.ablation import (
    aligned,
    donors,
    head_outputs,
    mean_ablation,
    mean_outputs,
    only_at,
    replaced,
    resample_ablation,
    step_choices,
    step_choices_under,
    ways_without,
)
from mazelib.internals.lens import Site, activations, open_lens, read
from mazelib.internals.roles import ENTRY, KINDS, roles_of
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.tokenizer import Tokenizer
from mazelib.training.validation import teacher_forced

HEADS = [(0, 1), (1, 0)]


@pytest.fixture
def lens(tiny_config):
    return open_lens(TrainedModel(large(tiny_config, 6), tiny_config.tokenizer, {}))


@pytest.fixture
def part(lens, few):
    (part,) = activations(lens, one_question(few), head_outputs(HEADS))
    return part


def test_a_heads_own_output_changes_nothing(lens, part):
    before = lens.logits(part.batch)
    with replaced(lens, part.values):
        assert torch.equal(lens.logits(part.batch), before)
    site = Site("resid_post", 0, None, "target")
    own = read(lens, part.batch, part.roles, [site])
    with replaced(lens, own, part.roles):
        assert torch.equal(lens.logits(part.batch), before)


def test_a_replacement_is_there_while_it_lasts_and_then_gone(lens, part):
    before = lens.logits(part.batch)
    other = {site: value + 1 for site, value in part.values.items()}
    with replaced(lens, other):
        assert not torch.allclose(lens.logits(part.batch), before)
        found = read(lens, part.batch, part.roles, list(other))
        assert torch.equal(found[Site("z", 1, 0)], other[Site("z", 1, 0)])
    assert torch.equal(lens.logits(part.batch), before)
    with pytest.raises(ZeroDivisionError), replaced(lens, other):
        _ = 1 / 0
    assert torch.equal(lens.logits(part.batch), before)


def test_the_target_alone_is_replaced_where_the_site_says_so(lens, part):
    site, whole = Site("resid_pre", 1, None, "target"), Site("resid_pre", 1)
    with replaced(lens, {site: torch.zeros(1, 16)}, part.roles):
        found = read(lens, part.batch, part.roles, [whole])[whole]
    before = read(lens, part.batch, part.roles, [whole])[whole]
    changed = (found != before).any(-1).numpy()
    is_target = np.arange(changed.shape[1]) == part.roles.target[:, None]
    assert np.array_equal(changed, is_target)


def test_steps_are_those_of_the_model_where_nothing_is_replaced(lens, few):
    mazes = one_question(few)
    model, tokenizer = lens.bridge.original_model, lens.tokenizer
    likeliest = teacher_forced(model, tokenizer, mazes).likeliest
    chosen = next_cells(likeliest, tokenizer, mazes)
    steps = step_choices(lens, mazes)
    assert steps.equals(step_table(mazes, chosen))
    forks = fork_table(mazes, chosen)
    assert steps["right"][steps["is_fork"]].tolist() == forks["right"].tolist()
    assert len(steps) == (mazes.length - 1).sum()
    means = mean_outputs(lens, mazes, HEADS)
    assert not steps.equals(step_choices(lens, mazes, mean_ablation(means)))


def test_replacements_at_once_are_those_one_by_one(lens, few):
    mazes, rng = one_question(few), np.random.default_rng
    both = {
        "none": None,
        "head": resample_ablation(lens, HEADS[:1], rng(3)),
    }
    found = step_choices_under(lens, mazes, both, head_outputs(HEADS))
    assert found["none"].equals(step_choices(lens, mazes))
    alone = step_choices(lens, mazes, resample_ablation(lens, HEADS[:1], rng(3)))
    assert found["head"].equals(alone)
    assert not alone.equals(found["none"])


def test_right_and_legal_are_what_the_maze_says(few):
    mazes = one_question(few)
    true = [sample.path.tolist()[1:] for sample in mazes]
    assert step_table(mazes, true)[["legal", "right"]].to_numpy().all()
    back = [[s.origin, *s.path.tolist()][: len(s.path) - 1] for s in mazes]
    assert not step_table(mazes, back)["legal"].any()
    astray, ways = [], []
    for sample in mazes:
        others = set(sample.maze.neighbours(sample.origin)) - set(sample.path.tolist())
        if others:
            astray.append(sample)
            ways.append([max(others)])
    steps = step_table(astray, ways)
    assert len(steps) > 5
    assert steps["legal"].all()
    assert not steps["right"].any()


def test_means_are_over_tokens_of_one_kind(lens, part, few):
    means = mean_outputs(lens, one_question(few), HEADS)
    site = Site("z", 1, 0)
    for number, name in ((KINDS.index("target"), "target"), (2, "connector")):
        at = np.nonzero(part.roles.kind == number)
        assert len(at[0]) == (getattr(part.roles, name) >= 0).sum()
        expected = part.values[site][at].mean(0)
        assert torch.allclose(means[site][number], expected, atol=1e-5)


def test_a_replacement_can_be_kept_to_tokens_of_some_kinds(lens, part, few):
    means = mean_outputs(lens, one_question(few), HEADS)
    narrowed = only_at(mean_ablation(means), ["semicolon", "path"])(part)
    site, kind = Site("z", 0, 1), part.roles.kind
    with replaced(lens, narrowed):
        found = read(lens, part.batch, part.roles, [site])[site]
    inside = np.isin(kind, [KINDS.index("semicolon"), KINDS.index("path")])
    assert torch.equal(found[~inside], part.values[site][~inside])
    assert torch.allclose(found[inside], means[site][kind[inside]])
    before = lens.logits(part.batch)
    both = [only_at(mean_ablation(means), kinds)(part) for kinds in (KINDS, [])]
    with replaced(lens, both[1]):
        assert torch.equal(lens.logits(part.batch), before)
    with replaced(lens, both[0]):
        inner = read(lens, part.batch, part.roles, [site])[site]
    assert torch.allclose(inner[kind >= 0], means[site][kind[kind >= 0]])


def test_a_donor_is_another_maze_with_a_path_as_long_where_there_is_one(rng):
    length = np.array([3, 5, 3, 9, 5, 5, 7])
    seen = set()
    for _ in range(30):
        given = donors(length, rng)
        assert (given != np.arange(7)).all()
        assert (length[given] == [3, 5, 3, 7, 5, 5, 9]).all()
        seen.add(tuple(given))
    assert len(seen) > 1
    with pytest.raises(MazelibError, match="one maze"):
        donors(length[:1], rng)


def test_a_resampled_head_writes_what_it_writes_in_the_donor(lens, part, few):
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    values = resample_ablation(lens, HEADS, rng)(part)
    given = donors((part.roles.path >= 0).sum(1), same)
    site = Site("z", 0, 1)
    for name in ("second", "target", "path_start"):
        at = getattr(part.roles, name).reshape(len(given), -1)
        own = np.arange(len(given))[:, None]
        donated = part.values[site][given[:, None], at[given]]
        assert torch.equal(values[site][own, at], donated)
    last = part.roles.path.max(1)
    assert (aligned(part.roles, given).max(1) == last[given]).all()


def test_lists_of_different_lengths_have_no_partners():
    config = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.5), split="any")
    mazes, tokenizer = MazeStream(config).take(0, 9), Tokenizer("ut", 4)
    roles = roles_of(mazes.encode(tokenizer), mazes, tokenizer)
    with pytest.raises(MazelibError, match="differ in length"):
        aligned(roles, np.arange(9))


def test_ways_to_do_without_heads_differ_in_what_and_where(lens, part, few):
    means = mean_outputs(lens, one_question(few), HEADS)
    ways = ways_without(lens, HEADS[:1], means, np.random.default_rng(3))
    kinds = np.array(["", *KINDS])[1 + part.roles.kind]  # padding has none
    places = {
        "": set(kinds.ravel()),
        " in the list": set(ENTRY),
        " on the path": {"path"},
    }
    assert set(ways) == {w + p for w in ("resampled", "averaged") for p in places}
    for way in ("resampled", "averaged"):
        for place, changed in places.items():
            ((site, values),) = ways[way + place](part).items()
            assert site == Site("z", *HEADS[0])
            is_left = values.isnan().all(-1).numpy()
            assert (is_left == ~np.isin(kinds, list(changed))).all()
