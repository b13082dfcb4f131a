"""How far a model sees: where its choices at forks fall to those of a guess.

table = fork_table(mazes, chosen).query("misleading")
horizon(table["right"], guess, table["lookahead"])       # in steps
agreement(table["right"], chances)     # of a solver that sees so far with the model
"""

import numpy as np
from jaxtyping import Bool, Float, Int

MARGIN = 0.05
"""How much more often than a guess is right what still sees something."""
WINDOW = 3
"""Numbers of steps taken together."""
FORKS = 30
"""Forks that a share needs to be told from chance."""


def horizon(
    right: Bool[np.ndarray, "forks"],
    guess: Float[np.ndarray, "forks"],
    lookahead: Int[np.ndarray, "forks"],
) -> int:
    """The least k at which a model does no better than a guess, in steps.

    That is: at forks that take k to k + 2 steps of lookahead it is right no more than
    `MARGIN` oftener than a guess. Where there is no such k that `FORKS` forks reach, it
    is one more than the last of these. A solver that sees so many steps and no further
    has a horizon of as many, or of one more.

    right: was the choice at each fork right? guess: the chance that a random legal
    choice is. lookahead: see `mazelib.behaviour.forks.forks_of`.
    """
    gain, k = right - guess, 1
    while (here := (lookahead >= k) & (lookahead < k + WINDOW)).sum() >= FORKS:
        if gain[here].mean() <= MARGIN:
            return k
        k += 1
    return k


def agreement(
    right: Bool[np.ndarray, "forks"], chances: Float[np.ndarray, "forks"]
) -> float:
    """How often a solver chooses as a model does, at forks with two ways on.

    The mean of two shares, so that neither outweighs the other: where the model is
    right, and where it is wrong. 0.5 is what any guess has. Of a model that is never
    wrong, or never right, it is the one share that there is.

    right: was the model's choice right? chances: that the solver's is.
    """
    parts = [part for part in (chances[right], 1 - chances[~right]) if len(part)]
    return float(np.mean([part.mean() for part in parts]))
