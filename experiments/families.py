"""The trainings that chapters on what can be read off a model ask, and their mazes.

    networks()                       # {"dfs5": "dfs5", …, "untrained dfs5": "dfs5", …}
    lens_of("untrained dfs5")        # opened in TransformerLens
    mazes_of("dfs5", 4000)           # test mazes of the kind that they were trained on
    places = Places.of("dfs5")       # those, and steps of their paths
    places.streams("dfs5-seed1")     # the residual stream at all of them

Trainings of a family have one recipe but for the seed, and are asked about the same
mazes; an untrained network of their shape is asked, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from experiments.model_cards import is_done
from experiments.recipes import RECIPES
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.evidence.intervals import bootstrap_groups, wilson
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import Lens, open_lens
from mazelib.internals.plans import PathSteps, path_steps
from mazelib.internals.readings import Asked, Reading, interval_of, selectivity
from mazelib.internals.roles import ENTRY, QUESTION
from mazelib.internals.streams import Where, at_role, at_steps, streams_at
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

FAMILIES = {
    "dfs5": ("dfs5", "dfs5-seed1", "dfs5-seed2"),
    "dfs6-learned": ("dfs6-learned", "dfs6-learned-seed1", "dfs6-learned-seed2"),
    "dfs10": ("dfs10",),
}
UNTRAINED = "untrained "
COUNT = 4000
"""Test mazes of a family that probes are asked about, half of them to fit."""
MOST = 8000
"""Steps of a kind that are asked about; of more, so many are drawn."""
PLACES = ("start", "origin", "fork", "corridor")


def networks(
    untrained: bool = True, families: Sequence[str] = tuple(FAMILIES)
) -> dict[str, str]:
    """The networks that are there, and the family of each; trained ones first.

    One that has not done all steps of its recipe yet is left out.
    """
    done = {n for n in zoo.names() if is_done(RECIPES[n], zoo.read_card(n))}
    found = {n: family for family in families for n in FAMILIES[family] if n in done}
    if untrained:
        found |= {UNTRAINED + family: family for family in families}
    return found


def is_trained(name: str) -> bool:
    """Is a network a model of data/models?"""
    return not name.startswith(UNTRAINED)


def network_of(name: str) -> TrainedModel:
    """A network of `networks`, trained or not."""
    if is_trained(name):
        return zoo.load(name)
    return zoo.untrained(name.removeprefix(UNTRAINED))


def lens_of(name: str) -> Lens:
    """A network of `networks`, opened in TransformerLens."""
    return open_lens(network_of(name))


def mazes_of(family: str, count: int, start: int = 0) -> MazeSet:
    """Test mazes of a family, one question each; the same for all its networks."""
    return MazeStream(zoo.held_out(family)).take(start, count)


def without(mazes: MazeSet, others: MazeSet) -> MazeSet:
    """Those of the mazes that are none of the others, nor a turn or mirror image."""
    return mazes[~np.isin(mazes.canonical_hashes, others.canonical_hashes)]


def by_family(
    names: Sequence[str], known: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Each family that some of the names are of, and those names."""
    for family in dict.fromkeys(known.values()):
        if some := [name for name in names if known[name] == family]:
            yield family, some


def keep(table: str, row: dict, **facts: object) -> None:
    """Write a network's row into a table, in place of one that is there.

    facts: what else the table says, such as what made it.
    """
    name = row["model"]
    weights = zoo.hashes([name]) if is_trained(name) else {}
    replace_rows(table, [name], [row], weights, **facts)


def write_table(
    doc: str | None,
    table: str,
    known: Mapping[str, str],
    arguments: Sequence[str] | None,
    asked_of: Callable[[str], tuple],
    row: Callable[..., dict],
    **facts: object,
) -> None:
    """Measure all networks, or those that are named, and write a row of each.

    doc, arguments: as for `names_asked`. known: the networks, and the family of each.
    asked_of: what all networks of a family are asked about; row is given a network's
    name, and that. facts: what else the table says.
    """
    one_thread()
    names = names_asked(doc, list(known), arguments)
    made_by = f"python -m experiments.{Path(table).stem.replace('-', '_')}"
    for family, some in by_family(names, known):
        asked = asked_of(family)
        for name in tqdm(some, family):
            keep(table, row(name, *asked), made_by=made_by, **facts)


def rounded(numbers) -> list:
    """Numbers to four places, as lists; None where there is none."""
    found = np.round(np.asarray(numbers, float), 4)
    return np.where(np.isnan(found), None, found.astype(object)).tolist()


def mean_over(values: np.ndarray, group: np.ndarray) -> list[float]:
    """A mean and its interval over groups of mazes.

    Of what all groups have, or none, it is Wilson's: a bootstrap's has no width there.
    """
    value, count = values.mean(), len(np.unique(group))
    if value in (0, 1) and (values == value).all():
        ends = wilson(round(value * count), count)
    else:
        ends = bootstrap_groups(group, lambda rows: values[rows].mean())
    return rounded([value, *ends])


def told(found: Reading) -> list[float]:
    """A reading and its interval."""
    return rounded([found.value, *found.interval])


def facts_of(own: Reading, controls: Mapping[str, Reading]) -> dict[str, object]:
    """What is kept of a reading beside its controls."""
    ends_by_layer = np.array([interval_of(drawn) for drawn in own.by_draw])
    found = {
        "by layer": rounded(np.column_stack([own.by_site, ends_by_layer])),
        "layer": own.best,
        "read": told(own),
        "controls": {name: told(found) for name, found in controls.items()},
    }
    if controls:
        gap, ends, best = selectivity(own, controls)
        found["selectivity"] = [*rounded([gap, *ends]), best]
    return found


class Streams(NamedTuple):
    """The residual stream at steps of each kind, and at the token of each role."""

    steps: dict[str, np.ndarray]
    roles: dict[str, np.ndarray]


class Places(NamedTuple):
    """What a family is asked about: mazes, steps by kind, other roles."""

    mazes: MazeSet
    steps: dict[str, PathSteps]
    roles: dict[str, Where]

    @classmethod
    def of(cls, family: str) -> "Places":
        """The places of a family's mazes; the same each time."""
        mazes, rng = mazes_of(family, COUNT), np.random.default_rng(0)
        steps = {kind: some_of(path_steps(mazes, kind), rng) for kind in PLACES}
        entries = sum(np.count_nonzero(p, (1, 2)) for p in (mazes.right, mazes.down))
        entry = (rng.random(len(mazes)) * entries).astype(int)
        roles = {name: at_role(name, entry) for name in ENTRY}
        roles |= {name: at_role(name) for name in QUESTION}
        return cls(mazes, steps, roles)

    def streams(self, name: str) -> Streams:
        """The residual stream of a network at all of them."""
        wheres = {("step", kind): at_steps(at) for kind, at in self.steps.items()}
        wheres |= {("role", role): where for role, where in self.roles.items()}
        found = streams_at(lens_of(name), self.mazes, wheres)
        steps, roles = (
            {name: read for (of, name), read in found.items() if of == kind}
            for kind in ("step", "role")
        )
        return Streams(steps, roles)

    def asked(self, kind: str, labels: np.ndarray, *how) -> Asked:
        """A question about the steps of a kind; how: as in `Asked.of`."""
        return Asked.of(self.mazes, self.steps[kind].maze, labels, *how)


def some_of(steps: PathSteps, rng: np.random.Generator) -> PathSteps:
    """All of the steps, or `MOST` of them."""
    drawn = rng.permutation(len(steps.maze))[:MOST]
    return PathSteps(*(part[np.sort(drawn)] for part in steps))
