"""A circuit of all edges is the network, one of none the other run; peers agree."""

import numpy as np
import pytest
import torch
from transformer_lens.tools.analysis.attribution_patching import (
    EdgeAttributionConfig,
    attribution_patch,
)

from mazelib.errors import MazelibError
from mazelib.internals.lens import open_lens
from mazelib.interventions.circuits import (
    FRACTIONS,
    Graph,
    areas,
    circuit_effects,
    edge_scores,
    faithfulness,
)
from mazelib.interventions.network import Network
from mazelib.interventions.paths import Sender, paths_from


def test_a_reader_reads_all_that_is_written_before_it(network):
    graph = Graph.of(network)
    layers, heads = network.layers, network.heads
    assert len(graph.writers) == 1 + layers * (heads + 1)
    assert len(graph.readers) == layers * (3 * heads + 1) + 1
    first_mlp = graph.readers.index(("mlp", 0, -1))
    assert graph.edges[:, 0].sum() == 1  # the embedding alone
    assert graph.edges[:, first_mlp].sum() == 1 + heads
    assert graph.edges[:, -1].all()
    for writer, reader in np.argwhere(graph.edges[:, :-1]):
        assert graph.writers[writer][1] <= graph.readers[reader][1]


def test_all_edges_are_the_network_and_none_the_other_run(network, pairs):
    graph = Graph.of(network)
    circuits = {"all": graph.edges, "none": np.zeros_like(graph.edges)}
    effects = circuit_effects(network, pairs, circuits)
    for name, whole in (("all", effects.source), ("none", effects.base)):
        for mine, theirs in zip(effects.patched[name], whole, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-3)


def test_a_path_kept_alone_is_a_path_patched(network, pairs):
    """All that the embedding is read by is cut, but for one reader."""
    graph = Graph.of(network)
    paths = paths_from(network, pairs, Sender("embedding"))
    for reader in (("q", 1, 0), ("k", 1, 1), ("v", 0, 1), ("mlp", 1, -1)):
        kept = graph.edges.copy()
        kept[0] = False
        kept[0, graph.readers.index(reader)] = True
        mine = circuit_effects(network, pairs, {"": kept}).patched[""].difference
        kind, layer, head = reader
        theirs = paths.patched[kind].difference[layer]
        theirs = theirs if kind == "mlp" else theirs[head]
        np.testing.assert_allclose(mine, theirs, atol=1e-3)


def test_scores_are_those_of_transformer_lens(trained, network, pairs):
    """At the corrupted input, summed over tokens, of one pair."""
    one = pairs.those(np.array([2]))
    graph, mine = Graph.of(network), edge_scores(network, one, points=(0.0,))
    bridge = open_lens(trained).bridge
    right, wrong, end = (int(x[0]) for x in (one.right, one.wrong, one.clean.end))
    clean, corrupted = (
        torch.from_numpy(prompts.ids).long() for prompts in (one.clean, one.corrupted)
    )
    theirs = attribution_patch(
        bridge,
        clean,
        corrupted,
        lambda logits: logits[0, end, right] - logits[0, end, wrong],
        EdgeAttributionConfig("edge"),
    )
    total = np.zeros(mine.shape)
    kinds = {"embed": "embedding", "attn_head_out": "head", "mlp_out": "mlp"}
    kinds |= {f"{k}_input": k for k in "qkv"} | {"mlp_in": "mlp", "logits": "logits"}
    for (writer, reader), score in theirs.edge_scores.items():
        ends = []
        for node in (writer, reader):
            kind, head = kinds[node.kind], -1 if node.head is None else node.head
            at_edge = kind in ("embedding", "logits")
            ends.append((kind, -1 if at_edge else node.layer, head))
        total[graph.writers.index(ends[0]), graph.readers.index(ends[1])] += score
    np.testing.assert_allclose(mine, total, atol=2e-3 * np.abs(total).max())
    assert np.abs(total).max() > 0


def planted(trained):
    """The same network, but for one head and the embedding nothing writes."""
    network = Network(trained)
    with torch.no_grad():
        for layer, block in enumerate(network.blocks):
            block.down.weight.zero_()
            matrix = network.output_matrix(layer)
            for head in range(network.heads):
                if (layer, head) != (1, 0):
                    matrix[head] = 0
    return network


def test_a_planted_circuit_is_found_and_nothing_else(trained, pairs):
    network = planted(trained)
    graph, scores = Graph.of(network), edge_scores(network, pairs)
    found = {
        (graph.writers[w], graph.readers[r])
        for w, r in np.argwhere(np.abs(scores) > 1e-6)
    }
    head, embedding = ("head", 1, 0), ("embedding", -1, -1)
    own = {(embedding, (kind, 1, 0)) for kind in "qkv"}
    own |= {(head, ("logits", -1, -1)), (embedding, ("logits", -1, -1))}
    assert {(head, ("logits", -1, -1))} <= found <= own
    kept = graph.best(scores, len(own))
    effects = circuit_effects(network, pairs, {"best": kept})
    assert effects.recovery("best") == pytest.approx(1, abs=1e-3)


def test_faithfulness_ends_at_one(network, pairs):
    curve = faithfulness(network, pairs, edge_scores(network, pairs, points=(0.5,)))
    assert curve.shape == (len(FRACTIONS),)
    assert curve[-1] == pytest.approx(1, abs=1e-3)


def test_areas_of_a_curve_that_is_known():
    perfect, nothing = np.ones(len(FRACTIONS)), np.zeros(len(FRACTIONS))
    nothing[-1] = 1
    assert areas(perfect)["CPR"] == pytest.approx(1, abs=1e-3)
    assert areas(perfect)["CMD"] == pytest.approx(0, abs=1e-3)
    assert areas(nothing)["CPR"] == pytest.approx(0.25)
    assert areas(np.stack([perfect, nothing]))["CMD"].shape == (2,)
    assert areas(2 * perfect)["CPR"] == pytest.approx(2, abs=2e-3)
    assert areas(2 * perfect)["CMD"] == pytest.approx(1, abs=1e-3)


def test_edges_are_chosen_by_size_or_by_chance(network, rng):
    graph = Graph.of(network)
    scores = rng.normal(size=graph.edges.shape)
    kept = graph.best(scores, 7)
    assert kept.sum() == 7
    assert not (kept & ~graph.edges).any()
    least = np.abs(scores[kept]).min()
    assert (np.abs(scores[graph.edges & ~kept]) <= least).all()
    drawn = graph.drawn(7, rng)
    assert drawn.sum() == 7
    assert not (drawn & ~graph.edges).any()
    assert (graph.drawn(7, rng) != drawn).any()
    with pytest.raises(MazelibError, match=r"10000 edges asked for, but .* has"):
        graph.best(scores, 10_000)
