"""A model of the list is trained, scored, and written with its card."""

from dataclasses import replace

import pytest

from mazelib import zoo
from mazelib.dataset import StreamConfig
from mazelib.errors import MazelibError
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig
from mazelib.recipe import TrainConfig
from mazelib.training import train
from tools import zoo as making

RECIPE = TrainConfig(
    StreamConfig(MazeConfig("dfs", 3), seed=3, questions=2),
    MazeModelConfig(side=4, layers=1, width=16, heads=2, max_positions=160),
    steps=4,
    batch=4,
    evaluate_every=4,
    validation=16,
    ladder=1,
)
SECOND = replace(RECIPE, mazes=replace(RECIPE.mazes, seed=13), steps=6, ladder=0)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "RECIPES", {"small": (RECIPE, SECOND)})
    monkeypatch.setattr(making, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(making, "SCORED", 20)
    monkeypatch.setattr(zoo, "MODELS", tmp_path / "models")


def test_a_model_goes_through_its_stages_and_is_written_with_its_card():
    making.train_model("small", from_published=False)
    card = making.publish("small")
    assert card == zoo.read_card("small")
    assert (card["steps"], card["seed"], card["metrics"]["n"]) == (10, 3, 20)
    assert card["rounding"]["n"] == 20
    rows = zoo.read_log("small")
    assert [row["step"] for row in rows if "fork_accuracy" in row] == [1, 4, 8, 10]
    assert [rung.name for rung in zoo.ladder("small")] == ["000001", "000004"]
    assert "planned: 4 in which" in (zoo.MODELS / "small/README.md").read_text()
    making.train_model("small", from_published=False)  # is done
    assert zoo.read_card(making.RUNS / "small")["steps"] == 10


@pytest.mark.parametrize("done", [(2,), (4,), (4, 3)])
def test_a_model_goes_on_from_where_it_was_published(done, monkeypatch):
    """To the end of its recipe, at the rates it would have had, on other mazes."""
    stages = (RECIPE, SECOND)
    part = tuple(replace(s, steps=n) for s, n in zip(stages, done, strict=False))
    monkeypatch.setitem(making.RECIPES, "small", part)
    making.train_model("small", from_published=False)
    making.publish("small")
    for place in making.RUNS.iterdir():
        place.rename(place.with_name(f"old-{place.name}"))
    with pytest.raises(MazelibError, match="small has done all steps of its recipe"):
        making.train_model("small", from_published=True)

    monkeypatch.setitem(making.RECIPES, "small", stages)
    rest, *later = making.remaining(stages, "small")
    assert rest.steps + sum(stage.steps for stage in later) == 10 - sum(done)
    stage, steps = (RECIPE, 2) if done == (2,) else (SECOND, sum(done) - 4)
    assert rest.muon_lr == stage.muon_lr * stage.learning_rate_factor(steps)
    assert rest.mazes.seed != stage.mazes.seed or steps == 0
    making.train_model("small", from_published=True)
    card = making.publish("small")
    assert (card["steps"], card["questions"], card["seed"]) == (10, 80, 3)


def test_what_the_first_stage_has_reached_can_be_written():
    with pytest.raises(MazelibError, match=r"no run of small in .*: train it first"):
        making.publish("small")
    train(RECIPE, making.RUNS / "small.1", progress=False)
    card = making.publish("small")
    assert (card["steps"], card["questions"]) == (4, 32)
