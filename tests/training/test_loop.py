import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.model import Predictions, build
from mazelib.training import validation
from mazelib.training.loop import train
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import TrainingRun, zero_output_projections
from mazelib.training.validation import teacher_forced, validation_mazes


@pytest.fixture
def config(tiny_config) -> TrainConfig:
    mazes = StreamConfig(MazeConfig("dfs", 3), questions=2)
    return TrainConfig(
        mazes, tiny_config, steps=6, batch=4, evaluate_every=3, validation=16
    )


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_same_config_gives_the_same_run(config):
    runs = [train(config, progress=False) for _ in range(2)]
    assert torch.equal(weights(runs[0].model), weights(runs[1].model))
    losses = [[row["loss"] for row in run.log] for run in runs]
    assert losses[0] == losses[1]


def test_a_losss_number_is_waited_for_at_validations_alone(config):
    """A GPU would stand still; a row is as whole as ever when it is written."""
    run = TrainingRun(replace(config, steps=40, evaluate_every=40))
    lazy = []
    for _ in range(40):
        run.step()
        lazy += [isinstance(run.log[-1]["loss"], torch.Tensor)] if run.log else []
    assert lazy == [True] * 30 + [False]
    losses = [row["loss"] for row in run.log]
    assert all(type(loss) is float and 0 < loss < 10 for loss in losses)
    assert [list(row) for row in run.log] == 4 * [
        ["step", "loss", "questions", "seconds"]
    ]
    seconds = [row["seconds"] for row in run.log]
    assert seconds == sorted(seconds)


def test_another_seed_gives_another_run(config):
    other = replace(config, mazes=replace(config.mazes, seed=1))
    a, b = (train(c, progress=False).model for c in (config, other))
    assert not torch.equal(weights(a), weights(b))


@pytest.mark.parametrize("positions", ["rotary", "learned"])
@pytest.mark.parametrize("loss", ["path", "sequence"])
def test_training_lowers_the_loss(config, positions, loss):
    model = replace(config.model, positions=positions)
    config = replace(config, steps=60, loss=loss, model=model, evaluate_every=60)
    log = train(config, progress=False).log
    assert log[-1]["loss"] < 0.8 * log[0]["loss"]
    assert log[-1]["questions"] == 60 * 4 * 2


def test_a_run_writes_its_folder_log_and_card(config, tmp_path):
    seen = []
    model, log = train(
        config, tmp_path / "run", lambda step, _: seen.append(step), progress=False
    )
    assert seen == [0, 3, 6]
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == log
    assert [row["step"] for row in log if "exact" in row] == [3, 6]
    trained = zoo.load(tmp_path / "run")
    assert torch.equal(weights(trained.model), weights(model).half().float())
    assert trained.card["training"]["steps"] == 6
    assert trained.card["metrics"]["exact"] == log[-1]["exact"]
    low, high = trained.card["metrics"]["exact_ci"]
    assert low <= log[-1]["exact"] <= high


def test_an_existing_folder_is_left_alone(config, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(MazelibError, match="exists: name another"):
        train(config, tmp_path, progress=False)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_learning_rate_warms_up_then_falls_to_nothing():
    config = TrainConfig(steps=100, warmup=10)
    factors = [config.learning_rate_factor(step) for step in range(100)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0.9 < max(factors) <= 1
    assert 0 < factors[-1] < 0.02


def test_blocks_start_as_the_identity(config):
    for positions in ("rotary", "learned"):
        model = build(replace(config.model, positions=positions), 0)
        zero_output_projections(model)
        states = model(torch.arange(9)[None], output_hidden_states=True).hidden_states
        assert torch.equal(states[0], states[1])


def test_an_answer_is_right_if_all_its_tokens_are_likeliest(config, monkeypatch):
    mazes = validation_mazes(config.mazes, config.validation)
    tokenizer = config.model.tokenizer
    batch = mazes.encode(tokenizer)
    last = [int(np.flatnonzero(answer)[-1]) for answer in batch.answer]

    def predict(model, batch):  # right but for the prompts, and the end of odd mazes
        ids = np.where(batch.answer, batch.ids, 0)
        for i in range(len(ids)):
            ids[i, np.flatnonzero(batch.answer[i])[-1]] += (seen[0] + i) % 2
        seen[0] += len(ids)
        return Predictions(torch.from_numpy(ids), torch.ones(ids.shape))

    seen = [0]
    monkeypatch.setattr(validation, "predictions", predict)
    likeliest, _, right = teacher_forced(build(config.model), tokenizer, mazes, size=5)
    assert right.tolist() == [i % 2 == 0 for i in range(len(mazes))]
    for i, ids in enumerate(likeliest):
        assert ids[:-1].tolist() == batch.ids[i][batch.answer[i]][:-1].tolist()
        assert ids[-1] == batch.ids[i, last[i]] + i % 2


def test_validation_is_the_same_for_every_seed(config):
    other = replace(config, mazes=replace(config.mazes, seed=5))
    a, b = (
        validation_mazes(config.mazes, config.validation),
        validation_mazes(other.mazes, other.validation),
    )
    assert (a.path == b.path).all()
    train_hashes = MazeStream(config.mazes).take(0, 500).canonical_hashes
    assert not set(a.canonical_hashes) & set(train_hashes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"muon_lr": -1.0}, "muon_lr is -1.0"),
        ({"warmup": -1}, "warmup is -1"),
        ({"loss": "all"}, "loss is 'all', but must be one of path, sequence"),
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"mazes": StreamConfig(MazeConfig("dfs", 9))}, "a vocabulary of side ≥ 9"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(MazelibError, match=message):
        TrainConfig(**options)


def test_too_long_sequences_are_named(config):
    short = replace(config, model=replace(config.model, max_positions=30))
    with pytest.raises(MazelibError, match="max_positions is 30, but a sequence"):
        train(short, progress=False)


def test_a_run_can_start_from_a_models_weights(config, tmp_path):
    config = replace(config, ladder=2)
    first = train(config, tmp_path / "first", progress=False)
    again = replace(
        config,
        mazes=replace(config.mazes, seed=1),
        weights=str(tmp_path / "first"),
        adamw_lr=1e-12,
        muon_lr=1e-12,
    )
    model, log = train(again, tmp_path / "second", progress=False)
    rounded = weights(first.model).half().float()
    assert torch.allclose(weights(model), rounded, atol=1e-9)
    steps = [row["step"] for row in first.log]
    assert [row["step"] for row in log] == steps + [6 + step for step in steps]
    assert log[: len(steps)] == first.log
    rungs = [zoo.read_card(rung)["steps"] for rung in zoo.ladder(tmp_path / "second")]
    assert rungs == config.rungs + [6] + [6 + rung for rung in config.rungs]
    assert log[-1]["questions"] == 2 * first.log[-1]["questions"]
    assert zoo.load(tmp_path / "second").card["steps"] == 12
    larger = replace(again, mazes=replace(config.mazes, mazes=MazeConfig("dfs", 4)))
    anew = train(larger, tmp_path / "third", progress=False)
    assert torch.allclose(weights(anew.model), rounded, atol=1e-9)
    assert [row["step"] for row in anew.log] == steps
    assert len(zoo.ladder(tmp_path / "third")) == len(config.rungs)
    train(replace(config, ladder=0), tmp_path / "bare", progress=False)
    bare = replace(again, weights=str(tmp_path / "bare"), ladder=0)
    train(bare, tmp_path / "fourth", progress=False)
    assert zoo.ladder(tmp_path / "fourth") == []
    other = replace(again, model=replace(config.model, layers=1))
    with pytest.raises(MazelibError, match="ask for the same shape"):
        train(other, progress=False)
