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
its own variation. `this maze's`: `exact` where the difference is no mean, but that in
this very maze, of a run with the new target, at the same tokens. `and the path`:
`exact`, with its `random`, when each token of the path is moved, too, from the mean of
such tokens with the old target to that with the new one. Both were added when the
first numbers were there; the registered one is without them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int

from experiments.families import (
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
    write_table,
)
from mazelib.behaviour import metrics
from mazelib.behaviour.evaluation import answered_cells, predicted_paths, prompts
from mazelib.dataset.stream import MazeSet
from mazelib.internals.lens import open_lens
from mazelib.internals.plans import path_steps
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import roles_of
from mazelib.internals.streams import at_role, at_steps, streams_at
from mazelib.interventions import Change, steered_rollout
from mazelib.interventions.pairs import with_targets
from mazelib.interventions.steering import STEPS, class_means
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
PATH = "path"
WITH_PATH = ("target", "target_end", PATH)
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
        steps = path_steps(mazes, "corridor")
        wheres = {role: at_role(role) for role in ROLES} | {PATH: at_steps(steps)}
        found = streams_at(open_lens(trained), mazes, wheres)
        target, cells = mazes.target[:, 0].astype(int), mazes.n**2
        targets = dict.fromkeys(ROLES, target) | {PATH: target[steps.maze]}
        self.of = {
            role: class_means(x, targets[role], cells) for role, x in found.items()
        }
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
        column: Int[np.ndarray, "mazes"] | str,
    ) -> Change:
        """The change at one token, or at `STEPS`, that moves each question's target."""
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


class Own(Means):
    """The streams of each question itself, with its old target and its new one."""

    def __init__(self, trained: TrainedModel, mazes: MazeSet, other: MazeSet):
        lens, wheres = open_lens(trained), {role: at_role(role) for role in ROLES}
        old, new = (streams_at(lens, some, wheres) for some in (mazes, other))
        self.moves = {role: new[role] - old[role] for role in ROLES}

    def change(self, role, layer, way, old, new, column) -> Change:
        """The change at one token; its way, and the targets, are those of each."""
        return Change(layer, tensor(self.moves[role][layer]), where=column)


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
            column = STEPS if role == PATH else getattr(self.roles, role)
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


def scan(asked: Question, means: Means) -> dict[tuple, float]:
    """The share of answers that lead to the new targets, by layer, tokens and way."""
    tried = [(roles, way) for roles in TOKENS for way in WAYS]
    return {
        (layer, roles, way): asked.exact(
            asked.answers(list(asked.changes(means, layer, roles, way)))
        ).mean()
        for layer in range(len(means.spread["target"]))
        for roles, way in (*tried, (WITH_PATH, "added"))
    }


def far(hits: np.ndarray, apart: np.ndarray) -> dict[str, list]:
    """How many targets are so far apart, and the share that is led to."""
    found = {}
    for low, high in DISTANCES:
        here = (apart >= low) & (apart <= high)
        if here.any():
            found[f"{low} to {high}"] = [int(here.sum()), rounded(hits[here].mean())]
    return found


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    trained = zoo.load(name)
    means = Means(trained, others[CHOOSE * 2 :])
    by = scan(Question(trained, others[: CHOOSE * 2], CHOOSE), means)
    after = {k: share for k, share in by.items() if k[0] == AFTER and k[1] in TOKENS}
    _, roles, way = max(after, key=after.get)
    asked = Question(trained, mazes, COUNT)
    group = groups_of(asked.mazes)
    changes = list(asked.changes(means, AFTER, roles, way))
    answers = asked.answers(changes)
    hits = asked.exact(answers)
    further = list(asked.changes(means, AFTER, WITH_PATH, "added"))
    own = asked.changes(Own(trained, asked.mazes, asked.other), AFTER, roles, way)
    by_chance, of_own, with_path, path_by_chance = (
        asked.exact(asked.answers(list(some)))
        for some in (at_random(changes), own, further, at_random(further))
    )
    ceiling = predicted_paths(trained.model, trained.tokenizer, asked.other)
    lengths = [means.length(role, AFTER, asked.old, asked.new) for role in roles]
    return {
        "model": name,
        "n": len(hits),
        "mazes": len(np.unique(group)),
        "tokens": list(roles),
        "way": way,
        "exact": mean_over(hits, group),
        "random": rounded(by_chance.mean()),
        "prompt": rounded(asked.exact(ceiling).mean()),
        "this maze's": mean_over(of_own, group),
        "and the path": {
            "exact": mean_over(with_path, group),
            "random": rounded(path_by_chance.mean()),
        },
        "length": rounded(lengths),
        "far": far(hits, asked.apart),
        "breaks": {k: rounded(v) for k, v in breaks(asked, answers).items()},
        "by": [
            {"layer": layer, "tokens": list(at), "way": how, "exact": rounded(share)}
            for (layer, at, how), share in by.items()
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Move the goal of all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, 2 * COUNT)
        others = without(mazes_of(family, FITTED, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
