"""The goal moved: one change of the residual stream, and the path leads elsewhere.

    python -m experiments.retargeted          # writes data/results/retargeted.json
    python -m experiments.retargeted dfs5     # this model again, the others as they are

One row a model. A question's target is given another, three steps and more from it. At
some of the question's tokens the residual stream after a layer is moved from the mean
of questions with the old target to that of questions with the new one (`added`), or its
part in the space of these means is put in place of its own (`swapped`); means are of
other mazes. `exact`: the share of 1,000 questions whose greedy answer is then exactly
the path to the new target, with an interval over mazes, after the first layer, at the
tokens and in the way that do most on other mazes; `random`: the same along random
directions, as long; `prompt`: with the new target in the prompt. `by`: the share by
layer, tokens and way, on the other mazes; `far`: by how far apart the targets are;
`breaks`: what else becomes of the answers. `length`: how far the stream is moved, over
its own variation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from tqdm import tqdm

from experiments.families import (
    by_family,
    keep,
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
)
from mazelib.behaviour import metrics
from mazelib.behaviour.evaluation import answered_cells, predicted_paths, prompts
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import open_lens
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import roles_of
from mazelib.internals.streams import at_role, streams_at
from mazelib.interventions import Change, steered_rollout
from mazelib.interventions.pairs import with_targets
from mazelib.interventions.steering import class_means
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

TABLE = "retargeted.json"
ASKED = ("dfs5", "dfs6-learned")
COUNT, CHOOSE, FITTED, OTHERS = 1000, 150, 6000, 50_000
"""Questions to score, to choose on, to take means of, and where the latter's mazes
begin."""
APART = 3
ROLES = ("target", "target_end", "path_start")
TOKENS = (("target",), ("target_end",), ("target", "target_end"), ROLES)
WAYS = ("added", "swapped")
AFTER = 1
"""After how many layers the stream is moved, where one number is asked for."""
DISTANCES = ((3, 4), (5, 8), (9, 99))
"""How far apart two targets are, in steps."""
KEPT = 0.999
"""The share of the means' variance that the space they are swapped in has."""

Streams = dict[str, Float[np.ndarray, "layers tokens width"]]


def moved(mazes: MazeSet, rng: np.random.Generator) -> tuple[MazeSet, np.ndarray]:
    """The same questions with other targets, and how far each is from the old one.

    Questions that have no such cell keep their target, at a distance of 0.
    """
    targets, apart = [], []
    for sample in mazes:
        distance = sample.maze.distances(sample.target)
        fit = np.flatnonzero(
            (distance >= APART) & (np.arange(len(distance)) != sample.origin)
        )
        new = int(rng.choice(fit)) if len(fit) else sample.target
        targets.append(new)
        apart.append(int(distance[new]))
    return with_targets(mazes, np.array(targets)), np.array(apart)


class Means:
    """The mean streams of questions with each target, at some tokens, by layer."""

    def __init__(self, trained: TrainedModel, mazes: MazeSet):
        wheres = {role: at_role(role) for role in ROLES}
        found = streams_at(open_lens(trained), mazes, wheres)
        target, cells = mazes.target[:, 0].astype(int), mazes.n**2
        self.of = {role: class_means(x, target, cells) for role, x in found.items()}
        self.spread = {
            role: np.sqrt(x.var(1).sum(-1)) for role, x in found.items()
        }  # [layers + 1]

    def change(
        self,
        role: str,
        layer: int,
        way: str,
        old: Int[np.ndarray, "mazes"],
        new: Int[np.ndarray, "mazes"],
        column: Int[np.ndarray, "mazes"],
    ) -> Change:
        """The change at one token that moves each question's target."""
        means = self.of[role][layer]
        if way == "added":
            return Change(layer, tensor(means[new] - means[old]), where=column)
        basis = space(means)
        inside = means[new] @ basis @ basis.T
        return Change(layer, tensor(inside), tensor(basis), column)

    def length(self, role: str, layer: int, old: np.ndarray, new: np.ndarray) -> float:
        """How far a target's move goes, over the stream's own variation."""
        means = self.of[role][layer]
        far = np.linalg.norm(means[new] - means[old], axis=1).mean()
        return far / self.spread[role][layer]


def tensor(x: np.ndarray) -> torch.Tensor:
    """In the models' own type."""
    return torch.from_numpy(x).float()


def space(means: Float[np.ndarray, "cells width"]) -> Float[np.ndarray, "width rank"]:
    """An orthonormal basis of the space that the means lie in around their mean, and of
    that mean."""
    centre = means.mean(0)
    _, size, axes = np.linalg.svd(means - centre, full_matrices=False)
    count = int((np.cumsum(size**2) / (size**2).sum() < KEPT).sum()) + 1
    return np.linalg.qr(np.column_stack([axes[:count].T, centre]))[0]


class Question:
    """Questions of some mazes, their other targets, and what is answered."""

    def __init__(self, trained: TrainedModel, mazes: MazeSet, count: int):
        self.trained, rng = trained, np.random.default_rng(0)
        other, apart = moved(mazes, rng)
        kept = np.flatnonzero(apart >= APART)[:count]
        self.mazes, self.other, self.apart = mazes[kept], other[kept], apart[kept]
        self.prompts = prompts(self.mazes, trained.tokenizer)
        batch = self.mazes.encode(trained.tokenizer)
        self.roles = roles_of(batch, self.mazes, trained.tokenizer)
        self.old, self.new = (
            some.target[:, 0].astype(int) for some in (self.mazes, self.other)
        )

    def changes(
        self, means: Means, layer: int, roles: Sequence[str], way: str
    ) -> Iterator[Change]:
        """The changes at all tokens of some roles."""
        for role in roles:
            column = getattr(self.roles, role)
            yield means.change(role, layer, way, self.old, self.new, column)

    def answers(self, changes: Sequence[Change]) -> list[list[int]]:
        """The cells of each answer while the stream is changed."""
        found = steered_rollout(self.trained, self.prompts, changes)
        tokenizer, n = self.trained.tokenizer, self.mazes.n
        places = self.mazes.offset.tolist()
        return [
            answered_cells(answer, tokenizer, n, tuple(offset))
            for answer, offset in zip(found, places, strict=True)
        ]

    def exact(self, answers: list[list[int]]) -> np.ndarray:
        """Which answers are exactly the paths to the new targets."""
        pairs = zip(self.other, answers, strict=True)
        return np.array([metrics.is_exact(*pair) for pair in pairs])


def at_random(changes: Sequence[Change]) -> list[Change]:
    """Changes as long as those, in random directions."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for change in changes:
        drawn = torch.randn(change.add.shape, generator=generator)
        length = change.add.norm(dim=-1, keepdim=True)
        drawn *= length / drawn.norm(dim=-1, keepdim=True)
        found.append(replace(change, add=drawn))
    return found


def breaks(asked: Question, answers: list[list[int]]) -> dict[str, float]:
    """What becomes of the answers: shares of all."""
    pairs = list(zip(asked.mazes, asked.other, answers, strict=True))
    legal = [metrics.legal_steps(sample, answer) == 1 for sample, _, answer in pairs]
    return {
        "to the old target": float(
            np.mean([metrics.is_exact(s, a) for s, _, a in pairs])
        ),
        "reaches the new": float(
            np.mean([metrics.reached_target(o, a) for _, o, a in pairs])
        ),
        "legal": float(np.mean(legal)),
        "starts at the origin": float(
            np.mean([len(a) > 0 and a[0] == s.origin for s, _, a in pairs])
        ),
    }


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    trained = zoo.load(name)
    means = Means(trained, others[CHOOSE * 2 :])
    chosen = Question(trained, others[: CHOOSE * 2], CHOOSE)
    layers = len(means.spread["target"])
    by = {
        (layer, roles, way): chosen.exact(
            chosen.answers(list(chosen.changes(means, layer, roles, way)))
        ).mean()
        for layer in range(layers)
        for roles in TOKENS
        for way in WAYS
    }
    after = {key: share for key, share in by.items() if key[0] == AFTER}
    _, roles, way = max(after, key=after.get)
    asked = Question(trained, mazes, COUNT)
    changes = list(asked.changes(means, AFTER, roles, way))
    answers = asked.answers(changes)
    hits, group = asked.exact(answers), groups_of(asked.mazes)
    chance = asked.exact(asked.answers(at_random(changes)))
    ceiling = asked.exact(
        predicted_paths(trained.model, trained.tokenizer, asked.other)
    )
    return {
        "model": name,
        "n": len(hits),
        "mazes": len(np.unique(group)),
        "tokens": list(roles),
        "way": way,
        "exact": mean_over(hits, group),
        "random": rounded(chance.mean()),
        "prompt": rounded(ceiling.mean()),
        "length": rounded(
            [means.length(role, AFTER, asked.old, asked.new) for role in roles]
        ),
        "far": {
            f"{low} to {high}": [int(here.sum()), *rounded([hits[here].mean()])]
            for low, high in DISTANCES
            if (here := (asked.apart >= low) & (asked.apart <= high)).any()
        },
        "breaks": {k: rounded(v) for k, v in breaks(asked, answers).items()},
        "by": [
            {"layer": layer, "tokens": list(at), "way": how, "exact": rounded(share)}
            for (layer, at, how), share in by.items()
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Move the goal of all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False, families=ASKED)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.retargeted", "n": COUNT}
    for family, some in by_family(names, known):
        mazes = mazes_of(family, 2 * COUNT)
        others = without(mazes_of(family, FITTED, start=OTHERS), mazes)
        for name in tqdm(some, family):
            keep(TABLE, row(name, mazes, others), **about)


if __name__ == "__main__":
    main()
