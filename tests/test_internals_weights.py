"""Composition is TransformerLens' own; a head that reads what another writes shows."""

import numpy as np
import pytest
import torch

from mazelib.checkpoint import TrainedModel
from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.internals.weights import KINDS, composition, composition_null
from mazelib.model import build


@pytest.fixture
def model(tiny_config):
    return build(tiny_config, seed=3)


def lens_of(model, config):
    return open_lens(TrainedModel(model, config.tokenizer, {}), folded=True)


@pytest.mark.parametrize("kind", KINDS)
def test_composition_is_that_of_transformer_lens(kind, model, tiny_config):
    lens = lens_of(model, tiny_config)
    ours = composition(lens, kind)
    theirs = lens.bridge.all_composition_scores(kind).detach().numpy()
    assert np.allclose(ours[0, :, 1], theirs[0, :, 1], atol=1e-5)
    assert np.isnan(ours[1]).all()
    assert np.isnan(ours[:, :, 0]).all()


def test_a_head_made_to_read_another_stands_out_of_the_null(model, tiny_config):
    blocks, size = model.gpt_neox.layers, 8
    with torch.no_grad():  # layer 1, head 1 asks with what layer 0, head 0 writes
        written = blocks[0].attention.dense.weight[:, :size]
        packed = blocks[1].attention.query_key_value.weight.view(2, 3, size, 16)
        packed[1, 0] = written.T
    lens = lens_of(model, tiny_config)
    null = composition_null(lens, "Q")
    high = np.nanmax(null[:, 0, :, 1], axis=0)
    beyond = composition(lens, "Q")[0, :, 1] > high
    assert beyond[0, 1]
    assert beyond.sum() == 1


def test_chance_is_right_for_heads_that_are_not_made_for_each_other(tiny_config):
    lens = lens_of(build(tiny_config, seed=11), tiny_config)
    for kind in KINDS:
        null = composition_null(lens, kind, draws=60)[:, 0, :, 1].reshape(60, -1)
        score = composition(lens, kind)[0, :, 1].ravel()
        z = (score - null.mean(0)) / null.std(0)
        assert np.abs(z).max() < 4


def test_an_unknown_kind_is_an_error(model, tiny_config):
    with pytest.raises(MazelibError, match="kind is 'O'"):
        composition(lens_of(model, tiny_config), "O")
