"""Which heads a path's end rests on: is there a layer with a "stop once found" head?

    python -m experiments.stops          # writes data/results/stops.json
    python -m experiments.stops dfs5     # this model again, the others as they are

One row a model, on 1,000 test mazes. `falls`: by layer and head, and for its whole
attention at last, how much the probability of <PATH_END> at a path's last cell falls
when there it writes what it writes in another maze whose path is as long. `share`: of
layers, those with a head by which it falls by 0.1 and more, with an interval over
mazes; `by layers`: those whose whole attention does so.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from experiments.families import (
    mazes_of,
    networks,
    rounded,
    write_table,
)
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.internals.ablation import donors
from mazelib.internals.probes import groups_of
from mazelib.interventions import Network, Prompts
from mazelib.interventions.network import DTYPE
from mazelib.interventions.patching import Where, gone_on
from mazelib.models import zoo
from mazelib.models.blocks import mlp

TABLE = "stops.json"
ASKED = ("dfs5", "dfs6-learned")
COUNT = 1000
SIZE = 64
"""Mazes that are run at a time."""
LEAST = 0.1
"""By how much the probability has to fall."""


@torch.no_grad()
def falls(
    network: Network, mazes: MazeSet
) -> tuple[Float[np.ndarray, "layers heads_and_1 mazes"], Float[np.ndarray, "mazes"]]:
    """How much <PATH_END> loses at a path's last cell when a head is resampled there.

    After a layer's heads stands its whole attention. With it the probability before.
    """
    order = np.argsort(mazes.length[:, 0], kind="stable")
    end_id, rng = network.model.config.eos_token_id, np.random.default_rng(0)
    lost, before = [], []
    for start in range(0, len(order), SIZE):
        some = mazes[order[start : start + SIZE]]
        batch = some.encode(network.tokenizer)
        ended = batch.ids.shape[1] - 1 - batch.answer[:, ::-1].argmax(1) - 1
        run = network.run(Prompts(batch.ids, ended))
        row, column = torch.arange(len(some)), torch.from_numpy(ended)
        where = Where(row, column, int(ended.min()))
        given = torch.from_numpy(donors(some.length[:, 0].astype(int), rng))
        own = run.logits.softmax(-1)[:, end_id]
        layers = []
        for layer, block in enumerate(network.blocks):
            read = run.read[layer][row, :, column]
            each = network.written(layer, (read[given] - read).transpose(0, 1))
            each = torch.cat([each, each.sum(0, keepdim=True)])
            middle = (run.streams[layer + 1] - run.mlps[layer])[row, column] + each
            after = middle + mlp(block, middle, DTYPE)
            logits = gone_on(network, run, where, layer + 1, {"": after})[""]
            layers.append(own - logits.softmax(-1)[..., end_id])
        lost.append(torch.stack(layers))
        before.append(own)
    back = np.argsort(order)
    return torch.cat(lost, -1).numpy()[..., back], torch.cat(before).numpy()[back]


def stopping(network: Network, mazes: MazeSet) -> dict:
    """The share of layers with a head that a path's end rests on."""
    lost, before = falls(network, mazes)
    group, heads = groups_of(mazes), lost[:, :-1]

    def share(rows) -> float:
        return float((heads[..., rows].mean(-1).max(1) >= LEAST).mean())

    ends = bootstrap_groups(group, share, resamples=500)
    whole = float((lost[:, -1].mean(-1) >= LEAST).mean())
    return {
        "falls": rounded(lost.mean(-1)),
        "probability": rounded(before.mean()),
        "share": rounded([share(slice(None)), *ends]),
        "by layers": rounded(whole),
        "mazes": len(np.unique(group)),
    }


def row(name: str, mazes: MazeSet) -> dict:
    """All that is measured of one model."""
    return {"model": name, **stopping(Network(zoo.load(name)), mazes)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        return (mazes_of(family, COUNT),)

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
