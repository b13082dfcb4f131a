"""Probes that are not linear, or of low rank: what a linear one leaves unread.

    probe = fit_hidden(features, labels, part)            # one hidden layer, GELU
    probe = fit_hidden(features, labels, part, hidden=4, is_linear=True)   # of rank 4
    probe.scores(features)                                # [things, targets]: log-odds

Features, labels, classes and parts are those of `mazelib.internals.probes`, at one
site. All targets share the hidden layer. Networks for all strengths of weight decay are
trained side by side; each is taken where its loss on `CHOOSE` was least, and of them
the best.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mazelib.internals.probes import (
    CHOOSE,
    FIT,
    Labels,
    as_known,
    check,
    loss_of,
    standard_of,
)

DECAYS = (0.01, 0.1, 1.0)
"""Strengths of weight decay that are tried."""
RATE = 0.01
STEPS = 600
EVERY = 10
"""Steps between two looks at `CHOOSE`."""


class HiddenProbe(NamedTuple):
    """A network of one hidden layer; linear, if its middle is left out."""

    mean: Float[Tensor, "width"]
    scale: Float[Tensor, "width"]
    into: Float[Tensor, "width_and_1 hidden"]
    out: Float[Tensor, "hidden_and_1 outputs"]
    is_linear: bool
    classes: int | None

    def scores(
        self, features: Float[np.ndarray, "things width"]
    ) -> Float[np.ndarray, "things targets *classes"]:
        """The log-odds of each thing for each target; of classes, up to a constant."""
        given = torch.from_numpy(np.asarray(features, np.float32))
        standard = (given - self.mean) / self.scale
        found = said(standard, self.into, self.out, self.is_linear).numpy()
        return found.reshape(len(found), -1, self.classes) if self.classes else found


def said(
    features: Float[Tensor, "things width"],
    into: Float[Tensor, "*nets width_and_1 hidden"],
    out: Float[Tensor, "*nets hidden_and_1 outputs"],
    is_linear: bool,
) -> Float[Tensor, "*nets things outputs"]:
    """The log-odds that networks give, the classes of a target side by side.

    The last row of a matrix is the bias.
    """
    middle = features @ into[..., :-1, :] + into[..., -1:, :]
    if not is_linear:
        middle = torch.nn.functional.gelu(middle)
    return middle @ out[..., :-1, :] + out[..., -1:, :]


def fit_hidden(
    features: Float[np.ndarray, "things width"],
    labels: Labels,
    part: Integer[np.ndarray, "things"],
    classes: int | None = None,
    hidden: int = 64,
    is_linear: bool = False,
    decays: Sequence[float] = DECAYS,
    seed: int = 0,
) -> HiddenProbe:
    """A network of one hidden layer for all targets, by AdamW on all things at once.

    hidden: its width. is_linear: nothing between the two matrices, so that all probes
    together have that rank.

    Raises MazelibError as `mazelib.internals.probes.fit` does.
    """
    check(features[None], labels, part, classes)
    given = torch.from_numpy(np.asarray(features, np.float32))
    known = as_known(labels)
    mean, scale = standard_of(given[part == FIT])
    standard = (given - mean) / scale
    fitted, chosen = ((standard[part == p], known[part == p]) for p in (FIT, CHOOSE))
    sizes = (given.shape[1], hidden, labels.shape[1] * (classes or 1))
    into, out = trained(fitted, chosen, sizes, is_linear, decays, seed)
    return HiddenProbe(mean, scale, into, out, is_linear, classes)


def trained(
    fitted: tuple[Tensor, Tensor],
    chosen: tuple[Tensor, Tensor],
    sizes: tuple[int, int, int],
    is_linear: bool,
    decays: Sequence[float],
    seed: int,
) -> tuple[Tensor, Tensor]:
    """The two matrices that were best on what is chosen by."""
    width, hidden, outputs = sizes
    rng = torch.Generator().manual_seed(seed)
    nets = len(decays)
    into = torch.randn(nets, width + 1, hidden, generator=rng) / width**0.5
    out = torch.randn(nets, hidden + 1, outputs, generator=rng) / hidden**0.5
    out[:, -1] = 0.0
    weights = [each.requires_grad_() for each in (into, out)]
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=0.0)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    decay = torch.tensor(decays)[:, None, None]
    least, best = torch.full((nets,), torch.inf), [each.detach() for each in weights]
    for step in range(STEPS):
        loss = per_net(said(fitted[0], *weights, is_linear), fitted[1])
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        with torch.no_grad():
            for each in weights:  # decoupled, as in AdamW, but a strength a network
                each[:, :-1] *= 1 - rate.get_last_lr()[0] * decay
        rate.step()
        if step % EVERY == EVERY - 1:
            with torch.no_grad():
                now = per_net(said(chosen[0], *weights, is_linear), chosen[1])
            better = (now < least)[:, None, None]
            best = [
                torch.where(better, each.detach(), before)
                for each, before in zip(weights, best, strict=True)
            ]
            least = torch.minimum(least, now)
    at = int(least.argmin())
    return best[0][at], best[1][at]


def per_net(
    given: Float[Tensor, "nets things outputs"],
    labels: Tensor,
) -> Float[Tensor, "nets"]:
    """The mean loss of each network."""
    each = given.permute(1, 2, 0).reshape(*labels.shape, -1, len(given))
    return loss_of(each, labels).mean(0)
