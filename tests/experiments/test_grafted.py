"""All weights grafted are the copy, none the model; prompts name the old target."""

import numpy as np
import pytest
import torch
from samples import held_back

from experiments import grafted
from mazelib.behaviour.evaluation import predicted_paths, prompts
from mazelib.models import zoo


@pytest.fixture(scope="module")
def trained():
    return zoo.load("memorizer4")


def test_the_opposite_cell_is_asked_for_by_the_old_targets_name(trained):
    mazes, others = grafted.asked(held_back(4, 60))
    assert 40 < len(mazes) == len(others)
    batch = grafted.batch_of(mazes, others, trained.tokenizer)
    asked = prompts(mazes, trained.tokenizer)
    answers = others.encode(trained.tokenizer)
    assert (batch.answer == answers.answer).all()
    for row, (sample, other) in enumerate(zip(mazes, others, strict=True)):
        assert other.target == 15 - sample.target
        assert other.target not in (sample.target, sample.origin)
        assert other.path[-1] == other.target
        assert batch.ids[row, : len(asked[row])].tolist() == asked[row].tolist()
        own = batch.answer[row]
        assert (batch.ids[row, own] == answers.ids[row, own]).all()


def test_it_learns_the_new_goal(trained, monkeypatch):
    monkeypatch.setattr(grafted, "RATE", 3e-3)
    monkeypatch.setattr(grafted, "WARM", 5)
    model = grafted.trained_on(trained, "memorizer4", 40)
    new, old = (grafted.vector(m) for m in (model, trained.model))
    mazes, others = grafted.asked(held_back(4, 60))
    batch = grafted.batch_of(mazes, others, trained.tokenizer)
    lost = [grafted.loss_for(m)(batch).item() for m in (trained.model, model)]
    assert lost[1] < 0.7 * lost[0]
    every = torch.arange(len(new))
    whole = grafted.grafted(trained, new, every)
    assert (grafted.vector(whole.model) == new).all()
    assert (grafted.vector(trained.model) == old).all()
    none = grafted.grafted(trained, new, every[:0])
    answers = predicted_paths(none.model, none.tokenizer, mazes)
    assert answers == predicted_paths(trained.model, trained.tokenizer, mazes)
    some = grafted.grafted(trained, new, every[::2])
    mixed = grafted.vector(some.model)
    assert (mixed[::2] == new[::2]).all()
    assert (mixed[1::2] == old[1::2]).all()
    exact = grafted.exact(trained, mazes, mazes)
    plain = predicted_paths(trained.model, trained.tokenizer, mazes)
    assert exact.tolist() == [
        p == m.path.tolist() for p, m in zip(plain, mazes, strict=True)
    ]


def test_every_weight_is_of_a_part(trained):
    count = len(grafted.vector(trained.model))
    whole = grafted.where(trained.model, torch.arange(count))
    assert set(whole.values()) == {1.0}
    layers = trained.model.config.num_hidden_layers
    wanted = {
        f"{k} {n}" for k in ("attention", "mlp", "norm") for n in range(1, layers + 1)
    }
    assert set(whole) == wanted | {"embedding", "end"}
    none = grafted.where(trained.model, torch.arange(0))
    assert not np.any([*none.values()])
