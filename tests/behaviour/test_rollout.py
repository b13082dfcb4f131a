from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from samples import large

from mazelib.behaviour import rollout as rollout_module
from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import build


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_rollouts_are_what_generate_gives(tiny_config, positions):
    config = replace(tiny_config, positions=positions)
    model = large(config, {"rotary": 3, "learned": 5}[positions])
    mazes = StreamConfig(MazeConfig("percolation", 4, p=0.6), split="any")
    questions = prompts(MazeStream(mazes).take(0, 1000), config.tokenizer)
    answers = rollout(model, config.tokenizer, questions, size=64)
    lengths = sorted({len(question) for question in questions})
    assert len(lengths) > 10
    assert len({len(a) for a in answers}) > 3
    end = config.tokenizer.id_of["<PATH_END>"]
    for length in lengths:
        here = [i for i, question in enumerate(questions) if len(question) == length]
        ids = torch.from_numpy(np.stack([questions[i] for i in here])).long()
        whole = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=17,
            do_sample=False,
        )
        for i, row in zip(here, whole[:, length:].tolist(), strict=True):
            stop = row.index(end) + 1 if end in row else len(row)
            assert row[:stop] == answers[i].tolist()


def test_drawn_tokens_follow_the_models_probabilities(tiny_model, tiny_config):
    prompt = np.array([1, 2, 3])
    answers = rollout(
        tiny_model, tiny_config.tokenizer, [prompt] * 4000, temperature=0.5, seed=4
    )
    first = np.bincount([answer[0] for answer in answers], minlength=27) / 4000
    with torch.no_grad():
        logits = tiny_model(torch.from_numpy(prompt)[None]).logits[0, -1]
    assert np.abs(first - (logits / 0.5).softmax(-1).numpy()).max() < 0.03
    again = rollout(
        tiny_model, tiny_config.tokenizer, [prompt] * 4000, temperature=0.5, seed=4
    )
    assert all(np.array_equal(a, b) for a, b in zip(answers, again, strict=True))


def test_a_negative_temperature_is_an_error(tiny_model, tiny_config):
    with pytest.raises(MazelibError, match="temperature is -1"):
        rollout(tiny_model, tiny_config.tokenizer, [], temperature=-1.0)


def test_rollouts_are_bounded_by_the_grid(tiny_model, tiny_config, few):
    with torch.no_grad():
        tiny_model.get_output_embeddings().weight[8] = 0
        tiny_model.get_output_embeddings().weight[9] *= 50
    answers = rollout(tiny_model, tiny_config.tokenizer, [np.array([1, 2, 3])])
    assert len(answers[0]) in range(1, 18)


def test_no_room_for_an_answer_is_an_error(tiny_config):
    config = replace(tiny_config, positions="learned", max_positions=40)
    with pytest.raises(MazelibError, match="leaves no room for an answer"):
        rollout(build(config, 0), config.tokenizer, [np.ones(40, np.int32)])


def test_no_prompts_no_answers(tiny_model, tiny_config):
    assert rollout(tiny_model, tiny_config.tokenizer, []) == []


def test_rows_that_have_ended_leave_the_batch(tiny_model, tiny_config, monkeypatch):
    sizes, lengths = [], torch.arange(3, 13)

    def forward(ids, past_key_values, **_):
        if ids.shape[1] > 1:  # the prompt: row i is to end after lengths[i] tokens
            forward.left = lengths.clone()
        forward.left = forward.left - 1
        sizes.append(len(ids))
        logits = torch.zeros(len(ids), 1, 27)
        logits[:, 0, 11] = 1
        logits[forward.left[rows(past_key_values)] <= 0, 0, 8] = 2
        return SimpleNamespace(logits=logits)

    def call(_, *arguments, **options):
        return forward(*arguments, **options)

    kept = [torch.arange(10)]

    def rows(_):
        return kept[-1]

    class Cache:
        def __init__(self, config):
            pass

        def batch_select_indices(self, keep):
            kept.append(kept[-1][keep])

    monkeypatch.setattr(rollout_module, "DynamicCache", Cache)
    monkeypatch.setattr(type(tiny_model), "__call__", call)
    answers = rollout_module.complete(tiny_model, torch.ones(10, 5).long(), bound=60)
    assert [len(a) for a in answers] == lengths.tolist()
    assert len(sizes) == 12
    assert sizes[-1] < 4
