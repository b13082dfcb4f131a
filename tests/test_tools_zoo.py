"""A model of the list is trained in its stages, scored, and written with its card."""

from dataclasses import replace

import pytest

from mazelib import zoo
from mazelib.dataset import StreamConfig
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig
from mazelib.recipe import TrainConfig
from tools import zoo as making

FIRST = TrainConfig(
    StreamConfig(MazeConfig("dfs", 3), seed=3, questions=2),
    MazeModelConfig(side=4, layers=1, width=16, heads=2, max_positions=160),
    steps=4,
    batch=4,
    evaluate_every=4,
    validation=16,
    ladder=1,
)
SECOND = replace(FIRST, mazes=replace(FIRST.mazes, seed=13), steps=6, ladder=0)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "RECIPES", {"small": (FIRST, SECOND)})
    monkeypatch.setattr(making, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(making, "SCORED", 20)
    monkeypatch.setattr(zoo, "MODELS", tmp_path / "models")


def test_a_model_goes_through_its_stages_and_can_go_on_from_where_it_was_published():
    making.train_stages("small", from_published=False)
    card = making.publish("small")
    assert card == zoo.read_card("small")
    assert (card["steps"], card["seed"], card["metrics"]["n"]) == (10, 3, 20)
    assert card["rounding"]["n"] == 20
    rows = zoo.read_log("small")
    assert [row["step"] for row in rows if "fork_accuracy" in row] == [1, 4, 8, 10]
    assert [rung.name for rung in zoo.ladder("small")] == ["000001", "000004"]
    text = (zoo.MODELS / "small/README.md").read_text()
    assert "4 of 4 mazes, 2 questions each" in text
    assert "6 of 4 mazes" in text

    making.train_stages("small", from_published=False)  # is done
    assert zoo.read_card(making.RUNS / "small")["steps"] == 10
    (making.RUNS / "small").rename(making.RUNS / "old")
    (making.RUNS / "small.state").rename(making.RUNS / "old.state")
    making.train_stages("small", from_published=True)
    assert making.publish("small")["steps"] == 16
