"""What a model still does when what some of its heads write is replaced.

    means = mean_outputs(lens, others, heads)                  # heads: {(3, 1), (5, 0)}
    steps = step_choices(lens, mazes, mean_ablation(means))
    steps["legal"].mean(), steps["right"][steps["is_fork"]].mean()

Two replacements: `mean_ablation`, by what a head writes on average at tokens of one
kind, and `resample_ablation`, by what it writes in another maze whose path is as long
(Chan et al., "Causal scrubbing", 2022): that keeps to values the rest of the model
knows, but for what they say of this maze.
"""

from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.forks import step_table
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.internals.lens import Lens, Part, Site, activations, read
from mazelib.internals.roles import ENTRY, KINDS, Roles

Head = tuple[int, int]
"""A layer and a head."""
Replacement = Callable[[Part], dict[Site, Tensor]]
"""Some mazes → what is to stand at sites in their stead."""


def head_outputs(heads: Iterable[Head]) -> list[Site]:
    """The sites of what heads write, before the layer's output matrix."""
    return [Site("z", layer, head) for layer, head in heads]


@contextmanager
def replaced(
    lens: Lens, values: dict[Site, Tensor], roles: Roles | None = None
) -> Iterator[None]:
    """While it lasts, the values at sites are those given; NaN leaves what is there.

    roles: of the batch that will be run, if a site has a position.
    """

    def hook_of(site: Site, value: Tensor):
        def hook(found: Tensor, hook) -> Tensor:
            changed, at = found.clone(), site.index(roles)
            changed[at] = torch.where(value.isnan(), found[at], value)
            return changed

        return site.hook, hook

    with lens.bridge.hooks(fwd_hooks=[hook_of(*pair) for pair in values.items()]):
        yield


def step_choices(
    lens: Lens, mazes: MazeSet, replacement: Replacement | None = None
) -> pd.DataFrame:
    """One row a step of the true paths, given the path so far: see `step_table`.

    replacement: what is to stand where, for each part of the mazes; nothing, unless
    said.
    """
    return step_choices_under(lens, mazes, {"": replacement})[""]


def step_choices_under(
    lens: Lens,
    mazes: MazeSet,
    replacements: Mapping[Hashable, Replacement | None],
    sites: Collection[Site] = (),
) -> dict[Hashable, pd.DataFrame]:
    """The same under each of several replacements, by whatever they are called.

    sites: what is read once for all of them. Many mazes with paths as long are run
    together, so that `resample_ablation` finds donors.
    """
    order = np.argsort(mazes.length[:, 0], kind="stable")
    in_order, chosen = mazes[order], {name: [] for name in replacements}
    for part in activations(lens, in_order, sites, most=256):
        for name, replacement in replacements.items():
            values = replacement(part) if replacement else {}
            with replaced(lens, values, part.roles):
                ids = lens.logits(part.batch).argmax(-1).roll(1, 1).numpy()
            answers = zip(ids, part.batch.answer, strict=True)
            likeliest = [row[at] for row, at in answers]
            run = in_order[part.rows]
            chosen[name] += next_cells(likeliest, lens.tokenizer, run)
    back = np.argsort(order)
    return {
        name: step_table(mazes, [cells[at] for at in back])
        for name, cells in chosen.items()
    }


def mean_outputs(
    lens: Lens, mazes: MazeSet, heads: Iterable[Head]
) -> dict[Site, Float[Tensor, "kinds head_width"]]:
    """What heads write on average at tokens of each kind (see `Roles.kind`)."""
    sites = head_outputs(heads)
    totals = dict.fromkeys(sites, 0.0)
    count = torch.zeros(len(KINDS))
    for part in activations(lens, mazes, sites):
        kind = torch.from_numpy(part.roles.kind)
        is_kind = (kind[..., None] == torch.arange(len(KINDS))).float()
        count += is_kind.sum((0, 1))
        for site, value in part.values.items():
            totals[site] += torch.einsum("bpk,bpd->kd", is_kind, value)
    return {site: total / count.clamp(min=1)[:, None] for site, total in totals.items()}


def mean_ablation(
    means: dict[Site, Float[Tensor, "kinds head_width"]],
    heads: Iterable[Head] | None = None,
) -> Replacement:
    """At each token, what the heads write on average at tokens of its kind.

    heads: some of those that have a mean; all, unless said.
    """
    if heads is not None:
        means = {site: means[site] for site in head_outputs(heads)}

    def replacement(part: Part) -> dict[Site, Tensor]:
        kind = torch.from_numpy(part.roles.kind)  # -1, in padding, matters to nothing
        return {site: mean[kind] for site, mean in means.items()}

    return replacement


def only_at(replacement: Replacement, kinds: Collection[str]) -> Replacement:
    """The same at tokens of some kinds (see `KINDS`); elsewhere nothing is replaced."""
    numbers = torch.tensor([KINDS.index(kind) for kind in kinds])

    def narrowed(part: Part) -> dict[Site, Tensor]:
        kind = torch.from_numpy(part.roles.kind)
        outside = ~torch.isin(kind, numbers)[..., None]
        found = replacement(part)
        return {site: v.masked_fill(outside, torch.nan) for site, v in found.items()}

    return narrowed


def resample_ablation(
    lens: Lens, heads: Iterable[Head], rng: np.random.Generator
) -> Replacement:
    """What the heads write in another of the mazes; see `donors` and `aligned`."""
    sites = head_outputs(heads)

    def replacement(part: Part) -> dict[Site, Tensor]:
        given = donors((part.roles.path >= 0).sum(1), rng)
        place = torch.from_numpy(aligned(part.roles, given))[..., None]
        missing = [site for site in sites if site not in part.values]
        values = part.values | read(lens, part.batch, part.roles, missing)
        return {
            site: value[given].gather(1, place.expand_as(value))
            for site, value in ((site, values[site]) for site in sites)
        }

    return replacement


def ways_without(
    lens: Lens,
    heads: Collection[Head],
    means: dict[Site, Float[Tensor, "kinds head_width"]],
    rng: np.random.Generator,
) -> dict[str, Replacement]:
    """Both replacements of heads, everywhere, in the list alone, or on the path alone.

    "resampled", "averaged", "resampled in the list", and so on. means: as for
    `mean_ablation`.
    """
    found = {
        "resampled": resample_ablation(lens, heads, rng),
        "averaged": mean_ablation(means, heads),
    }
    for way, replacement in list(found.items()):
        found[f"{way} in the list"] = only_at(replacement, ENTRY)
        found[f"{way} on the path"] = only_at(replacement, ("path",))
    return found


def donors(
    length: Int[np.ndarray, "batch"], rng: np.random.Generator
) -> Int[np.ndarray, "batch"]:
    """For each maze another one, drawn from those whose path is as long.

    Where there is none, the one whose path is longer by least, or the longest. Raises
    MazelibError for a single maze.
    """
    if len(length) < 2:
        raise MazelibError("one maze has no other to take values from: give more")
    order = rng.permutation(len(length))
    order = order[np.argsort(length[order], kind="stable")]
    given = np.empty_like(order)
    for group in np.split(order, np.flatnonzero(np.diff(length[order])) + 1):
        given[group] = np.roll(group, 1)
    alone = np.flatnonzero(given[order] == order)
    other = np.where(alone + 1 < len(order), alone + 1, alone - 1)
    given[order[alone]] = order[other]
    return given


def aligned(
    roles: Roles, given: Int[np.ndarray, "batch"]
) -> Int[np.ndarray, "batch pos"]:
    """For each token the position of the token with its role in the maze's donor.

    Steps of a path beyond the donor's last are given that one. Raises MazelibError if
    lists differ in length.
    """
    if np.ptp(roles.list_end):
        raise MazelibError("lists differ in length, so their entries have no partners")
    position = np.broadcast_to(np.arange(roles.cell.shape[1]), roles.cell.shape)
    return np.minimum(position, roles.path.max(1)[given, None])
