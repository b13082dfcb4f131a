"""What is planted in answers, attention and streams comes out; no maze comes again."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from samples import large

from experiments import anew, clusters, heads
from mazelib.behaviour import shifts
from mazelib.behaviour.baselines import tries
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records, tables
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.card import shape_of
from mazelib.models.checkpoint import TrainedModel

NOBODY = SimpleNamespace(model=None, tokenizer=None)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    sizes = {"SCORED": 60, "CHOOSING": 20, "ASKED": 40, "TWO_WAYS": 80}
    for name, count in sizes.items():
        monkeypatch.setattr(anew, name, count)
    for module in (clusters, heads):
        monkeypatch.setattr(module, "SCORED", 6)
        monkeypatch.setattr(module, "CHOOSING", 4)


def test_fresh_mazes_are_none_of_those_before_up_to_symmetry():
    stream = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="any"))
    before = stream.take(0, 300)
    found = anew.fresh(stream, 300, 100, before)
    assert len(found) == 100
    assert not set(found.canonical_hashes) & set(before.canonical_hashes)
    with pytest.raises(anew.MazelibError, match="only 0 of 300 mazes are new"):
        anew.fresh(stream, 0, 100, before)


def test_questions_in_an_open_field_are_drawn_by_their_ends():
    field, _ = shifts.shifts()["open_field"].draw(80)
    group = anew.drawn_as_one(field)
    ends = list(zip(field.origin[:, 0], field.target[:, 0], strict=True))
    same = [[one == other for other in ends] for one in ends]
    assert ((group[:, None] == group) == np.array(same)).all()
    mazes, _ = shifts.shifts()["none"].draw(80)
    assert (anew.drawn_as_one(mazes) == anew.groups_of(mazes)).all()


def test_the_worst_shift_and_its_rise_are_those_that_were_planted(monkeypatch):
    """Where two fifths of the walls are gone three of four answers turn back; half of
    the answers to other shifts turn wrongly; at home one in ten goes through a wall."""
    cyclic, home = ["turns back"] * 3 + ["none"], ["through a wall"] + ["none"] * 9

    def evaluate(model, tokenizer, mazes, edges=None):
        passages = (np.sum(mazes.right) + np.sum(mazes.down)) / len(mazes)
        some = home if len(mazes) == anew.SCORED else ["wrong turn", "none"]
        some = cyclic if 28 < passages < 34 else some
        return pd.DataFrame({"departure": np.resize(some, len(mazes))})

    monkeypatch.setattr(anew, "evaluate", evaluate)
    monkeypatch.setattr(zoo, "load", lambda name: NOBODY)
    assert anew.worst_shift() == "cycles, p = 0.4"
    found = anew.rules(NOBODY, "cycles, p = 0.4")
    assert found["broken"] == [0.75, 0.1]
    assert found["rise"][0] == pytest.approx(0.65)
    assert found["rise"][1] < 0.65 < found["rise"][2]
    assert 0 < found["null"] < 0.3


def test_the_longer_way_is_counted_among_legal_answers(monkeypatch):
    """Of ten answers four are illegal, and of the other six three take the longer."""

    def evaluate(model, tokenizer, mazes):
        each = np.arange(len(mazes)) % 10
        return pd.DataFrame({"valid": each < 6, "shortest": each < 3})

    monkeypatch.setattr(anew, "evaluate", evaluate)
    found = anew.longer(NOBODY)
    mazes = anew.contrasts.two_ways(240)
    mazes = anew.without(mazes[80:], mazes[:80])[:80]
    greedy = tries(mazes, "greedy").query("valid")
    assert found["legal"][1] == len(greedy)
    share = 1 - greedy["shortest"].mean()
    assert found["shares"][1] == pytest.approx(share, abs=1e-4)
    assert found["ratio"][0] == pytest.approx(found["shares"][0] / share, rel=1e-2)
    assert found["shares"][0] == pytest.approx(0.5, abs=0.05)
    assert found["solvers"]["both"][0] < 1  # they see the shorter way more often


def test_each_network_has_a_row_and_ways_that_are_planted_part(tmp_path, monkeypatch):
    config = shape_of(zoo.read_card("dfs5"))
    network = TrainedModel(large(config, 1, times=3), config.tokenizer, {})
    planted = np.random.default_rng(0).normal(size=(27, 96))

    def tokens(lens, mazes, predicted):
        found = own(lens, mazes, predicted=False)._replace()
        vectors = 0.01 * np.random.default_rng(1).normal(size=found.vectors.shape)
        vectors[3] += planted[found.true_onward]
        return found._replace(vectors=vectors, onward=found.true_onward)

    own = clusters.path_tokens
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(clusters, "path_tokens", tokens)
    monkeypatch.setattr(zoo, "load", lambda name: network)
    monkeypatch.setattr(anew, "worst_shift", lambda: "sparse")
    anew.main(["dfs5", anew.UNTRAINED])
    first, other = tables.read_table(anew.TABLE)["rows"]
    assert set(first) == {"model", "rules", "edges", "parting"}
    assert set(other) == {"model", "parting"}
    assert first["parting"]["layer"] == 3
    assert first["parting"]["mean"] > 0.9 * first["parting"]["most"] > 0
    assert max(first["parting"]["by layer"][4:]) < 0.05
    low, high = first["edges"]["lost"][1:]
    assert low <= first["edges"]["lost"][0] <= high
