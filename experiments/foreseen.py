"""Can an error be read off a model before it is made?

    python -m experiments.foreseen          # writes data/results/foreseen.json
    python -m experiments.foreseen dfs10    # this model again, the others as they are

One row a model. Probes that read which cells are on the path are fitted at the token
before each fork, on a fifth of the mazes. On others: do they, read there, prefer the
wrong way where the model will take it (by layer)? The same at the fork, and some tokens
earlier (`before`), and with the best probe of the input in the model's place. And what
they add to the model's own doubt at the fork (`ensemble`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from experiments.families import (
    by_family,
    keep,
    lens_of,
    mazes_of,
    networks,
    rounded,
)
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.classification import auroc_draws, draws_of
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import Lens
from mazelib.internals.logit_lens import read_out
from mazelib.internals.plans import (
    START,
    PathSteps,
    future,
    passage_features,
)
from mazelib.internals.probes import CHOOSE, SCORE, fit, groups_of, parts_of
from mazelib.internals.readings import DRAWS, interval_of
from mazelib.internals.streams import at_steps, streams_at
from mazelib.internals.ways import Forks
from mazelib.models import zoo

TABLE = "foreseen.json"
COUNTS = {"dfs5": 10_000, "dfs6-learned": 10_000, "dfs10": 4000}
SHARES = (0.2, 0.4, 0.4)
"""Of the mazes of a family those to fit, to choose the layer by, and to score."""
BEFORE = (0, 1, 2, 3, 4)
"""Tokens before the fork, at which is read; 0 is the fork's own."""


class Ground(NamedTuple):
    """The mazes of a family, and the forks of their paths.

    part, group: of each maze; groups are of mazes that are equal up to symmetry.
    """

    mazes: MazeSet
    part: np.ndarray
    group: np.ndarray
    forks: Forks

    @classmethod
    def of(cls, family: str) -> "Ground":
        """The same each time."""
        mazes = mazes_of(family, COUNTS[family])
        part, group = parts_of(mazes, SHARES), groups_of(mazes)
        return cls(mazes, part, group, Forks(mazes, zoo.load(family).tokenizer))

    def earlier(self, tokens: int) -> tuple[PathSteps, np.ndarray]:
        """The steps so many tokens before forks, and which forks have such."""
        step = self.forks.steps.step - tokens
        kept = step >= START
        return PathSteps(self.forks.maze[kept], step[kept]), kept


def preference(
    ground: Ground, kept: Bool[np.ndarray, "forks"], scores: np.ndarray
) -> np.ndarray:
    """The log-odds of the likeliest wrong way on, less those of the right one.

    scores: [layers, forks kept, cells].
    """
    ways, row = ground.forks.ways, np.cumsum(kept) - 1
    fork = ways["fork"].to_numpy()
    inside = kept[fork]
    cell, is_right = (ways[name].to_numpy()[inside] for name in ("cell", "right"))
    at = row[fork[inside]]
    each = scores[:, at, cell]
    worst = np.full(scores.shape[:2], -np.inf)
    for layer, values in zip(worst, each[:, ~is_right], strict=True):
        np.maximum.at(layer, at[~is_right], values)
    right = np.empty(scores.shape[:2])
    right[:, at[is_right]] = each[:, is_right]
    return worst - right


def told(
    ground: Ground,
    maze: Int[np.ndarray, "things"],
    is_wrong: Bool[np.ndarray, "things"],
    prefers: np.ndarray,
) -> dict[str, object]:
    """How well forks that are decided wrongly are told, by layer, and at the best."""
    areas = {}
    for part in (CHOOSE, SCORE):
        rows = ground.part[maze] == part
        _, group = np.unique(ground.group[maze[rows]], return_inverse=True)
        labels = np.repeat(is_wrong[rows, None], len(prefers), 1).astype(int)
        draws = np.vstack([np.ones((1, group.max() + 1), int), draws_of(group, DRAWS)])
        areas[part] = auroc_draws(prefers[:, rows].T, labels, group, draws)
    best = int(np.argmax(areas[CHOOSE][0]))
    drawn = areas[SCORE][:, best]
    return {
        "by layer": rounded(areas[SCORE][0]),
        "layer": best,
        "told": rounded([drawn[0], *interval_of(drawn[1:])]),
    }


def right_way(
    ground: Ground, maze: Int[np.ndarray, "things"], prefers: np.ndarray
) -> list[float]:
    """At which share of forks the right way is preferred, by the best layer."""
    is_right = prefers < 0
    chosen, scored = (ground.part[maze] == part for part in (CHOOSE, SCORE))
    hits = is_right[is_right[:, chosen].mean(1).argmax(), scored]
    ends = bootstrap_groups(ground.group[maze[scored]], lambda at: hits[at].mean())
    return rounded([hits.mean(), *ends])


def streams_before(lens: Lens, ground: Ground) -> dict[int, np.ndarray]:
    """The residual stream at the tokens before forks."""
    wheres = {k: at_steps(ground.earlier(k)[0]) for k in BEFORE}
    return streams_at(lens, ground.mazes, wheres)


def probed(ground: Ground, tokens: int, features: np.ndarray) -> np.ndarray:
    """What probes prefer that are fitted and read so many tokens before forks."""
    steps, kept = ground.earlier(tokens)
    labels = future(ground.mazes, steps, least=tokens + 1)
    probes = fit(features, labels, ground.part[steps.maze])
    return preference(ground, kept, probes.scores(features))


def ensemble(
    ground: Ground, is_wrong: np.ndarray, doubt: np.ndarray, prefers: np.ndarray
) -> dict[str, list[float]]:
    """How well errors are told by doubt, by the probes' doubt, and by both together.

    doubt: how unlikely what the model chooses is. The probes' own, at the best layer:
    how near the two likeliest ways are. Neither knows the right way.
    """
    maze, unsure = ground.forks.maze, -np.abs(prefers)
    columns = {"model": doubt[:, None], "probe": unsure[:, None]}
    columns["both"] = np.stack([doubt, unsure], 1)
    fitted = ground.part[maze] == CHOOSE
    found = {}
    for name, given in columns.items():
        own = LogisticRegression(C=1e6, max_iter=1000)
        own.fit(given[fitted], is_wrong[fitted])
        said = own.decision_function(given)[None]
        found[name] = told(ground, maze, is_wrong, said)["told"]
    return found


def row(name: str, ground: Ground, inputs: dict[int, np.ndarray]) -> dict:
    """All that is measured of one model."""
    lens, forks = lens_of(name), ground.forks
    streams = streams_before(lens, ground)
    logits = read_out(lens, streams[0][-1])
    chosen = logits.argmax(-1)
    is_wrong = chosen != forks.right
    chance = np.exp(logits - logits.max(-1, keepdims=True))
    doubt = 1 - 1 / chance.sum(-1)
    scored = ground.part[forks.maze] == SCORE
    counts = [int(scored.sum()), int(is_wrong[scored].sum())]
    found = {"model": name, "forks": counts, "before": {}}
    for tokens in tqdm(BEFORE, name, leave=False):
        steps, kept = ground.earlier(tokens)
        prefers = probed(ground, tokens, streams[tokens])
        by = {"": prefers, "input": inputs[tokens]}
        each = {
            of: told(ground, steps.maze, is_wrong[kept], some)
            | {"right": right_way(ground, steps.maze, some)}
            for of, some in by.items()
        }
        found["before"][tokens] = {**each[""], "input": each["input"]}
        if tokens == 0:
            best = prefers[found["before"][0]["layer"]]
            found["ensemble"] = ensemble(ground, is_wrong, doubt, best)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.foreseen", "n": COUNTS}
    for family, some in by_family(names, known):
        ground = Ground.of(family)
        inputs = {
            tokens: probed(
                ground,
                tokens,
                passage_features(ground.mazes, ground.earlier(tokens)[0])[None],
            )
            for tokens in tqdm(BEFORE, f"input, {family}")
        }
        for name in tqdm(some, family):
            keep(TABLE, row(name, ground, inputs), **about)


if __name__ == "__main__":
    main()
