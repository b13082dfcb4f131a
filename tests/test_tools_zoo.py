"""A model of the list is trained, scored, and written with its card."""

from dataclasses import replace

import pytest

from mazelib import zoo
from mazelib.dataset import StreamConfig
from mazelib.errors import MazelibError
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig
from mazelib.recipe import TrainConfig
from tools import zoo as making

RECIPE = TrainConfig(
    StreamConfig(MazeConfig("dfs", 3), seed=3, questions=2),
    MazeModelConfig(side=4, layers=1, width=16, heads=2, max_positions=160),
    steps=10,
    batch=4,
    evaluate_every=4,
    validation=16,
    ladder=1,
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "RECIPES", {"small": RECIPE})
    monkeypatch.setattr(making, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(making, "SCORED", 20)
    monkeypatch.setattr(zoo, "MODELS", tmp_path / "models")


def test_a_model_is_trained_scored_and_written_with_its_card():
    making.train_model("small", from_published=False)
    card = making.publish("small")
    assert card == zoo.read_card("small")
    assert (card["steps"], card["seed"], card["metrics"]["n"]) == (10, 3, 20)
    assert card["rounding"]["n"] == 20
    rows = zoo.read_log("small")
    assert [row["step"] for row in rows if "fork_accuracy" in row] == [1, 4, 8, 10]
    assert [rung.name for rung in zoo.ladder("small")] == ["000001"]
    assert "Steps planned: 10" in (zoo.MODELS / "small/README.md").read_text()
    making.train_model("small", from_published=False)  # is done
    assert zoo.read_card(making.RUNS / "small")["steps"] == 10


def test_a_model_goes_on_from_where_it_was_published(monkeypatch):
    """To the end of its recipe, at the rates it would have had, on other mazes."""
    half = replace(RECIPE, steps=5)
    monkeypatch.setitem(making.RECIPES, "small", half)
    making.train_model("small", from_published=False)
    making.publish("small")
    (making.RUNS / "small").rename(making.RUNS / "old")
    (making.RUNS / "small.state").rename(making.RUNS / "old.state")
    with pytest.raises(MazelibError, match="has done all 5 steps of its recipe"):
        making.train_model("small", from_published=True)

    monkeypatch.setitem(making.RECIPES, "small", RECIPE)
    rest = making.remaining(RECIPE, "small")
    assert rest.steps == 5
    assert rest.muon_lr == RECIPE.muon_lr * RECIPE.learning_rate_factor(5)
    assert rest.mazes.seed != RECIPE.mazes.seed
    making.train_model("small", from_published=True)
    card = making.publish("small")
    assert (card["steps"], card["questions"], card["seed"]) == (10, 80, 3)
    assert [rung.name for rung in zoo.ladder("small")] == ["000001", "000005"]
