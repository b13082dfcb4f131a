"""Do models stay ahead of their input when probes are fitted on more mazes?

    python -m experiments.more_mazes        # writes data/results/more-mazes.json
    python -m experiments.more_mazes dfs5   # this model again, the others as they are

One row a model, about the forks of 16,000 test mazes, half of them to score. How well
the path to come can be read (`experiments.future`) by probes that are fitted on few of
the other mazes, and on more: off the model, off the question and the passages, and off
those and the next cell; and how far the first is ahead of the two. A probe of the
input has more to learn from more mazes: there are more passages than the stream is
wide.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from experiments.families import (
    by_family,
    keep,
    lens_of,
    mazes_of,
    networks,
    rounded,
    told,
)
from mazelib.commands.flags import names_asked
from mazelib.evidence.threads import one_thread
from mazelib.internals.plans import (
    future,
    onward_features,
    passage_features,
    path_steps,
)
from mazelib.internals.probes import FIT
from mazelib.internals.readings import Asked, Reading, reading, selectivity
from mazelib.internals.streams import at_steps, streams_at

TABLE = "more-mazes.json"
COUNT = 16_000
FAMILIES = ("dfs5", "dfs6-learned")
SHARES = (0.0625, 0.125, 0.25, 0.5, 1.0)
"""Of the mazes to fit on."""
LEFT_OUT = -1
"""The part of mazes that are neither fitted, chosen by nor scored."""
INPUTS = {"passages": passage_features, "next cell": onward_features}
Inputs = Mapping[str, Sequence[Reading]]


def fitted_on(asked: Asked, share: float) -> Asked:
    """The same question, fitted on a share of the mazes; equal ones stay together."""
    own = np.unique(asked.group[asked.part == FIT])
    own = np.random.default_rng(0).permutation(own)
    few = own[: round(share * len(own))]
    left_out = (asked.part == FIT) & ~np.isin(asked.group, few)
    return asked._replace(part=np.where(left_out, LEFT_OUT, asked.part))


def row(
    name: str, streams: np.ndarray, asked: Sequence[Asked], inputs: Inputs
) -> dict[str, object]:
    """What is read off a model, and how far that is ahead, for each share."""
    own = [reading(each, streams) for each in asked]
    found = {"model": name, "read": [told(mine) for mine in own]}
    for key, others in inputs.items():
        pairs = zip(own, others, strict=True)
        gaps = [selectivity(mine, {"": other}) for mine, other in pairs]
        found[key] = [told(other) for other in others]
        found[f"beyond {key}"] = [rounded([gap, *ends]) for gap, ends, _ in gaps]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False, families=FAMILIES)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.more_mazes", "n": COUNT}
    for family, some in by_family(names, known):
        mazes = mazes_of(family, COUNT)
        steps = path_steps(mazes, "fork")
        whole = Asked.of(mazes, steps.maze, future(mazes, steps))
        asked = [fitted_on(whole, share) for share in SHARES]
        fitted = [len(np.unique(steps.maze[one.part == FIT])) for one in asked]
        inputs = {
            key: [reading(each, make(mazes, steps)[None]) for each in asked]
            for key, make in tqdm(INPUTS.items(), f"input, {family}")
        }
        for name in tqdm(some, family):
            streams = streams_at(lens_of(name), mazes, {"": at_steps(steps)})[""]
            found = row(name, streams, asked, inputs)
            keep(TABLE, found | {"mazes": fitted}, **about)


if __name__ == "__main__":
    main()
