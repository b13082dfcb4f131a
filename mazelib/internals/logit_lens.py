"""What a model would say if it stopped after a layer: the logit lens, plain and tuned.

    logits = read_out(lens, streams)      # [layers + 1, tokens, ids]
    tuned = fit_tuned(lens, streams_of_other_mazes)
    logits = read_out(lens, tuned(streams))
    settled(right - wrong)                # the layer from which the right way leads

The residual stream after each layer (`mazelib.internals.streams`) goes through the last
LayerNorm and the unembedding as if it were the end (nostalgebraist, "interpreting GPT:
the logit lens", 2020). The tuned lens first maps it by an affine map of its own, fitted
so that what is said comes near to what the model says in the end (Belrose et al.,
"Eliciting Latent Predictions from Transformers with the Tuned Lens", arXiv 2303.08112):
where the plain lens shows nothing, it tells whether nothing is there or whether it
stands in another basis.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mazelib.internals.lens import Lens

STEPS = 400
RATE = 0.003
SIZE = 2048
"""Tokens in a step of the tuned lens' fit."""


@torch.no_grad()
def read_out(
    lens: Lens, streams: Float[np.ndarray, "*some width"]
) -> Float[np.ndarray, "*some ids"]:
    """What the last LayerNorm and the unembedding make of residual streams: logits."""
    given = torch.from_numpy(streams)
    return lens.bridge.unembed(lens.bridge.ln_final(given)).numpy()


class TunedLens(NamedTuple):
    """An affine map for each layer; the last layer's changes nothing."""

    weights: Float[Tensor, "layers_and_1 width width"]
    bias: Float[Tensor, "layers_and_1 width"]

    def __call__(
        self, streams: Float[np.ndarray, "layers_and_1 tokens width"]
    ) -> Float[np.ndarray, "layers_and_1 tokens width"]:
        """The streams as they would stand at the end."""
        return mapped(torch.from_numpy(streams), self.weights, self.bias).numpy()


def mapped(
    streams: Float[Tensor, "layers tokens width"],
    weights: Float[Tensor, "layers width width"],
    bias: Float[Tensor, "layers width"],
) -> Float[Tensor, "layers tokens width"]:
    """Each layer's streams through its affine map."""
    return torch.baddbmm(bias[:, None], streams, weights)


def fit_tuned(
    lens: Lens,
    streams: Float[np.ndarray, "layers_and_1 tokens width"],
    steps: int = STEPS,
    seed: int = 0,
) -> TunedLens:
    """The affine maps with the least divergence from what is said at the end.

    streams: of mazes that are not looked at later. The mean over tokens of the
    Kullback–Leibler divergence of what is said after a layer from what is said at last;
    by Adam, all layers at once, from the identity.
    """
    given, width = torch.from_numpy(streams), streams.shape[-1]
    early = given[:-1]
    weights = torch.eye(width).repeat(len(early), 1, 1).requires_grad_()
    bias = torch.zeros(len(early), width, requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], RATE)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        last = lens.bridge.unembed(lens.bridge.ln_final(given[-1])).log_softmax(-1)
    for _ in range(steps):
        some = torch.randint(
            given.shape[1], (min(SIZE, given.shape[1]),), generator=rng
        )
        ended = mapped(early[:, some], weights, bias)
        said = lens.bridge.unembed(lens.bridge.ln_final(ended)).log_softmax(-1)
        gap = (last[some].exp() * (last[some] - said)).sum(-1).mean(1)
        optimizer.zero_grad()
        gap.sum().backward(inputs=[weights, bias])
        optimizer.step()
        rate.step()
    same, none = torch.eye(width)[None], torch.zeros(1, width)
    return TunedLens(
        torch.cat([weights.detach(), same]), torch.cat([bias.detach(), none])
    )


def settled(
    leads: Float[np.ndarray, "layers_and_1 *some"],
) -> Int[np.ndarray, "*some"]:
    """From which layer on a lead stays above nought, for good.

    0 is before the first layer; one more than the last layer stands where it does not.
    leads: such as the logit of the right way on less the best of the others.
    """
    behind = leads <= 0
    last = len(leads) - 1 - np.argmax(behind[::-1], 0)
    return np.where(behind.any(0), last + 1, 0)
