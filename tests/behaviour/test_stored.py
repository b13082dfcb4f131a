"""Answers that were kept are what the model answers, and nothing else is taken."""

import numpy as np
import pandas as pd
import pytest
import torch
from samples import large, one_question

from mazelib.behaviour import evaluation, shifts, stored
from mazelib.errors import MazelibError
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder for answers, which are kept."""
    monkeypatch.setattr(stored, "ANSWERS", tmp_path / "answers")
    monkeypatch.setattr(stored, "FEWEST", 10)
    monkeypatch.setenv(stored.KEEP, "1")
    return tmp_path / "answers"


@pytest.fixture
def trained(tiny_config):
    return TrainedModel(large(tiny_config, 1), tiny_config.tokenizer, {})


@pytest.fixture
def mazes(few):
    return one_question(few)


@pytest.fixture
def asked(monkeypatch):
    """How many mazes the model is asked, at each call."""
    sizes, ask = [], evaluation.answers

    def counted(model, tokenizer, mazes, *rest, **options):
        sizes.append(len(mazes))
        return ask(model, tokenizer, mazes, *rest, **options)

    monkeypatch.setattr(evaluation, "answers", counted)
    return sizes


def test_kept_answers_give_the_same_table_and_the_model_is_asked_a_few(
    kept, trained, mazes, asked
):
    table = evaluation.evaluate(trained.model, trained.tokenizer, mazes)
    first = stored.evaluate(trained, mazes)
    again = stored.evaluate(trained, mazes)
    assert asked == [40, 40, stored.ASKED_AGAIN]
    pd.testing.assert_frame_equal(first, table)
    pd.testing.assert_frame_equal(again, table)
    assert table["next_cells"].map(tuple).nunique() > 5


def test_another_model_other_mazes_or_lists_are_asked(kept, trained, mazes, asked):
    stored.evaluate(trained, mazes)
    edges = shifts.listed(mazes, shifts.by_name)
    stored.evaluate(trained, mazes, edges)
    stored.evaluate(trained, mazes[1:])
    with torch.no_grad():
        next(trained.model.parameters())[1, 0] += 0.001
    stored.evaluate(trained, mazes)
    assert asked == [40, 40, 39, 40]
    assert len(list(kept.iterdir())) == 4


def test_nothing_is_kept_unless_it_is_asked_for(kept, trained, mazes, monkeypatch):
    stored.evaluate(trained, mazes[:9])
    monkeypatch.delenv(stored.KEEP)
    stored.evaluate(trained, mazes)
    assert not kept.exists()


def test_answers_that_are_not_the_models_any_more_are_not_taken(
    kept, trained, mazes, asked
):
    right = stored.evaluate(trained, mazes)
    (path,) = kept.iterdir()
    given = stored.read(path)
    others = [[*cells, 0] for cells in given.paths]
    stored.write(path, given._replace(paths=others))
    with pytest.warns(UserWarning, match="asked all 40 mazes again: make answers"):
        found = stored.evaluate(trained, mazes)
    pd.testing.assert_frame_equal(found, right)
    stored.write(path, evaluation.Answers(*(part[:39] for part in given)))
    with pytest.warns(UserWarning, match="again"):
        stored.evaluate(trained, mazes)


def test_a_damaged_file_is_named(kept, trained, mazes):
    stored.evaluate(trained, mazes)
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:-9], whole[:40] + bytes(40) + whole[80:]):
        path.write_bytes(damaged)
        with pytest.raises(MazelibError, match=rf"{path.name} is damaged"):
            stored.evaluate(trained, mazes)


def test_probabilities_come_back_to_the_bit(kept, trained, mazes):
    given = stored.answers(trained, mazes)
    back = stored.answers(trained, mazes)
    assert np.concatenate(given.sure).tolist() == np.concatenate(back.sure).tolist()


def test_what_is_decided_rightly_is_all_but_the_errors(monkeypatch):
    row = {"model": "one", "set": "test", "mazes": 4, "forks": 3}
    rows = [row | {"failed": [2], "wrong_forks": [0, 1]}]
    monkeypatch.setattr(stored, "read_table", lambda table: {"rows": rows})
    exact, forks = stored.decided("one", "test")
    assert exact.tolist() == [True, True, False, True]
    assert forks.tolist() == [False, False, True]
    with pytest.raises(MazelibError, match="nothing of one on 'far', only on: test"):
        stored.decided("one", "far")
