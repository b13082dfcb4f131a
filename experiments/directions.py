"""Directions of models' streams, which live mazes in the pages read and move along.

    python -m experiments.directions          # writes data/directions/NAME.safetensors
    python -m experiments.directions dfs5     # this model's

Nothing is measured here. A file has, in float16: `future.KIND.weight` [layers + 1,
cells, width] and `.bias`, the probes of `experiments.future` for cells that the path
comes to in two steps and more, at steps of each of `KINDS`; `push.weight` [cells,
width], those of `experiments.replanned` at forks, the next cell among them, after
`push.layer` layers, with `push.length`, how far the stream itself varies there;
`goal.ROLE` [cells, width], the mean stream of questions with each target, after
`goal.layer` layers, as in `experiments.retargeted`; `mean.head` [layers, heads, kinds,
head width], what each head moves on average at tokens of each kind.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from experiments.families import Places, lens_of, mazes_of
from experiments.pushes import MAZES, Read
from experiments.replanned import TABLE as REPLANNED
from experiments.retargeted import AFTER, FITTED, OTHERS, Means
from mazelib.commands.flags import names_asked
from mazelib.evidence.tables import rows_of
from mazelib.evidence.threads import one_thread
from mazelib.files import ROOT, replacing
from mazelib.internals.ablation import head_outputs, mean_outputs
from mazelib.internals.plans import future
from mazelib.internals.probes import fit, parts_of
from mazelib.internals.streams import at_steps, streams_at
from mazelib.models import zoo

FOLDER = ROOT / "data" / "directions"
ASKED = ("dfs5", "dfs6-learned")
KINDS = ("start", "fork", "corridor")
ROLES = ("target", "target_end")
AVERAGED = 1000
"""Mazes that heads' outputs are averaged over."""

Named = Iterator[tuple[str, np.ndarray]]


def read_off(name: str) -> Named:
    """The probes of the path to come."""
    places, lens = Places.of(name), lens_of(name)
    part = parts_of(places.mazes)
    for kind in tqdm(KINDS, "probes", leave=False):
        steps = places.steps[kind]
        streams = streams_at(lens, places.mazes, {kind: at_steps(steps)})[kind]
        probes = fit(streams, future(places.mazes, steps), part[steps.maze])
        yield f"future.{kind}.weight", probes.weights.swapaxes(1, 2)
        yield f"future.{kind}.bias", probes.bias


def pushed_along(name: str) -> Named:
    """The probes that turn choices, and how far the stream is moved along them."""
    layer = rows_of(REPLANNED, [name])[name]["layer"]
    probes, length, _ = Read.of(zoo.load(name), mazes_of(name, MAZES))
    yield "push.weight", probes.weights[layer].T
    yield "push.layer", np.array([layer])
    yield "push.length", length[layer : layer + 1]


def goals(name: str) -> Named:
    """The mean streams of questions with each target."""
    means = Means(zoo.load(name), mazes_of(name, FITTED, start=OTHERS))
    for role in ROLES:
        yield f"goal.{role}", means.of[role][AFTER]
    yield "goal.layer", np.array([AFTER])


def averages(name: str) -> Named:
    """What heads move on average."""
    lens = lens_of(name)
    heads = [
        (layer, head) for layer in range(lens.layers) for head in range(lens.heads)
    ]
    found = mean_outputs(lens, mazes_of(name, AVERAGED), heads)
    each = torch.stack([found[site] for site in head_outputs(heads)])
    yield "mean.head", each.unflatten(0, (lens.layers, lens.heads)).numpy()


def directions(name: str) -> dict[str, torch.Tensor]:
    """All of a model's, by name."""
    found = [*read_off(name), *pushed_along(name), *goals(name), *averages(name)]
    return {
        key: torch.from_numpy(np.ascontiguousarray(value)).half()
        for key, value in found
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the directions of all models, or of those that are named."""
    one_thread()
    FOLDER.mkdir(exist_ok=True)
    for name in tqdm(names_asked(__doc__, list(ASKED), arguments), "models"):
        found, facts = directions(name), zoo.hashes([name])
        with replacing(FOLDER / f"{name}.safetensors") as temporary:
            save_file(found, temporary, metadata=facts)


if __name__ == "__main__":
    main()
