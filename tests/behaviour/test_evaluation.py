import copy
from dataclasses import replace

import pytest
import torch
from samples import one_question

from mazelib.behaviour import evaluation
from mazelib.behaviour.evaluation import (
    evaluate,
    next_cells,
    predicted_paths,
    prompts,
    summary,
)
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig, build
from mazelib.training.loop import train
from mazelib.training.recipe import TrainConfig


@pytest.fixture(scope="module")
def fitted(tiny_config):
    """A model that has learned 2×2 mazes, which are few."""
    mazes = StreamConfig(MazeConfig("dfs", 2), split="any", questions=4)
    model = replace(tiny_config, side=2, width=32)
    config = TrainConfig(
        mazes, model, steps=400, batch=8, average=0.95, evaluate_every=400, validation=8
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


def test_next_cells_of_the_true_answers_are_the_path(few):
    for scheme in ("ut", "ctt"):
        tokenizer = MazeModelConfig(scheme, 4).tokenizer
        one = one_question(few[:10])
        batch = one.encode(tokenizer)
        ids = [row[answer] for row, answer in zip(batch.ids, batch.answer, strict=True)]
        paths = [s.path.tolist()[1:] for s in one]
        assert next_cells(ids, tokenizer, one) == paths


def test_right_answers_are_not_rolled_out_yet_the_table_is_as_if_they_were(
    fitted, monkeypatch
):
    model, tokenizer = fitted
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 2), split="any")).take(0, 60)
    with torch.no_grad():  # so that it fails at times
        model = copy.deepcopy(model)
        head = model.get_output_embeddings().weight
        head += torch.randn(head.shape, generator=torch.Generator().manual_seed(0)) / 4
    want, asked = predicted_paths(model, tokenizer, mazes), []

    def watched(model, tokenizer, given, **options):
        asked.append(len(given))
        return rollout(model, tokenizer, given, **options)

    monkeypatch.setattr(evaluation, "rollout", watched)
    table = evaluate(model, tokenizer, mazes)
    assert table["predicted"].tolist() == want
    assert asked == [60 - table["exact"].sum()]
    assert 0 < asked[0] < 60


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
