"""Composition is TransformerLens' own; a head that reads what another writes shows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from samples import large, one_question

from mazelib.errors import MazelibError
from mazelib.internals.lens import Site, activations, open_lens
from mazelib.internals.weights import (
    KINDS,
    SIDES,
    cell_circuit,
    cell_embeddings,
    composition,
    composition_null,
    cosines,
    explained,
    lattice_basis,
    lattice_parts,
    on_cells,
    random_vectors,
    singular_vectors,
    spectra,
    turns,
)
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture
def model(tiny_config):
    return large(tiny_config, seed=3, times=15)


def lens_of(model, config):
    return open_lens(TrainedModel(model, config.tokenizer, {}), folded=True)


@pytest.mark.parametrize("kind", KINDS)
def test_composition_is_that_of_transformer_lens(kind, model, tiny_config):
    lens = lens_of(model, tiny_config)
    ours = composition(lens, kind)
    theirs = lens.bridge.all_composition_scores(kind).detach().numpy()
    assert np.allclose(ours[0, :, 1], theirs[0, :, 1], rtol=1e-3, atol=1e-4)
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
    lens = lens_of(large(tiny_config, seed=11, times=15), tiny_config)
    for kind in KINDS:
        null = composition_null(lens, kind, draws=60)[:, 0, :, 1].reshape(60, -1)
        score = composition(lens, kind)[0, :, 1].ravel()
        z = (score - null.mean(0)) / null.std(0)
        assert np.abs(z).max() < 4


def test_an_unknown_kind_is_an_error(model, tiny_config):
    with pytest.raises(MazelibError, match="kind is 'O'"):
        composition(lens_of(model, tiny_config), "O")


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_singular_vectors_are_those_of_the_whole_matrices(tiny_config, positions):
    config = replace(tiny_config, positions=positions)
    lens = lens_of(large(config, seed=5, times=15), config)
    table, vectors = singular_vectors(lens, count=2)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert len(table) == len(vectors) == 2 * 2 * (2 * 2 * 2 + 2)
    bridge, values = lens.bridge, spectra(lens)
    for name, whole in (("OV", bridge.OV.AB), ("QK", bridge.QK.AB)):
        left, size, right = torch.linalg.svd(whole.detach())
        assert np.allclose(values[name], size[..., :8].numpy(), rtol=1e-3)
        for side, ends in zip(SIDES[name], (left.mT, right), strict=True):
            rows = table[(table["matrix"] == name) & (table["side"] == side)]
            for i, (layer, head, rank) in rows[["layer", "head", "rank"]].iterrows():
                other = ends[layer, head, rank].numpy()
                assert abs(vectors[i] @ other) == pytest.approx(1, abs=1e-3)
    rows = table.query("matrix == 'W_out' and rank == 0")
    for i, layer in rows["layer"].items():
        moved = bridge.W_out[layer].detach().numpy() @ vectors[i]
        assert np.linalg.norm(moved) == pytest.approx(values["W_out"][layer, 0], 1e-3)


def test_a_profile_is_what_a_vector_makes_of_the_cells(model, tiny_config):
    lens = lens_of(model, tiny_config)
    cells = cell_embeddings(lens, 3)
    names = [lens.tokenizer.id_of[f"({r},{c})"] for r in range(3) for c in range(3)]
    assert np.array_equal(cells, lens.bridge.W_E.detach().numpy()[names])
    unit = cells / np.linalg.norm(cells, axis=1, keepdims=True)
    near = cosines(lens, -unit, names)
    assert np.diag(near) == pytest.approx(-1, abs=1e-5)
    assert np.allclose(near, -unit @ unit.T, atol=1e-5)
    away = lens.bridge.W_U.detach().numpy().T
    away = (away - away.mean(0))[names]
    near = cosines(lens, away, names, unembedding=True)
    assert np.diag(near) == pytest.approx(np.linalg.norm(away, axis=1), rel=1e-4)
    profile = on_cells(lens, cells[4:5], 3)
    assert profile.sum() == pytest.approx(0, abs=1e-5)
    assert profile.argmax() == 4


def test_what_is_plain_on_the_grid_is_explained_and_noise_by_chance(rng):
    basis = lattice_basis(5)
    assert basis.shape == (25, 8)
    assert np.allclose(basis.T @ basis, np.eye(8), atol=1e-9)
    assert np.allclose(basis.sum(0), 0, atol=1e-9)
    row, col = np.divmod(np.arange(25), 5)
    plain = np.stack([row - 2.0, 3 * col - 6.0, (-1.0) ** (row + col) - 1 / 25])
    assert explained(plain, basis) == pytest.approx(1)
    noise = rng.normal(size=(3000, 25))
    noise -= noise.mean(1, keepdims=True)
    assert explained(noise, basis).mean() == pytest.approx(8 / 24, abs=0.01)
    parts = lattice_parts(5)
    modes = ["mode 0,1", "mode 1,0", "mode 1,1", "mode 0,2", "mode 2,0"]
    assert sorted(parts) == sorted(["row", "column", "parity", *modes])
    assert parts["row"] @ plain[0] == pytest.approx(np.linalg.norm(plain[0]))
    assert parts["mode 2,0"] @ parts["mode 0,2"] == pytest.approx(0, abs=1e-9)
    turned = lattice_basis(5).reshape(5, 5, 8).transpose(1, 0, 2).reshape(25, 8)
    assert np.allclose(np.linalg.svd(basis.T @ turned)[1], 1)  # no side is favoured


def test_random_vectors_look_everywhere_alike(model, tiny_config):
    drawn = random_vectors(lens_of(model, tiny_config), 4000)
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(1)
    assert np.abs(drawn.T @ drawn / 4000 - np.eye(16) / 16).max() < 0.01


def test_a_circuit_is_the_product_of_the_weights(model, tiny_config):
    lens = lens_of(model, tiny_config)
    bridge, block = lens.bridge, lens.bridge.blocks[1].attn
    ids = [lens.tokenizer.id_of[f"({r},{c})"] for r in range(2) for c in range(2)]
    cells, unembed = torch.nn.functional.layer_norm(bridge.W_E[ids], (16,)), bridge.W_U
    near = {"rtol": 1e-3, "atol": 1e-4}
    found = cell_circuit(lens, 2, "OV", (1, 1))
    written = cells @ block.W_V[1] @ block.W_O[1] @ unembed[:, ids]
    assert np.allclose(found, written.detach().numpy(), **near)
    found = cell_circuit(lens, 2, "QK", (1, 0))
    query, key = cells @ block.W_Q[0] + block.b_Q[0], cells @ block.W_K[0]
    assert np.allclose(found, (query @ key.T / 8**0.5).detach().numpy(), **near)
    first = bridge.blocks[0].attn
    name = cells @ first.W_V[1] @ first.W_O[1]
    found = cell_circuit(lens, 2, "QK", (1, 0), through=(0, 1))
    key = name @ block.W_K[0]
    assert np.allclose(found, (query @ key.T / 8**0.5).detach().numpy(), **near)
    found = cell_circuit(lens, 2, "OV", (1, 1), through=(0, 1))
    written = name @ block.W_V[1] @ block.W_O[1] @ unembed[:, ids]
    assert np.allclose(found, written.detach().numpy(), **near)
    turn = next(turns(16, 1))
    assert torch.allclose(turn @ turn.T, torch.eye(16), atol=1e-5)
    turned = cell_circuit(lens, 2, "OV", (1, 1), (0, 1), turn)
    assert np.abs(found).max() > 0.1
    assert not np.allclose(turned, found, atol=0.01)
    with pytest.raises(MazelibError, match="kind is 'MLP'"):
        cell_circuit(lens, 2, "MLP", (1, 1))


def test_a_circuit_of_few_directions_is_the_nearest_of_its_rank(model, tiny_config):
    lens = lens_of(model, tiny_config)
    for kind in ("OV", "QK"):
        whole = cell_circuit(lens, 3, kind, (1, 1))
        strongest = cell_circuit(lens, 3, kind, (1, 1), rank=1)
        size = np.abs(strongest).max()
        assert np.linalg.matrix_rank(strongest, tol=1e-4 * size) == 1
        assert not np.allclose(strongest, whole, atol=0.01)
        every = cell_circuit(lens, 3, kind, (1, 1), rank=8)
        assert np.allclose(every, whole, rtol=1e-3, atol=1e-3)


def test_what_is_asked_at_a_distance_is_what_the_model_asks(model, tiny_config, few):
    lens = lens_of(model, tiny_config)
    assert not lens.bridge.b_K.any()  # what all are asked alike is left out
    scores = Site("scores", 0, 1)  # at the first layer a cell's token is its name
    [part] = activations(lens, one_question(few)[:2], [scores])
    for distance in (2, 4, 6, 30):
        made = cell_circuit(lens, 4, "QK", (0, 1), distance=distance)
        rows, at = np.nonzero(part.roles.cell[:, distance:] >= 0)
        cell, earlier = part.roles.cell[rows, at + distance], part.roles.cell[rows, at]
        both = earlier >= 0
        assert both.sum() > 5
        found = part.values[scores][rows, at + distance, at].numpy()
        assert np.allclose(found[both], made[cell, earlier][both], rtol=1e-3, atol=1e-3)


def test_learned_positions_do_not_turn(tiny_config):
    config = replace(tiny_config, positions="learned")
    lens = lens_of(large(config, seed=5, times=15), config)
    assert cell_circuit(lens, 2, "QK", (0, 1)).shape == (4, 4)
    with pytest.raises(MazelibError, match="distance is 3, but positions are learned"):
        cell_circuit(lens, 2, "QK", (0, 1), distance=3)
