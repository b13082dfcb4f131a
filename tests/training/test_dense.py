"""The loss for GPUs is the model's own, and that for CPUs, on any device."""

import inspect
import warnings
from functools import partial

import pytest
import torch

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig
from mazelib.training import dense
from mazelib.training.dense import COMPILED, DenseLoss
from mazelib.training.lean import LeanLoss
from mazelib.training.losses import PlainLoss, loss_for


@pytest.fixture
def batches():
    """Two, of which the second has the longer sequences."""
    stream = MazeStream(StreamConfig(MazeConfig("dfs", 4), questions=3))
    tokenizer = MazeModelConfig(side=4).tokenizer
    few = [stream.take(start, 4).encode(tokenizer) for start in range(0, 40, 4)]
    return min(few, key=lambda b: b.ids.size), max(few, key=lambda b: b.ids.size)


def found(loss, batch):
    """A loss and its gradient."""
    value = loss(batch)
    gradients = torch.autograd.grad(value, list(loss.parameters()))
    return value.detach(), torch.cat([g.flatten() for g in gradients])


@pytest.fixture
def unchecked(monkeypatch):
    """The tests' checks of shapes are nothing that compiles."""
    monkeypatch.setattr(dense, "visible", inspect.unwrap(dense.visible))
    torch.compiler.reset()


@pytest.mark.parametrize("kind", ["path", "sequence"])
def test_it_is_the_loss_of_the_models_own_forward_and_the_lean_one(
    model, batches, kind, float32
):
    loss = DenseLoss(model, kind, compiled=None)
    for batch in batches:
        value, gradient = found(loss, batch)
        for other in (PlainLoss(model, kind), LeanLoss(model, kind)):
            want, its = found(other, batch)
            assert torch.allclose(value, want, rtol=1e-5)
            assert (gradient - its).norm() < 1e-5 * its.norm()


def test_in_bfloat16_it_is_as_close_as_autocast(model, batches):
    (value, gradient), (want, its) = (
        found(loss, batches[0])
        for loss in (DenseLoss(model, compiled=None), PlainLoss(model))
    )
    assert torch.allclose(value, want, rtol=0.02)
    assert (gradient - its).norm() < 0.1 * its.norm()


def test_it_compiles_whole_and_once(model, batches, unchecked, monkeypatch):
    """Without a break, whatever the lengths, up to the length that they fill."""
    monkeypatch.setattr(dense, "MULTIPLE", 256)
    lengths = {batch.ids.shape[1] for batch in batches}
    assert len(lengths) == 2
    graphs = []

    def counting(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compiled = DenseLoss(model, compiled=partial(COMPILED, backend=counting))
    plain = DenseLoss(model, compiled=None)
    for batch in batches:
        (value, gradient), (want, its) = found(compiled, batch), found(plain, batch)
        assert torch.allclose(value, want)
        assert torch.allclose(gradient, its)
    assert len(graphs) == 1


def test_the_length_only_grows(model, batches, monkeypatch):
    monkeypatch.setattr(dense, "MULTIPLE", 8)
    short, long = batches
    loss = DenseLoss(model, compiled=None)
    lengths = []
    for batch in (short, long, short):
        loss(batch)
        lengths.append(loss.length)
    assert lengths[0] < lengths[1] == lengths[2]
    assert all(length % 8 == 0 for length in lengths)


def test_it_goes_on_where_nothing_compiles(model, batches, unchecked):
    def broken(graph, inputs):
        raise RuntimeError("no compiler here")

    loss, plain = (
        DenseLoss(model, compiled=partial(COMPILED, backend=broken)),
        DenseLoss(model, compiled=None),
    )
    with pytest.warns(UserWarning, match="does not work here .*no compiler here"):
        value = loss(batches[0])
    assert torch.equal(value, plain(batches[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(loss(batches[1]), plain(batches[1]))


def test_a_cpu_gets_the_lean_loss_and_what_is_no_cpu_the_dense_one(model):
    assert isinstance(loss_for(model), LeanLoss)
    assert isinstance(loss_for(model.to("meta")), DenseLoss)
