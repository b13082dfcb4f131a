from dataclasses import replace

import pytest
import torch
from conftest import one_question

from mazelib.behaviour import evaluation
from mazelib.behaviour.evaluation import (
    evaluate,
    next_cells,
    predicted_paths,
    prompts,
    summary,
)
from mazelib.dataset import MazeStream, StreamConfig
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig, build
from mazelib.recipe import TrainConfig
from mazelib.training import train


@pytest.fixture(scope="module")
def fitted(tiny_config):
    """A model that has learned 2×2 mazes, which are few."""
    mazes = StreamConfig(MazeConfig("dfs", 2), split="any", questions=4)
    model = replace(tiny_config, side=2, width=32)
    config = TrainConfig(
        mazes, model, 400, 8, muon_lr=0.02, evaluate_every=400, validation=8
    )
    return train(config, progress=False).model, model.tokenizer


def test_a_model_that_has_learned_scores_high(fitted):
    model, tokenizer = fitted
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 2), split="any", seed=9))
    scores = summary(evaluate(model, tokenizer, mazes.take(0, 200)))
    assert scores["n"] == 200
    assert scores["exact"] > 0.9
    assert scores["exact"] <= scores["shortest"] <= scores["valid"]
    assert scores["valid"] <= scores["reached_target"]
    assert scores["fork_accuracy"] > 0.9
    assert scores["exact_ci"][0] < scores["exact"] <= scores["exact_ci"][1]


@pytest.mark.parametrize("scheme", ["ut", "ctt", "walls"])
def test_an_untrained_model_of_any_scheme_scores_low(scheme):
    config = MazeModelConfig(scheme, 5, layers=1, width=16, heads=2)
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 4), spread=5)).take(0, 30)
    scores = summary(evaluate(build(config, 0), config.tokenizer, mazes))
    assert scores["exact"] < 0.2
    assert scores["forks"] > 10


def test_next_cells_of_the_true_answers_are_the_path(few, tiny_config, monkeypatch):
    # a model that repeats the truth: its likeliest tokens are the batch's own
    def oracle(_, batch):
        return torch.from_numpy(batch.ids).long()

    monkeypatch.setattr(evaluation, "predictions", oracle)
    for scheme in ("ut", "ctt"):
        tokenizer = MazeModelConfig(scheme, 4).tokenizer
        one = one_question(few[:10])
        assert next_cells(build(tiny_config, 0), tokenizer, one) == [
            s.path.tolist()[1:] for s in one
        ]


def test_prompts_stop_before_the_path(few, tiny_config):
    tokenizer = tiny_config.tokenizer
    for prompt, sample in zip(prompts(few, tokenizer), few, strict=True):
        read = tokenizer.decode(prompt)
        assert read.path is None
        assert read[:3] == sample[:3]


def test_predicted_paths_begin_where_the_answer_does(fitted):
    model, tokenizer = fitted
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 2), split="any")).take(0, 20)
    paths = predicted_paths(model, tokenizer, mazes)
    assert sum(p[0] == s.origin for p, s in zip(paths, mazes, strict=True)) > 18
