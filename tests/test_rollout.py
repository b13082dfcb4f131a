from dataclasses import replace

import numpy as np
import pytest
import torch

from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.generators import MazeConfig
from mazelib.model import build


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_rollouts_are_what_generate_gives(tiny_config, positions):
    config = replace(tiny_config, positions=positions)
    model = build(config, {"rotary": 3, "learned": 5}[positions])
    with torch.no_grad():  # large weights, so that the tokens printed vary
        for matrix in model.parameters():
            matrix *= 12 if matrix.ndim == 2 else 1
    mazes = StreamConfig(MazeConfig("percolation", 4, p=0.6), split="any")
    questions = prompts(MazeStream(mazes).take(0, 60), config.tokenizer)
    answers = rollout(model, config.tokenizer, questions, size=16)
    assert len({len(q) for q in questions}) > 5
    assert len({len(a) for a in answers}) > 3
    for question, answer in zip(questions, answers, strict=True):
        ids = torch.from_numpy(question).long()[None]
        whole = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=17,
            do_sample=False,
        )
        assert whole[0, len(question) :].tolist() == answer.tolist()


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
