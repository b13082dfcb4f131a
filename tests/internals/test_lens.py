"""A lens says what its model says, and a site is where its name points."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from samples import one_question
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoTokenizer

from mazelib.errors import MazelibError
from mazelib.internals import lens as lens_module
from mazelib.internals.lens import HEADS, HOOKS, Site, activations, open_lens
from mazelib.internals.roles import roles_of
from mazelib.models import checkpoint
from mazelib.models.checkpoint import TrainedModel, quiet
from mazelib.models.model import build, inputs


@pytest.fixture(params=["rotary", "learned"])
def trained(request, tiny_config):
    config = replace(tiny_config, positions=request.param)
    return TrainedModel(build(config, seed=2), config.tokenizer, {})


@pytest.mark.parametrize("folded", [False, True])
def test_a_lens_says_what_the_model_says(trained, few, folded):
    before = deepcopy(trained.model.state_dict())
    lens = open_lens(trained, folded)
    batch = few.encode(trained.tokenizer)  # packed: mask and positions matter
    with torch.no_grad():
        own = trained.model(**inputs(batch)).logits.log_softmax(-1)
    inside = torch.from_numpy(batch.segment >= 0)
    gap = (lens.logits(batch).log_softmax(-1) - own)[inside]
    assert gap.abs().max() < 1e-4
    after = trained.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (lens.layers, lens.heads) == (2, 2)


@pytest.mark.parametrize("folded", [False, True])
def test_text_gets_the_tokens_of_the_vocabulary_alone(trained, few, folded):
    lens = open_lens(trained, folded)
    ids = one_question(few)[:1].encode(trained.tokenizer).ids[0]
    text = trained.tokenizer.to_text(ids)
    want = torch.from_numpy(trained.tokenizer.from_text(text)).long()[None]
    assert torch.equal(lens.bridge.to_tokens(text), want)
    assert lens.bridge.to_str_tokens(text) == text.split()
    with torch.no_grad():
        own = trained.model(want).logits.log_softmax(-1)
        assert (lens.bridge(text).log_softmax(-1) - own).abs().max() < 1e-4


def test_a_readers_own_bridge_does_what_the_model_card_says(
    trained, tiny_config, tmp_path
):
    is_learned = trained.model.config.model_type == "gpt2"
    positions = "learned" if is_learned else "rotary"
    config = replace(tiny_config, positions=positions)
    checkpoint.save(tmp_path / "m", trained.model, config, {})
    with quiet():
        bridge = TransformerBridge.boot_transformers(str(tmp_path / "m"))
    bridge.cfg.default_prepend_bos = False
    text = "<ADJLIST_START> (0,0) <--> (0,1) ;"
    ids = trained.tokenizer.from_text(text).tolist()
    assert bridge.to_tokens(text)[0].tolist() == ids
    assert AutoTokenizer.from_pretrained(tmp_path / "m")(text)["input_ids"] == ids


def test_a_lens_that_says_something_else_is_an_error(trained, monkeypatch):
    monkeypatch.setattr(lens_module, "TOLERANCE", -1.0)
    with pytest.raises(MazelibError, match="off by"):
        open_lens(trained)


def test_activations_are_the_same_in_whatever_parts(trained, few):
    lens, mazes = open_lens(trained), one_question(few)
    sites = [Site("pattern", 1), Site("z", 0, 1), Site("resid_post", 1, None, "target")]
    whole = list(activations(lens, mazes, sites))
    assert len(whole) == 1
    parts = list(activations(lens, mazes, sites, memory=2**18))
    assert len(parts) > 2
    batch, roles, values = whole[0][1:]
    for part in parts:
        some = part.values[sites[2]]
        assert torch.allclose(some, values[sites[2]][part.rows], atol=1e-6)
        length = part.batch.ids.shape[1]
        pattern = values[sites[0]][part.rows, :, :length, :length]
        real = torch.from_numpy(part.batch.segment >= 0)
        gap = (part.values[sites[0]] - pattern).abs().amax((1, 3))
        assert gap[real].max() < 1e-6
    assert sum(len(p.batch.ids) for p in parts) == len(mazes)
    assert np.array_equal(roles.target, roles_of(batch, mazes, lens.tokenizer).target)
    assert torch.allclose(values[sites[0]].sum(-1), torch.ones(1), atol=1e-5)


@pytest.mark.parametrize("component", HOOKS)
def test_a_site_is_a_part_of_its_hook(trained, few, component):
    lens, mazes = open_lens(trained), one_question(few)[:5]
    whole = Site(component, 1)
    site = Site(component, 1, 1 if component in HEADS else None, "origin")
    (part,) = activations(lens, mazes, [whole, site])
    at, everything = part.roles.origin, part.values[whole]
    axis = HEADS.get(component)
    if axis:
        everything = everything.select(axis, 1)
    rows = [everything[b, position] for b, position in enumerate(at.tolist())]
    assert torch.equal(torch.stack(rows), part.values[site])


def test_a_site_that_is_none_is_an_error():
    with pytest.raises(MazelibError, match="component 'attention'"):
        Site("attention", 0)
    with pytest.raises(MazelibError, match="leave out head 2"):
        Site("mlp_out", 0, 2)
    with pytest.raises(MazelibError, match="position 'path': take one of list_end, "):
        Site("z", 0, 2, "path")
    assert str(Site("pattern", 3, 1, "target")) == "L3H1 pattern at target"
