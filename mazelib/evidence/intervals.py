"""Intervals of 95% around what was measured; what is left when other things are equal.

low, high = wilson(950, 1000)                          # a rate
low, high = bootstrap_mean(values)                     # any mean
low, high = student(of_three_seeds)                    # of a few values
low, high = bootstrap_groups(maze, lambda rows: right[rows].mean())
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer
from scipy import stats

Values = Float[np.ndarray, "n"] | Int[np.ndarray, "n"]


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a rate (Wilson 1927); (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    test = stats.binomtest(int(successes), int(n))
    interval = test.proportion_ci(confidence, "wilson")
    return float(interval.low), float(interval.high)


def newcombe(
    successes: int, n: int, others: int, m: int, confidence: float = 0.95
) -> tuple[float, float]:
    """The interval of the difference of two independent rates: successes / n less
    others / m.

    R. G. Newcombe, "Interval estimation for the difference between independent
    proportions" (1998), method 10: from the Wilson intervals of both.
    """
    p, q = successes / n, others / m
    return of_difference(
        p, wilson(successes, n, confidence), q, wilson(others, m, confidence)
    )


def of_difference(
    value: float,
    interval: Sequence[float],
    other: float,
    other_interval: Sequence[float],
) -> tuple[float, float]:
    """The interval of a value less another that is independent of it, from theirs.

    G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures:
    a general approach" (2008).
    """
    (low, high), (other_low, other_high) = interval, other_interval
    below = math.hypot(value - low, other_high - other)
    above = math.hypot(high - value, other - other_low)
    return value - other - below, value - other + above


def of_ratio(successes: int, n: int, others: int, m: int) -> tuple[float, float]:
    """The 95% interval of the ratio of two independent rates: successes / n over
    others / m.

    D. Katz and others, "Obtaining confidence intervals for the risk ratio in cohort
    studies" (1978).
    """
    interval = stats.contingency.relative_risk(successes, n, others, m)
    low, high = interval.confidence_interval(0.95)
    return float(low), float(high)


def student(values: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean (1908): for a few values, such as three seeds'.

    Values are taken to be normal; (-inf, inf) where there is one alone.
    """
    if len(values) < 2:
        return -math.inf, math.inf
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
    return float(interval.low), float(interval.high)


def prediction(values: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of one more such value, drawn as these were.

    Source: G. J. Hahn and W. Q. Meeker, "Statistical Intervals" (1991), 4.7. Values are
    taken to be normal; (-inf, inf) where there is one alone.
    """
    middle, wider = np.mean(values), math.sqrt(len(values) + 1)
    low, high = (middle + wider * (end - middle) for end in student(values, confidence))
    return float(low), float(high)


def bootstrap_mean(
    values: Values, seed: int = 0, resamples: int = 2000, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean (Efron 1979).

    Resamples whole values, so give one for each independent thing, such as a maze.
    """
    if np.ptp(values) == 0:  # scipy warns of a degenerate distribution
        return float(values[0]), float(values[0])
    result = stats.bootstrap(
        (np.asarray(values, float),),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    interval = result.confidence_interval
    return float(interval.low), float(interval.high)


def of_mean(values: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for what is right or wrong, else that of `bootstrap_mean`."""
    if set(values) <= {0.0, 1.0}:
        return wilson(int(np.sum(values)), len(values), confidence)
    return bootstrap_mean(values, confidence=confidence)


class Bins(NamedTuple):
    """Means in bins of another quantity, one an entry: where, mean, interval."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def in_bins(by: Values, values: Values, edges: Sequence[int | float]) -> Bins:
    """The mean of values in bins of another quantity, with intervals, for `plots.band`.

    edges: a bin goes from one up to the next, without it. A bin that nothing falls into
    is left out; x is the mean of what falls into one.
    """
    by, values = np.asarray(by, float), np.asarray(values, float)
    bins = [(by >= a) & (by < b) for a, b in pairwise(edges)]
    rows = [
        (by[at].mean(), values[at].mean(), *of_mean(values[at]))
        for at in bins
        if at.any()
    ]
    return Bins(*np.array(rows).T)


def bootstrap_groups(
    groups: Integer[np.ndarray, "rows"],
    statistic: Callable[[np.ndarray], float],
    seed: int = 0,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """The percentile bootstrap interval of a statistic of rows that come in groups.

    groups: the group of each row, such as the maze of each fork. statistic: takes row
    numbers. Whole groups are drawn: rows of one maze are not independent.
    """
    names, group = np.unique(groups, return_inverse=True)
    rng, found, rows = np.random.default_rng(seed), [], np.arange(len(group))
    for _ in range(resamples):
        drawn = rng.integers(len(names), size=len(names))
        times = np.bincount(drawn, minlength=len(names))
        found.append(statistic(np.repeat(rows, times[group])))
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def matched_difference(
    values: Values | Bool[np.ndarray, "n"],
    is_first: Bool[np.ndarray, "n"],
    strata: Int[np.ndarray, "n"],
) -> float:
    """The mean of the first group less that of the second, stratum by stratum.

    Each stratum's difference weighs n₁n₂ / (n₁ + n₂), so one that has rows of a single
    group counts for nothing: the Mantel–Haenszel risk difference (S. Greenland and
    J. M. Robins, "Estimation of a common effect parameter from sparse follow-up data",
    1985). strata: numbers from 0. NaN where no stratum has rows of both groups.
    """
    bins = int(strata.max(initial=0)) + 1
    first, second = (
        [np.bincount(strata[at], of, bins) for of in (None, values[at])]
        for at in (is_first, ~is_first)
    )
    (n, total), (m, other) = first, second
    both = (n > 0) & (m > 0)
    if not both.any():
        return math.nan
    weight = n[both] * m[both] / (n[both] + m[both])
    gap = total[both] / n[both] - other[both] / m[both]
    return float(np.average(gap, weights=weight))


def matched_ratio(
    values: Values | Bool[np.ndarray, "n"],
    is_first: Bool[np.ndarray, "n"],
    strata: Int[np.ndarray, "n"],
) -> float:
    """The rate of the first group over that of the second, stratum by stratum.

    The Mantel–Haenszel risk ratio (K. J. Rothman, "Modern Epidemiology", 1986, 12):
    each stratum counts for its rates by n₁n₂ / (n₁ + n₂). strata: numbers from 0. NaN
    where the second group's rate is 0, or no stratum has rows of both.
    """
    bins = int(strata.max(initial=0)) + 1
    (n, total), (m, other) = (
        [np.bincount(strata[at], of, bins) for of in (None, values[at])]
        for at in (is_first, ~is_first)
    )
    both = np.maximum(n + m, 1)
    below = (other * n / both).sum()
    return float((total * m / both).sum() / below) if below else math.nan


def shuffles_within(
    strata: Int[np.ndarray, "n"], values: np.ndarray, count: int, seed: int = 0
) -> Iterator[np.ndarray]:
    """The values, so many times, each time shuffled within each stratum: a null."""
    rng, order = np.random.default_rng(seed), np.argsort(strata, kind="stable")
    for _ in range(count):
        mixed = np.empty_like(values)
        mixed[order] = values[np.lexsort((rng.random(len(strata)), strata))]
        yield mixed


def partial_rank_correlation(
    x: Values, y: Values, given: Float[np.ndarray, "n others"]
) -> float:
    """Spearman's correlation of x and y with other things held equal.

    That of what is left of their ranks when the ranks of the others are taken out by
    least squares; 0 where nothing is left of one of them.
    """
    others = np.column_stack([np.ones(len(x)), stats.rankdata(given, axis=0)])
    ranks = np.column_stack([stats.rankdata(x), stats.rankdata(y)])
    left = ranks - others @ np.linalg.lstsq(others, ranks, rcond=None)[0]
    size = np.linalg.norm(left, axis=0)
    if (size <= 1e-9 * np.linalg.norm(ranks, axis=0)).any():
        return 0.0
    return float(left[:, 0] @ left[:, 1] / size.prod())


def as_text(value: float, interval: Sequence[float] = (), form: str = ".1%") -> str:
    """A number for prose, with its interval if there is one: "97.9% (97.4% to 98.3%)".

    form: a format specification for each of the three.
    """
    ends = " to ".join(format(end, form) for end in interval)
    return format(value, form) + f" ({ends})" * bool(ends)
