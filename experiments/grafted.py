"""Another goal by few weights: do those that training has changed most carry it?

    python -m experiments.grafted          # writes data/results/grafted.json
    python -m experiments.grafted dfs5     # this model again, the others as they are

One row a model. A copy is trained on, a question a maze, to walk not to the target but
to the cell opposite it, across the grid's centre. Some of its weights, those that have
changed most, are then put into the model. `share`: at what share of 1,000 test mazes
the greedy answer is exactly the path to the opposite cell with 1% of the weights, over
that of the whole copy, with an interval over mazes; `chance`: with as many drawn by
chance. `by share`: the share of all 1,000 with fewer or more weights, and by chance.
`where`: how many of the 1% lie in which part of the network, over its own weights.
Questions whose opposite cell is the target itself, or the origin, are left out.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from tqdm import tqdm
from transformers import PreTrainedModel

from experiments.families import (
    mazes_of,
    mean_over,
    networks,
    rounded,
    write_table,
)
from mazelib.behaviour import metrics
from mazelib.behaviour.evaluation import predicted_paths
from mazelib.dataset.stream import Batch, MazeSet, MazeStream
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import roles_of
from mazelib.internals.ways import token_of
from mazelib.interventions.pairs import with_targets
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.tokenizer import Tokenizer
from mazelib.training.losses import loss_for

TABLE = "grafted.json"
ASKED = ("dfs5",)
COUNT = 1000
STEPS, BATCH, RATE, WARM, SEED = 1500, 64, 1e-3, 50, 30
"""The copy's training by AdamW, whose rate rises, then falls to nothing."""
SHARE = 0.01
SHARES = (0.0001, 0.001, 0.01, 0.03, 0.1, 0.3)


def asked(mazes: MazeSet) -> tuple[MazeSet, MazeSet]:
    """The questions that can be asked, and the same with the opposite targets."""
    target = mazes.target[:, 0].astype(int)
    opposite = mazes.n**2 - 1 - target
    kept = np.flatnonzero((opposite != target) & (opposite != mazes.origin[:, 0]))
    return mazes[kept], with_targets(mazes[kept], opposite[kept])


def batch_of(mazes: MazeSet, others: MazeSet, tokenizer: Tokenizer) -> Batch:
    """Prompts that name the targets of `mazes`, answered by the paths of `others`."""
    batch, rows = others.encode(tokenizer), np.arange(len(mazes))
    column = roles_of(batch, others, tokenizer).target
    cells = mazes.target[:, 0].astype(int)
    batch.ids[rows, column] = token_of(mazes, rows, cells, tokenizer)
    return batch


def trained_on(trained: TrainedModel, name: str, steps: int = STEPS) -> PreTrainedModel:
    """A copy of a model that has learned to walk to the opposite cell."""
    model = copy.deepcopy(trained.model).train()
    loss = loss_for(model)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARM, 1 - step / steps)
    )
    stream = MazeStream(replace(zoo.trained_on(name), questions=1, seed=SEED))
    for step in tqdm(range(steps), f"{name}, trained on", leave=False):
        batch = batch_of(*asked(stream.take(step * BATCH, BATCH)), trained.tokenizer)
        optimizer.zero_grad()
        (loss(batch) / int(batch.answer.sum())).backward()
        optimizer.step()
        rate.step()
    return model.eval()


def vector(model: PreTrainedModel) -> Float[Tensor, "weights"]:
    """All weights of a model, one after the other."""
    return parameters_to_vector(model.parameters()).detach()


def grafted(
    trained: TrainedModel, new: Float[Tensor, "weights"], some: Tensor
) -> TrainedModel:
    """A model with some of its weights exchanged for new ones."""
    model, weights = copy.deepcopy(trained.model), vector(trained.model)
    weights[some] = new[some]
    vector_to_parameters(weights, model.parameters())
    return trained._replace(model=model)


def exact(trained: TrainedModel, mazes: MazeSet, others: MazeSet) -> np.ndarray:
    """At which questions of `mazes` the answer is exactly the path of `others`."""
    answers = predicted_paths(trained.model, trained.tokenizer, mazes)
    pairs = zip(others, answers, strict=True)
    return np.array([metrics.is_exact(*pair) for pair in pairs])


def part_of(name: str) -> str:
    """The part of the network that a parameter is of."""
    layer = next((word for word in name.split(".") if word.isdigit()), None)
    if layer is None:
        return "embedding" if "emb" in name or "wte" in name or "wpe" in name else "end"
    kind = "mlp" if "mlp" in name else "attention" if "att" in name else "norm"
    return f"{kind} {int(layer) + 1}"


def where(model: PreTrainedModel, some: Tensor) -> dict[str, float]:
    """The share of each part's own weights that is among some."""
    chosen = torch.zeros(len(vector(model)), dtype=torch.bool)
    chosen[some] = True
    size, found, at = Counter(), Counter(), 0
    for name, parameter in model.named_parameters():
        count, part = parameter.numel(), part_of(name)
        size[part] += count
        found[part] += int(chosen[at : at + count].sum())
        at += count
    return {part: rounded(found[part] / size[part]) for part in size}


def row(name: str, mazes: MazeSet) -> dict:
    """All that is measured of one model."""
    trained = zoo.load(name)
    mazes, others = (some[:COUNT] for some in asked(mazes))
    group = groups_of(mazes)
    new = vector(trained_on(trained, name))
    change = (new - vector(trained.model)).abs()
    most = change.argsort(descending=True, stable=True)
    changed = torch.from_numpy(np.flatnonzero(change.numpy()))
    drawn = changed[torch.randperm(len(changed), generator=torch.Generator())]
    whole = exact(grafted(trained, new, most), mazes, others)
    hits = {
        (how, share): exact(
            grafted(trained, new, order[: round(share * len(new))]), mazes, others
        )
        for share in SHARES
        for how, order in (("most", most), ("chance", drawn))
    }
    best, chance = hits["most", SHARE], hits["chance", SHARE]
    some = most[: round(SHARE * len(new))]
    old = exact(grafted(trained, new, some), mazes, mazes)
    if best.any():
        ends = bootstrap_groups(
            group, lambda rows: float(best[rows].mean() / whole[rows].mean())
        )
    else:  # no resample has one either
        ends = np.array(mean_over(best, group)[1:]) / whole.mean()
    return {
        "model": name,
        "n": len(mazes),
        "mazes": len(np.unique(group)),
        "weights": len(new),
        "before": rounded(exact(trained, mazes, others).mean()),
        "whole": rounded(whole.mean()),
        "share": rounded([best.mean() / whole.mean(), *ends]),
        "chance": rounded(chance.mean() / whole.mean()),
        "still to the target": rounded(old.mean()),
        "by share": [
            [s, *rounded([hits["most", s].mean(), hits["chance", s].mean()])]
            for s in SHARES
        ],
        "change": rounded(float(change[some].square().sum() / change.square().sum())),
        "where": where(trained.model, some),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Graft into all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        return (mazes_of(family, 2 * COUNT),)

    known = networks(untrained=False, families=ASKED)
    write_table(
        __doc__,
        TABLE,
        known,
        arguments,
        asked_of,
        row,
        n=COUNT,
        questions=STEPS * BATCH,
    )


if __name__ == "__main__":
    main()
