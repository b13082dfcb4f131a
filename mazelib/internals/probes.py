"""Linear probes, a great many in one fit: what can be read off activations.

    probes = fit(features, labels, part)          # a probe for each site and target
    probes.scores(features)                       # [sites, things, targets]: log-odds
    probes.weights[site, :, target]               # its direction, in the stream's units

features is [sites, things, width]: what is read at each site, such as a layer, for each
thing, such as a token at a fork. labels is [things, targets]: 0 or 1, or a class, with
-1 where a thing is not asked about a target; or floats, which are told as they are, by
ridge regression. Things of `FIT` are fitted, things of
`CHOOSE` say how strong the penalty is and are for choosing a layer; things of `SCORE`
are seen by neither.

All probes of a site are fitted at once, for all strengths of the penalty. Turned to the
principal axes of the features, the bound of Böhning and Lindsay (1988) on the Hessian
of logistic regression is a diagonal, the same for all of them; stepping by it, with
Nesterov's momentum, restarted for each probe where it overshoots (O'Donoghue and Candès
2015), takes some dozens of products of one large matrix.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.evidence.classification import NOT_ASKED

FIT, CHOOSE, SCORE = range(3)
"""The parts that mazes are split into."""
SHARES = (0.4, 0.1, 0.5)
"""Of each part: half of the mazes to fit and choose with, half to score."""
STRENGTHS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
"""Strengths λ of the penalty λ/2 · |w|² on standardized features, beside the sum over
things of the log loss; scikit-learn's C is 1 / λ."""
Labels = Integer[np.ndarray, "things targets"] | Float[np.ndarray, "things targets"]
ROUNDS = 400
CLOSE = 1e-7
"""When the fit ends: a step's worth, in mean log loss, of the probe farthest off."""


def groups_of(mazes: MazeSet) -> Int[np.ndarray, "mazes"]:
    """A number for each maze, from 0, the same for those that are equal up to symmetry.

    In the order of their canonical hashes.
    """
    return np.unique(mazes.canonical_hashes, return_inverse=True)[1]


def parts_of(
    mazes: MazeSet, shares: Sequence[float] = SHARES
) -> Integer[np.ndarray, "mazes"]:
    """Which part each maze is of: `FIT`, `CHOOSE` or `SCORE`.

    By the order of their canonical hashes: two mazes that are the same but for turning
    and mirroring are of one part.
    """
    group = groups_of(mazes)
    ends = np.cumsum(shares)[:-1] * (group.max(initial=-1) + 1)
    return np.searchsorted(ends, group, side="right")


class Probes(NamedTuple):
    """Linear probes, one for each site and target; with classes, one for each of them.

    weights, bias: as they apply to features as they are. strength: of the penalty that
    was chosen for each.
    """

    weights: Float[np.ndarray, "sites width targets *classes"]
    bias: Float[np.ndarray, "sites targets *classes"]
    strength: Float[np.ndarray, "sites targets"]

    def scores(
        self, features: Float[np.ndarray, "sites things width"]
    ) -> Float[np.ndarray, "sites things targets *classes"]:
        """The log-odds of each thing for each target; of classes, up to a constant."""
        return np.stack(
            [
                np.tensordot(some, weights, 1) + bias
                for some, weights, bias in zip(
                    features, self.weights, self.bias, strict=True
                )
            ]
        )


def fit(
    features: Float[np.ndarray, "sites things width"],
    labels: Labels,
    part: Integer[np.ndarray, "things"],
    classes: int | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> Probes:
    """A logistic or ridge regression for each site and target, with an L2 penalty.

    classes: how many there are, if labels are classes (softmax) and not 0 or 1.
    strengths: of the penalty; that with the least loss on `CHOOSE` is taken, for each
    site and target by itself.

    Raises MazelibError for labels that are none, features that are not finite, or parts
    without things to fit or to choose by.
    """
    check(features, labels, part, classes)
    found = [fit_site(some, labels, part, classes, strengths) for some in features]
    weights, bias, strength = (np.stack(each) for each in zip(*found, strict=True))
    return Probes(weights, bias, strength)


def check(features, labels, part, classes) -> None:
    """Raise MazelibError for what `fit` cannot take."""
    if not len(features[0]) == len(labels) == len(part):
        raise MazelibError(
            f"{len(features[0])} things have features, {len(labels)} labels and "
            f"{len(part)} a part: give each of them all three"
        )
    for name, values in (("feature", features), ("label", labels)):
        if not np.isfinite(values).all():
            raise MazelibError(f"a {name} is not finite: leave such things out")
    top = (classes or 2) - 1
    is_class = labels.dtype.kind != "f"
    if is_class and (labels.min() < NOT_ASKED or labels.max() > top):
        raise MazelibError(
            f"labels go from {labels.min()} to {labels.max()}: give 0 to {top}, and "
            f"{NOT_ASKED} where a thing is not asked"
        )
    for number, name in ((FIT, "fit"), (CHOOSE, "choose by")):
        if not (part == number).any():
            raise MazelibError(f"there is nothing to {name}: give more mazes")


def fit_site(
    features: Float[np.ndarray, "things width"],
    labels: Labels,
    part: Integer[np.ndarray, "things"],
    classes: int | None,
    strengths: Sequence[float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weights, biases and strengths of one site's probes; see `Probes`."""
    fitted = torch.from_numpy(np.asarray(features[part == FIT], np.float32))
    mean, scale = standard_of(fitted)
    axes = (fitted - mean) / scale
    size, turn = torch.linalg.eigh(axes.T @ axes)
    known = as_known(labels)
    penalty = torch.tensor(strengths)
    given = (axes @ turn, size.clamp(min=0), known[part == FIT])
    if known.is_floating_point():
        found = solved(*given, penalty)
    else:
        found = descend(*given, classes, penalty)
    weights = torch.einsum("dc,c...->d...", turn, found[:-1]) / scale.view(
        -1, *[1] * (found.ndim - 1)
    )
    bias = found[-1] - torch.einsum("d,d...->...", mean, weights)
    chosen = torch.from_numpy(np.asarray(features[part == CHOOSE], np.float32))
    said = torch.einsum("nd,d...->n...", chosen, weights) + bias
    best = loss_of(said, known[part == CHOOSE]).argmin(-1)  # of each target
    weights, bias = (taken(each, best) for each in (weights, bias))
    if classes is None:
        weights, bias = weights[..., 0], bias[..., 0]
    return weights.numpy(), bias.numpy(), penalty[best].numpy()


def standard_of(
    features: Float[Tensor, "things width"],
) -> tuple[Float[Tensor, "width"], Float[Tensor, "width"]]:
    """Mean and scale of each feature; one that is constant has a scale of infinity."""
    mean, scale = features.mean(0), features.std(0, correction=0)
    return mean, torch.where(scale > 1e-6 * (1 + mean.abs()), scale, torch.inf)


def as_known(labels: Labels) -> Tensor:
    """Labels as a tensor: of integers, or of floats if they are numbers to be told."""
    found = torch.from_numpy(labels)
    return found.float() if found.is_floating_point() else found.long()


def taken(
    values: Float[Tensor, "*some targets classes strengths"],
    best: Integer[Tensor, "targets"],
) -> Float[Tensor, "*some targets classes"]:
    """Those of the strength that is best for each target."""
    at = best[:, None, None].expand(*values.shape[:-1], 1)
    return values.gather(-1, at)[..., 0]


def solved(
    axes: Float[Tensor, "things width"],
    size: Float[Tensor, "width"],
    values: Float[Tensor, "things targets"],
    strengths: Float[Tensor, "strengths"],
) -> Float[Tensor, "width_and_1 targets 1 strengths"]:
    """The weights with the least squared error and penalty; see `descend`."""
    mean = values.mean(0)
    both = axes.T @ (values - mean)
    weights = both[..., None] / (size[:, None] + strengths).clamp(min=1e-6)[:, None]
    bias = mean[None, :, None].expand(1, -1, len(strengths))
    return torch.cat([weights, bias])[:, :, None]


def descend(
    axes: Float[Tensor, "things width"],
    size: Float[Tensor, "width"],
    labels: Integer[Tensor, "things targets"],
    classes: int | None,
    strengths: Float[Tensor, "strengths"],
) -> Float[Tensor, "width_and_1 targets classes strengths"]:
    """The weights with the least penalized loss, the bias last, which has no penalty.

    axes: features whose products with one another are nought, `size` with themselves.
    classes: one, for probes that say yes or no.
    """
    count, targets = labels.shape
    axes = torch.cat([axes, torch.ones(count, 1)], 1)
    size = torch.cat([size, torch.tensor([float(count)])])
    free = torch.cat([torch.ones(len(size) - 1), torch.zeros(1)])
    penalty = free[:, None] * strengths
    bound = (size[:, None] / (2 if classes else 4) + penalty)[:, None, None]
    shape = (len(size), targets, classes or 1, len(strengths))
    last = ahead = torch.zeros(shape)
    momentum = torch.ones(targets, 1, len(strengths))
    for _ in range(ROUNDS):
        off = excess(
            (axes @ ahead.reshape(len(size), -1)).view(count, *shape[1:]), labels
        )
        slope = (axes.T @ off.reshape(count, -1)).view(shape)
        slope += penalty[:, None, None] * ahead
        new = ahead - slope / bound
        moved = new - last
        overshot = (slope * moved).sum((0, 2), keepdim=True)[0] > 0
        momentum = torch.where(overshot, 1.0, momentum)
        later = (1 + (1 + 4 * momentum**2).sqrt()) / 2
        ahead = new + torch.where(overshot, 0.0, (momentum - 1) / later) * moved
        last, momentum = new, later
        if float((slope**2 / bound).sum((0, 2)).max()) <= CLOSE * count:
            break
    return last


def excess(
    said: Float[Tensor, "things targets classes strengths"],
    labels: Integer[Tensor, "things targets"],
) -> Float[Tensor, "things targets classes strengths"]:
    """What is said of each class too much: its chance less 1 where it is true."""
    asked, true = told(labels, said.shape[2])
    chance = said.sigmoid() if said.shape[2] == 1 else said.softmax(2)
    return (chance - true[..., None]) * asked[..., None, None]


def told(labels: Integer[Tensor, "things targets"], classes: int):
    """Which things are asked about a target, and which are of each class."""
    asked = labels != NOT_ASKED
    if classes == 1:
        return asked.float(), (labels == 1).float()[..., None]
    return asked.float(), (labels[..., None] == torch.arange(classes)).float()


def loss_of(
    said: Float[Tensor, "things targets classes strengths"], labels: Tensor
) -> Float[Tensor, "targets strengths"]:
    """The mean loss of each probe: of numbers squared, else as `log_loss`."""
    if labels.is_floating_point():
        return (said[:, :, 0] - labels[..., None]).square().mean(0)
    return log_loss(said, labels)


def log_loss(
    said: Float[Tensor, "things targets classes strengths"],
    labels: Integer[Tensor, "things targets"],
) -> Float[Tensor, "targets strengths"]:
    """The mean log loss of each probe over the things that it is asked about."""
    asked, true = told(labels, said.shape[2])
    if said.shape[2] == 1:
        loss = (torch.nn.functional.softplus(said) - true[..., None] * said)[:, :, 0]
    else:
        loss = -(said.log_softmax(2) * true[..., None]).sum(2)
    total = (loss * asked[..., None]).sum(0)
    return total / asked.sum(0).clamp(min=1)[:, None]
