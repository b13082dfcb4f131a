"""How well scores tell things of a class from others, with intervals over groups.

    auroc(scores, labels)                     # one number a column
    draws = draws_of(maze, 500)               # the mazes drawn anew, 500 times
    again = auroc_draws(scores, labels, maze, draws).mean(1)
    np.quantile(again, [0.025, 0.975])        # of the mean over columns

Scores and labels are tables, [things, targets], a column a target, such as a cell of
the maze; -1 in the labels stands where a thing is not asked about a target. Things come
in groups, such as the forks of one maze: whole groups are drawn.
"""

import numpy as np
from jaxtyping import Float, Int, Integer

from mazelib.errors import MazelibError
from mazelib.evidence.areas import areas

NOT_ASKED = -1
Scores = Float[np.ndarray, "things targets"]
Labels = Integer[np.ndarray, "things targets"]
Groups = Integer[np.ndarray, "things"]


def draws_of(
    groups: Groups, draws: int, seed: int = 0
) -> Int[np.ndarray, "draws groups"]:
    """How often each group, 0 to the largest, is drawn: a bootstrap of whole groups.

    A group without things counts as one, but adds nothing.
    """
    count = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), draws)


def auroc(scores: Scores, labels: Labels) -> Float[np.ndarray, "targets"]:
    """The area under the ROC curve of each column: how often a positive scores higher.

    That is, than a negative, of all pairs of them; ties count half (Hanley and McNeil
    1982). NaN for a column whose labels are all the same.
    """
    each = np.arange(len(scores))
    return auroc_draws(scores, labels, each, np.ones((1, len(scores)), int))[0]


def auroc_draws(
    scores: Scores,
    labels: Labels,
    groups: Groups,
    draws: Integer[np.ndarray, "draws groups"],
) -> Float[np.ndarray, "draws targets"]:
    """`auroc` of each column in each draw of the groups; see `draws_of`.

    Raises MazelibError if the tables differ in shape or a score is NaN.
    """
    check(scores, labels)
    found = np.empty((len(draws), scores.shape[1]))
    times = np.ascontiguousarray(draws.T, np.float64)
    for column in range(scores.shape[1]):
        asked = np.flatnonzero(labels[:, column] != NOT_ASKED)
        order = asked[np.argsort(scores[asked, column], kind="stable")]
        found[:, column] = areas(
            np.ascontiguousarray(scores[order, column], np.float64),
            labels[order, column] == 1,
            np.ascontiguousarray(groups[order], np.int64),
            times,
        )
    return found


def check(scores: np.ndarray, labels: np.ndarray) -> None:
    """Raise MazelibError if scores cannot be compared with labels."""
    if scores.shape != labels.shape:
        raise MazelibError(
            f"scores are {scores.shape} and labels {labels.shape}: give one of each "
            "for each thing and target"
        )
    if np.isnan(scores).any():
        raise MazelibError("a score is NaN: leave such things out")


def mean_over(columns: Float[np.ndarray, "*draws targets"]) -> np.ndarray | float:
    """The mean over the columns that have a number, NaN where none has."""
    known = ~np.isnan(columns)
    count = known.sum(-1)
    total = np.where(known, columns, 0).sum(-1)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def balanced_accuracy(
    scores: Scores, labels: Labels, thresholds: Float[np.ndarray, "targets"]
) -> Float[np.ndarray, "targets"]:
    """The mean of the shares of positives and of negatives that are told as such.

    thresholds: what a column's score has to reach to be told positive. NaN for a column
    whose labels are all the same.
    """
    check(scores, labels)
    told = scores >= thresholds
    shares = []
    for value, hit in ((1, told), (0, ~told)):
        those = labels == value
        count = those.sum(0)
        share = np.full(count.shape, np.nan)
        shares.append(
            np.divide((hit & those).sum(0), count, out=share, where=count > 0)
        )
    return np.mean(shares, 0)


def confusions(
    told: Labels, labels: Labels, groups: Groups, classes: int
) -> Int[np.ndarray, "groups classes classes"]:
    """For each group, how often each class (a row) was told to be each (a column)."""
    asked = np.nonzero(labels != NOT_ASKED)
    count = int(groups.max()) + 1
    place = groups[asked[0]] * classes + labels[asked]
    place = place * classes + told[asked]
    flat = np.bincount(place, minlength=count * classes**2)
    return flat.reshape(count, classes, classes)


def accuracy(
    confusion: Integer[np.ndarray, "draws classes classes"],
) -> Float[np.ndarray, "draws"]:
    """The share of things that are told what they are; `confusion` as in `macro_f1`."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).sum(-1)
    return right / confusion.sum((-2, -1))


def macro_f1(
    confusion: Integer[np.ndarray, "draws classes classes"],
) -> Float[np.ndarray, "draws"]:
    """The mean over classes of F1, 2 TP / (2 TP + FP + FN).

    confusion: how often each class (a row) was told to be each (a column). A class that
    neither is there nor is told counts 0, as in scikit-learn.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(-1) + confusion.sum(-2)
    share = np.zeros(total.shape)
    return np.divide(2 * right, total, out=share, where=total > 0).mean(-1)


def r_squared_draws(
    told: Scores,
    values: Float[np.ndarray, "things targets"],
    groups: Groups,
    draws: Integer[np.ndarray, "draws groups"],
) -> Float[np.ndarray, "draws targets"]:
    """The share of each column's variance that is told, in each draw of the groups.

    1 less the squared error over that of telling the draw's own mean; see `draws_of`.
    """
    check(told, values)
    parts = (np.ones(values.shape), values, values**2, (told - values) ** 2)
    shape = (int(groups.max()) + 1, values.shape[1])
    sums = np.zeros((len(parts), *shape))
    for total, part in zip(sums, parts, strict=True):
        np.add.at(total, groups, part)
    drawn = np.tensordot(draws, sums, (1, 1))
    count, total, square, error = np.moveaxis(drawn, 1, 0)
    spread = square - total**2 / count
    share = np.divide(
        error, spread, out=np.full(spread.shape, np.nan), where=spread > 0
    )
    return 1 - share


def calibration_error(chances: Scores, labels: Labels, bins: int = 10) -> float:
    """The expected calibration error: how far chances are from what comes true.

    Chances of all columns are sorted into bins of equal width; the mean over bins,
    weighted by how many fall in, of the gap between the mean chance and the share that
    is positive (Naeini et al. 2015).
    """
    check(chances, labels)
    asked = labels != NOT_ASKED
    chance, is_true = chances[asked], labels[asked] == 1
    at = np.minimum((chance * bins).astype(int), bins - 1)
    gap = np.bincount(at, chance - is_true, bins)
    return float(np.abs(gap).sum() / len(chance))
