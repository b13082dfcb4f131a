"""Intervals for what is measured."""

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

Numbers = Float[np.ndarray, "n"] | Int[np.ndarray, "n"]


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a rate (Wilson 1927); (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    test = stats.binomtest(int(successes), int(n))
    interval = test.proportion_ci(confidence, "wilson")
    return float(interval.low), float(interval.high)


def bootstrap_mean(
    values: Numbers, seed: int = 0, resamples: int = 2000, confidence: float = 0.95
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
