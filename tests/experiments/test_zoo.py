"""A model of the list is trained, scored, and written with its card."""

import copy
from dataclasses import replace

import pytest
import torch
from samples import SHORT_RUN

from experiments import model_cards
from experiments import zoo as making
from mazelib.behaviour import evaluation
from mazelib.behaviour.rollout import rollout
from mazelib.errors import MazelibError
from mazelib.models import checkpoint, zoo
from mazelib.models.model import build
from mazelib.training import snapshot
from mazelib.training.loop import state_folder, train

RECIPE = replace(
    SHORT_RUN,
    mazes=replace(SHORT_RUN.mazes, seed=3),
    model=replace(SHORT_RUN.model, layers=1),
    steps=4,
    average=0.0,
    decay=1.0,
    ladder=1,
)
SECOND = replace(RECIPE, mazes=replace(RECIPE.mazes, seed=13), steps=6, ladder=0)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "RECIPES", {"small": (RECIPE, SECOND)})
    monkeypatch.setattr(making, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(making, "SCORED", 20)
    monkeypatch.setattr(making, "PUBLISHED_LADDERS", ("small",))
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


def test_a_ladder_is_kept_with_the_run_unless_it_is_to_be_published(monkeypatch):
    monkeypatch.setattr(making, "PUBLISHED_LADDERS", ())
    making.train_model("small", from_published=False)
    making.publish("small")
    assert zoo.ladder("small") == []
    assert len(zoo.ladder(making.RUNS / "small")) == 2


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
    to_come = [stage.learning_rate_factor(s) for s in range(steps, stage.steps)]
    assert rest.muon_lr == stage.muon_lr * max(to_come)
    assert rest.mazes.seed != stage.mazes.seed or steps == 0
    making.train_model("small", from_published=True)
    card = making.publish("small")
    assert (card["steps"], card["questions"], card["seed"]) == (10, 80, 3)


def test_a_model_that_goes_on_can_be_cut_short_and_go_on_again(monkeypatch):
    stage, train_it = replace(RECIPE, steps=8, evaluate_every=2), making.train
    monkeypatch.setitem(making.RECIPES, "small", (replace(stage, steps=4),))
    making.train_model("small", from_published=False)
    making.publish("small")
    (making.RUNS / "small").rename(making.RUNS / "old")
    (making.RUNS / "small.state").rename(making.RUNS / "old.state")

    def cut_short(config, folder, score):
        def stop(step, network):
            if step == 2:  # it has been published at 0
                raise KeyboardInterrupt
            return score(step, network)

        train_it(config, folder, stop)

    monkeypatch.setitem(making.RECIPES, "small", (stage,))
    monkeypatch.setattr(making, "train", cut_short)
    with pytest.raises(KeyboardInterrupt):
        making.train_model("small", from_published=True)
    going_on = []
    monkeypatch.setattr(making, "train", lambda *run: going_on.append(train_it(*run)))
    making.train_model("small", from_published=True)
    assert going_on[0].log[-1]["step"] == 8
    assert making.begun_with(making.RUNS / "small").steps == 4


def test_weights_that_rounding_would_spoil_are_stored_whole(monkeypatch):
    making.train_model("small", from_published=False)
    state = snapshot.newest(state_folder(making.RUNS / "small")).tensors
    for changed, dtype in ((0, torch.float16), (1, torch.float32)):
        monkeypatch.setattr(making, "answers_changed", lambda *_, n=changed: n)
        assert making.publish("small")["rounding"]["changed"] == changed
        readme = (zoo.MODELS / "small/README.md").read_text()
        assert f"stored in {str(dtype).removeprefix('torch.')}." in readme
        for name, stored in zoo.load("small").model.state_dict().items():
            assert torch.equal(stored, state[f"averaged.{name}"].to(dtype).float())


def test_what_is_on_its_way_is_stored_as_a_ladders_checkpoints_are(monkeypatch):
    monkeypatch.setattr(making, "answers_changed", lambda *_: 1)
    train(RECIPE, making.RUNS / "small.1", progress=False)
    making.publish("small")
    readme = (zoo.MODELS / "small/README.md").read_text()
    assert (
        "It is on its way; its weights are stored, and were scored, in float16."
        in readme
    )
    for stored in zoo.load("small").model.state_dict().values():
        assert torch.equal(stored, stored.half().float())


def test_answers_that_differ_are_counted(tiny_model, tiny_config, few):
    trained = checkpoint.TrainedModel(tiny_model, tiny_config.tokenizer, {})
    assert making.answers_changed(trained, copy.deepcopy(tiny_model), few) == 0
    other = build(tiny_config, seed=8)
    asked = evaluation.prompts(few, trained.tokenizer)
    ours, theirs = (rollout(m, trained.tokenizer, asked) for m in (tiny_model, other))
    differ = sum(list(a) != list(b) for a, b in zip(ours, theirs, strict=True))
    assert making.answers_changed(trained, other, few) == differ > 0


def test_what_the_first_stage_has_reached_can_be_written():
    with pytest.raises(MazelibError, match=r"no run of small in .*: train it first"):
        making.publish("small")
    train(RECIPE, making.RUNS / "small.1", progress=False)
    card = making.publish("small")
    assert (card["steps"], card["questions"]) == (4, 32)
    before = zoo.read_card("small")
    for state in (making.RUNS / "small.1.state").glob("*.*"):
        state.unlink()
    with pytest.raises(MazelibError, match="has no state of the same step"):
        making.publish("small")
    assert zoo.read_card("small") == before


def test_every_model_card_says_how_to_open_it(monkeypatch):
    monkeypatch.undo()
    for name in zoo.names():
        text = (zoo.MODELS / name / "README.md").read_text(encoding="utf-8")
        assert model_cards.usage(name) in text, name


def test_a_model_trained_elsewhere_is_published_as_it_came(tmp_path, monkeypatch):
    monkeypatch.setitem(making.RECIPES, "small", (RECIPE,))
    monkeypatch.setitem(model_cards.NOTES, "small", "It came from afar.")
    train(RECIPE, tmp_path / "there", progress=False)
    card = making.publish("small", tmp_path / "there")
    came = checkpoint.load(tmp_path / "there")
    assert card["rounding"] == {"changed": 0, "n": 0}
    assert card["metrics"]["n"] == 20
    for key in ("training", "steps", "hardware", "commit", "sha256"):
        assert card[key] == came.card[key]
    readme = (zoo.MODELS / "small/README.md").read_text()
    assert "Its weights came, and were scored, in float16." in readme
    assert "\n- It came from afar." in readme


def test_a_model_of_another_recipe_is_not_published_under_the_name(tmp_path):
    train(replace(RECIPE, adamw_lr=0.1), tmp_path / "there", progress=False)
    with pytest.raises(MazelibError, match="another training than the recipe of small"):
        making.publish("small", tmp_path / "there")
    assert not zoo.MODELS.exists()


def test_a_published_log_keeps_validations_and_what_was_lost_between_them():
    log = [
        {"step": step, "loss": float(step), "questions": 8 * step, "seconds": 0.1}
        for step in range(10, 100, 10)
    ]
    log[4]["exact"] = 0.5
    thin = making.thinned(log, every=20)
    assert [row["step"] for row in thin] == [20, 40, 50, 70, 90]
    assert [row["loss"] for row in thin] == [15, 35, 50, 65, 85]
    assert thin[2] == log[4]
