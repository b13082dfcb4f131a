import dataclasses

import numpy as np
import pytest
import torch
from samples import one_question

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import (
    IGNORED,
    MazeModelConfig,
    build,
    inputs,
    labels,
    predictions,
)
from mazelib.tokens.tokenizer import Tokenizer

BOTH = pytest.mark.parametrize("positions", ["rotary", "learned"])


@BOTH
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_logits_equal_unpacked_ones(tiny_config, few, positions, attention):
    config = dataclasses.replace(tiny_config, positions=positions)
    model = build(config, 0)
    model.set_attn_implementation(attention)
    packed = few[:6].encode(config.tokenizer)
    together = model(**inputs(packed)).logits
    for k in range(3):
        batch = one_question(few[:6], k).encode(config.tokenizer)
        alone = model(**inputs(batch)).logits
        for i in range(6):
            part = torch.from_numpy(np.isin(packed.segment[i], [0, k + 1]))
            own = torch.from_numpy(batch.segment[i] >= 0)
            assert torch.allclose(together[i][part], alone[i][own], atol=2e-6)


@BOTH
def test_padding_changes_nothing(tiny_config, few, positions):
    model = build(dataclasses.replace(tiny_config, positions=positions), 0)
    single = one_question(few, 0)
    batch = single.encode(tiny_config.tokenizer)
    shortest = int(single.length.argmin())
    alone = single[shortest : shortest + 1].encode(tiny_config.tokenizer)
    size = alone.ids.shape[1]
    assert size < batch.ids.shape[1]
    a = model(**inputs(batch)).logits[shortest, :size]
    assert torch.allclose(a, model(**inputs(alone)).logits[0], atol=2e-6)


@BOTH
def test_the_seed_decides_the_weights(tiny_config, positions):
    config = dataclasses.replace(tiny_config, positions=positions)
    state = torch.random.get_rng_state()
    a, b, c = (build(config, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


@BOTH
def test_the_model_is_as_the_config_says(positions):
    config = MazeModelConfig("ctt", 5, 3, 32, 4, positions, 200)
    model = build(config, 0)
    assert model.get_input_embeddings().weight.shape == (19, 32)
    assert not torch.equal(
        model.get_input_embeddings().weight, model.get_output_embeddings().weight
    )
    assert len(next(m for m in model.modules() if hasattr(m, "__len__"))) == 3
    assert not model.training


def test_path_labels_are_the_answers_and_sequence_labels_all_that_follow(few):
    tokenizer = Tokenizer("ut", 4)
    batch = few[:8].encode(tokenizer)
    path = labels(batch, "path").numpy()
    assert ((path != IGNORED) == batch.answer).all()
    assert (path[batch.answer] == batch.ids[batch.answer]).all()
    everything = labels(batch, "sequence").numpy()
    skipped = (everything == IGNORED) & (batch.segment >= 0)
    # the first token of all, and of the second and third question
    assert skipped.sum(1).tolist() == [3] * 8
    opens = tokenizer.id_of["<ORIGIN_START>"]
    assert set(batch.ids[skipped].tolist()) == {
        tokenizer.id_of["<ADJLIST_START>"],
        opens,
    }
    with pytest.raises(MazelibError, match="loss is 'all'"):
        labels(batch, "all")


def test_predictions_are_the_likeliest_next_tokens(tiny_model, few, tiny_config):
    batch = one_question(few[:4], 0).encode(tiny_config.tokenizer)
    guessed, probability = predictions(tiny_model, batch)
    logits = tiny_model(**inputs(batch)).logits
    assert guessed[2, 9] == logits[2, 8].argmax()
    assert probability[2, 9] == pytest.approx(logits[2, 8].softmax(0).max().item())
    assert (guessed[:, 0] == 0).all()


def test_shifted_mazes_use_the_tokens_of_their_place(tiny_config):
    config = StreamConfig(MazeConfig("dfs", 3), spread=4)
    mazes = MazeStream(config).take(0, 30)
    model = build(tiny_config, 0)
    logits = model(**inputs(mazes.encode(tiny_config.tokenizer))).logits
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers is 0"),
        ({"width": 100, "heads": 8}, "width is 100, but must be a multiple of twice"),
        ({"heads": 0}, "heads is 0"),
        ({"positions": "alibi"}, "positions is 'alibi', but must be one of rotary"),
        ({"max_positions": 0}, "max_positions is 0"),
        ({"scheme": "bpe"}, "no token scheme 'bpe'"),
        ({"side": 0}, "side is 0"),
    ],
)
def test_bad_shapes_are_named(options, message):
    with pytest.raises(MazelibError, match=message):
        MazeModelConfig(**options)


def test_too_long_a_sequence_for_learned_positions_is_named(tiny_config, few):
    short = dataclasses.replace(tiny_config, positions="learned", max_positions=40)
    batch = one_question(few).encode(tiny_config.tokenizer)
    with pytest.raises(MazelibError, match="too long for the model"):
        predictions(build(short, 0), batch)
