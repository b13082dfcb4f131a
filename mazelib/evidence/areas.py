"""Areas under ROC curves of things that are drawn many times over, compiled.

In: scores in ascending order, which of them are positive, the group of each, and how
often each group is drawn, [groups, draws]. Out: one area a draw; NaN where there are no
positives or no negatives. `mazelib.evidence.classification.auroc_draws` is for use.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def areas(scores, positive, group, times):
    """The area under the curve in each draw, of scores in ascending order."""
    draws = times.shape[1]
    area, below, above = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    tied_low, tied_high = np.zeros(draws), np.zeros(draws)
    for at in range(len(scores)):
        row = times[group[at]]
        for d in range(draws):
            if positive[at]:
                tied_high[d] += row[d]
            else:
                tied_low[d] += row[d]
        if at + 1 == len(scores) or scores[at + 1] > scores[at]:
            for d in range(draws):
                area[d] += tied_high[d] * (below[d] + 0.5 * tied_low[d])
                below[d] += tied_low[d]
                above[d] += tied_high[d]
                tied_low[d] = 0.0
                tied_high[d] = 0.0
    for d in range(draws):
        pairs = below[d] * above[d]
        area[d] = area[d] / pairs if pairs > 0 else np.nan
    return area
