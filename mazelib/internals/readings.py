"""How well something can be read off a model, beside all that could read it without.

    asked = Asked.of(mazes, steps.maze, future(mazes, steps))
    own = reading(asked, streams)                 # a probe a layer, the best one chosen
    controls = input_controls(asked, mazes, steps)
    controls |= model_controls(asked, streams, untrained_streams)
    selectivity(own, controls)                    # own less the best of them

A reading is one number for each draw of the mazes (`MEASURES`). All readings of a
question have the same draws, so their differences have intervals, too.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Integer

from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.evidence.classification import (
    accuracy,
    auroc_draws,
    confusions,
    draws_of,
    macro_f1,
    mean_over,
    r_squared_draws,
)
from mazelib.internals.hidden_probes import fit_hidden
from mazelib.internals.plans import PathSteps, passage_features, question_features
from mazelib.internals.probes import (
    CHOOSE,
    FIT,
    SCORE,
    Labels,
    Probes,
    fit,
    groups_of,
    parts_of,
)

FEWEST = 10
"""Of the positives and of the negatives of a target, in the parts that are fitted and
scored; a target with fewer is left out."""
DRAWS = 500
MEASURES = ("AUROC", "macro-F1", "accuracy", "R²")
"""Of yes and no, the mean over targets of the AUROC; of classes, the macro-F1 or the
accuracy of all targets together; of numbers, the mean over targets of R²."""


class Asked(NamedTuple):
    """A question: labels, and of each thing the maze and the part.

    group: which maze, up to symmetry, so that equal ones are drawn together. targets:
    which of those that were given are asked about. classes: how many, if labels are
    classes. measure: one of `MEASURES`.
    """

    labels: Labels
    group: Int[np.ndarray, "things"]
    part: Integer[np.ndarray, "things"]
    targets: Int[np.ndarray, "targets"]
    classes: int | None = None
    measure: str = "AUROC"

    @classmethod
    def of(
        cls,
        mazes: MazeSet,
        maze: Int[np.ndarray, "things"],
        labels: Labels,
        classes: int | None = None,
        measure: str = "AUROC",
    ) -> "Asked":
        """The question, without targets that are hardly ever, or hardly ever not, so.

        maze: of each thing, by number; mazes are split as `parts_of` says. Where labels
        are classes or numbers all targets stay. Raises MazelibError if no target is
        left, or the measure is not one of such labels.
        """
        kind = "number" if labels.dtype.kind == "f" else "class" if classes else "yes"
        fitting = {"yes": MEASURES[:1], "class": MEASURES[1:3], "number": MEASURES[3:]}
        if measure not in fitting[kind]:
            raise MazelibError(
                f"labels are of kind {kind}, which {measure} does not measure: take "
                f"{' or '.join(fitting[kind])}"
            )
        part, targets = parts_of(mazes)[maze], np.arange(labels.shape[1])
        if kind == "yes":
            counts = [
                [(labels[part == number] == value).sum(0) for value in (0, 1)]
                for number in (FIT, SCORE)
            ]
            targets = np.flatnonzero(np.min(counts, (0, 1)) >= FEWEST)
        if not len(targets):
            raise MazelibError(
                f"no target is so, and is not so, {FEWEST} times among what is fitted "
                "and what is scored: give more mazes"
            )
        group = groups_of(mazes)[maze]
        return cls(labels[:, targets], group, part, targets, classes, measure)

    def shuffled(self, rng: np.random.Generator) -> "Asked":
        """The same with each thing's labels given to another of its part."""
        order = np.arange(len(self.labels))
        for number in (FIT, CHOOSE, SCORE):
            those = np.flatnonzero(self.part == number)
            order[those] = rng.permutation(those)
        return self._replace(labels=self.labels[order])

    def measured(
        self, scores: np.ndarray, part: int, draws: int | None = None
    ) -> np.ndarray:
        """How well scores answer in a part: once, or in each draw of its mazes."""
        rows = self.part == part
        _, group = np.unique(self.group[rows], return_inverse=True)
        scores, labels = scores[rows], self.labels[rows]
        times = draws_of(group, draws) if draws else np.ones((1, group.max() + 1), int)
        if self.measure == "R²":
            return mean_over(r_squared_draws(scores, labels, group, times))
        if self.measure == "AUROC":
            return mean_over(auroc_draws(scores, labels, group, times))
        counts = confusions(scores.argmax(-1), labels, group, self.classes)
        drawn = np.tensordot(times, counts, 1)
        return macro_f1(drawn) if self.measure == "macro-F1" else accuracy(drawn)


class Reading(NamedTuple):
    """How well a question is answered, by probes at each site.

    by_site: each site's number on what is scored. best: the site that is best on what
    is chosen by. by_draw: each site's number in each draw of the mazes. probes: None of
    those that are not linear.
    """

    by_site: Float[np.ndarray, "sites"]
    best: int
    by_draw: Float[np.ndarray, "sites draws"]
    probes: Probes | None

    @property
    def drawn(self) -> Float[np.ndarray, "draws"]:
        """The best site's number in each draw of the mazes."""
        return self.by_draw[self.best]

    @property
    def value(self) -> float:
        """The number of the best site."""
        return float(self.by_site[self.best])

    @property
    def interval(self) -> tuple[float, float]:
        """Its interval of 95%, over mazes."""
        return interval_of(self.drawn)


def interval_of(drawn: Float[np.ndarray, "draws"]) -> tuple[float, float]:
    """The percentile interval of 95% of what was drawn, where it is a number."""
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def reading(asked: Asked, features: Float[np.ndarray, "sites things width"]) -> Reading:
    """What linear probes read off features, at each site."""
    probes = fit(features, asked.labels, asked.part, asked.classes)
    return read_by(asked, probes.scores(features), probes)


def read_by(
    asked: Asked, scores: Float[np.ndarray, "sites ..."], probes: Probes | None = None
) -> Reading:
    """A reading of what probes say at each site."""
    chosen = [asked.measured(some, CHOOSE)[0] for some in scores]
    by_site = np.array([asked.measured(some, SCORE)[0] for some in scores])
    by_draw = np.stack([asked.measured(some, SCORE, DRAWS) for some in scores])
    return Reading(by_site, int(np.argmax(chosen)), by_draw, probes)


def hidden_reading(
    asked: Asked, features: Float[np.ndarray, "things width"], **options
) -> Reading:
    """What a probe with a hidden layer reads off features at one site.

    options: those of `mazelib.internals.hidden_probes.fit_hidden`.
    """
    probe = fit_hidden(features, asked.labels, asked.part, asked.classes, **options)
    return read_by(asked, probe.scores(features)[None])


def input_controls(
    asked: Asked, mazes: MazeSet, steps: PathSteps
) -> dict[str, Reading]:
    """What probes read off the input alone: the same for all models of these mazes.

    "question": origin, target and present cell. "passages": those and every passage of
    the maze, the whole input but for the order of the list; "passages, hidden": the
    same with a hidden layer.
    """
    passages = passage_features(mazes, steps)
    return {
        "question": reading(asked, question_features(mazes, steps)[None]),
        "passages": reading(asked, passages[None]),
        "passages, hidden": hidden_reading(asked, passages),
    }


def model_controls(
    asked: Asked,
    features: Float[np.ndarray, "sites things width"],
    untrained: Float[np.ndarray, "sites things width"],
    seed: int = 0,
) -> dict[str, Reading]:
    """What the same probes read where nothing was learned.

    "untrained": off a network with random weights, at its own best layer. "shuffled":
    off the model, each thing with another's labels. "random": off numbers drawn by
    chance, as many as the stream is wide.
    """
    rng = np.random.default_rng(seed)
    chance = rng.normal(size=(1, *features.shape[1:])).astype(np.float32)
    return {
        "untrained": reading(asked, untrained),
        "shuffled": reading(asked.shuffled(rng), features),
        "random": reading(asked, chance),
    }


def selectivity(
    own: Reading, controls: Mapping[str, Reading]
) -> tuple[float, tuple[float, float], str]:
    """A reading less that of the best control; its interval over mazes; which it is."""
    best = max(controls, key=lambda name: controls[name].value)
    gap = own.drawn - controls[best].drawn
    return own.value - controls[best].value, interval_of(gap), best
