"""Four measures that were registered anew, on mazes that none of them has seen.

    python -m experiments.anew              # writes data/results/anew.json
    python -m experiments.anew mixed5       # this network again, the others as they are

One row a network. Of dfs5 and its seeds: how many more answers first break a rule under
the shift that makes dfs5 break most than on mazes as in training (`rules`); what a
head's search for its cell's entries loses without the earlier heads that look within an
entry (`edges`); whether tokens of one cell that came the same way lie together by where
they go, beside an untrained network's (`parting`). Of mixed5: how often it takes the
longer of two ways, over how often a greedy solver does (`longer`). Mazes are others, up
to symmetry, than the earlier measures were taken on; but an open field is always one.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from experiments import clusters, families, heads
from experiments.families import keep, rounded, without
from mazelib.behaviour import contrasts, shifts
from mazelib.behaviour.baselines import sighted_step, tries, walk
from mazelib.behaviour.evaluation import evaluate
from mazelib.behaviour.metrics import measured
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.threads import one_thread
from mazelib.internals.ablation import mean_outputs
from mazelib.internals.attention import best_head, head_scores
from mazelib.internals.head_sets import sets_of_heads
from mazelib.internals.lens import open_lens
from mazelib.internals.probes import groups_of
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel
from mazelib.tokens.tokenizer import Edges

TABLE = "anew.json"
CHOOSER, CYCLIC = "dfs5", "mixed5"
UNTRAINED = families.UNTRAINED + CHOOSER
NETWORKS = (CHOOSER, "dfs5-seed1", "dfs5-seed2", UNTRAINED, CYCLIC)
ASKED = 2000
"""Mazes of a set that were asked before, at most."""
CHOOSING, SCORED = 300, 1000
"""Mazes of each shift to choose one by, and of that one to score."""
TWO_WAYS = 2000
SIGHTED = {"the fork": (2, 0), "the target": (1, 2), "both": (2, 2)}
"""Solvers that see two steps: how many from the fork, and how many from the target."""


def fresh(stream: MazeStream, start: int, count: int, before: MazeSet) -> MazeSet:
    """So many mazes from further on, that are not among some that came before."""
    found = without(stream.take(start, 3 * count), before)
    if len(found) < count:
        raise MazelibError(f"only {len(found)} of {3 * count} mazes are new: draw more")
    return found[:count]


def same_grid() -> dict[str, shifts.Shift]:
    """The shifts that keep the grid, and the place of the maze in it."""
    return {
        name: shift
        for name, shift in shifts.shifts().items()
        if shift.stream.mazes.grid == 5 and name not in ("none", "offset")
    }


def further(
    shift: shifts.Shift, start: int, count: int
) -> tuple[MazeSet, list[Edges] | None]:
    """Mazes of a shift from further on in it, and their lists."""
    mazes, lists = shift.draw(start + count)
    return mazes[start:], lists and lists[start:]


def breaks(
    trained: TrainedModel, mazes: MazeSet, lists: list[Edges] | None = None
) -> np.ndarray:
    """Which answers first leave all shortest paths by breaking a rule."""
    table = evaluate(trained.model, trained.tokenizer, mazes, edges=lists)
    return ~table["departure"].isin(["none", "wrong turn"]).to_numpy()


def drawn_as_one(mazes: MazeSet) -> np.ndarray:
    """A number for each question, the same for those that are drawn as one.

    That is, of mazes that are equal up to symmetry; in an open field, with equal ends.
    """
    if (group := groups_of(mazes)).any():
        return group
    return mazes.origin[:, 0].astype(int) * mazes.n**2 + mazes.target[:, 0]


def worst_shift() -> str:
    """The shift under which `CHOOSER` breaks a rule most often."""
    trained = zoo.load(CHOOSER)
    shares = {
        name: breaks(trained, *further(shift, ASKED, CHOOSING)).mean()
        for name, shift in tqdm(same_grid().items(), "shifts")
    }
    return max(shares, key=shares.get)


def rules(trained: TrainedModel, name: str) -> dict[str, object]:
    """How much oftener a rule is broken under a shift than at home; the null's 95th
    percentile is of the difference between two halves of the mazes of home."""
    mazes, lists = further(same_grid()[name], ASKED + CHOOSING, SCORED)
    stream = MazeStream(zoo.held_out(CHOOSER))
    home = fresh(stream, 100_000, SCORED, stream.take(0, ASKED))
    broken = breaks(trained, mazes, lists), breaks(trained, home)
    both, is_home = np.concatenate(broken), np.arange(2 * SCORED) >= SCORED
    group = np.concatenate([drawn_as_one(mazes), SCORED + drawn_as_one(home)])

    def rise(rows: np.ndarray) -> float:
        some, at_home = both[rows], is_home[rows]
        return some[~at_home].mean() - some[at_home].mean()

    rng, half = np.random.default_rng(4), len(home) // 2
    halves = [rng.permutation(broken[1]) for _ in range(1000)]
    null = np.quantile([h[:half].mean() - h[half:].mean() for h in halves], 0.95)
    ends = bootstrap_groups(group, rise)
    return {
        "shift": name,
        "broken": rounded([some.mean() for some in broken]),
        "rise": rounded([rise(np.arange(len(both))), *ends]),
        "null": rounded(null),
        "mazes": len(np.unique(group)),
    }


def edges(trained: TrainedModel) -> dict[str, object]:
    """What a search for entries loses without heads that look within one before it.

    Heads are chosen on the mazes of `experiments.heads`. others: the mean share that is
    lost without as many others of their layers.
    """
    lens, stream = open_lens(trained), MazeStream(zoo.held_out(CHOOSER))
    other = stream.take(50_000, heads.CHOOSING)
    before = MazeSet.concatenate([other, stream.take(0, heads.SCORED)])
    mazes = fresh(stream, 60_000, SCORED, before)
    chosen = head_scores(lens, other)
    within = sets_of_heads(chosen).get("within")
    found = {"heads": within or [], "mazes": len(np.unique(groups_of(mazes)))}
    if not within:
        return found | {"lost": [0.0] * 3, "others": 0.0}
    second = best_head(chosen.entries)
    written = mean_outputs(lens, other, np.ndindex(lens.layers, lens.heads))
    sets = {"within": within}
    facts = heads.search_without(lens, mazes, second, sets, written)["within"]
    others = [each["lost"][0] for each in facts["others"]]
    return found | {"lost": facts["lost"], "others": rounded(np.mean(others))}


def parting(trained: TrainedModel, is_trained: bool) -> dict[str, object]:
    """Of tokens of one cell that came the same way: do those that go on alike lie near?

    At the layer that is best on other mazes; see `experiments.clusters`.
    """
    lens = open_lens(trained)
    config = StreamConfig(
        MazeConfig("dfs", 5), questions=clusters.QUESTIONS, split="test"
    )
    stream, count = MazeStream(config), clusters.SCORED + clusters.CHOOSING
    drawn = fresh(stream, 1000, count, stream.take(0, count))
    by_layer = []
    for mazes in (drawn[clusters.SCORED :], drawn[: clusters.SCORED]):
        tokens = clusters.tokens_of(lens, mazes, is_trained)
        asked = {"": clusters.questions_asked(tokens)["onward, came"]}
        layers = range(len(tokens.vectors))
        by_layer.append([clusters.measured(tokens, asked, k)[""] for k in layers])
    chosen, scored = by_layer
    best = int(np.argmax([found["mean"] for found in chosen]))
    means = [found["mean"] for found in scored]
    return {"layer": best, **scored[best], "by layer": means}


def longer(trained: TrainedModel) -> dict[str, object]:
    """How often the longer of two ways is taken, over how often a greedy solver does.

    Of legal answers to mazes that a greedy solver answers legally; and the same of
    solvers that see two steps.
    """
    mazes = contrasts.two_ways(3 * TWO_WAYS)
    mazes = without(mazes[TWO_WAYS:], mazes[:TWO_WAYS])[:TWO_WAYS]
    greedy = tries(mazes, "greedy")
    walked = np.flatnonzero(greedy["valid"])
    mazes, greedy = mazes[walked], greedy.iloc[walked]
    of_greedy, group = ~greedy["shortest"].to_numpy(), groups_of(mazes)

    def over_greedy(table) -> list[float]:
        valid = table["valid"].to_numpy()
        is_longer = valid & ~table["shortest"].to_numpy()

        def ratio(rows: np.ndarray) -> float:
            share = is_longer[rows].sum() / valid[rows].sum()
            return share / of_greedy[rows].mean()

        return rounded([ratio(np.arange(len(group))), *bootstrap_groups(group, ratio)])

    rng, solvers = np.random.default_rng(0), {}
    for side, sight in SIGHTED.items():
        paths = [walk(sample, sighted_step(*sight), rng) for sample in mazes]
        solvers[side] = over_greedy(measured(mazes, paths))
    table = evaluate(trained.model, trained.tokenizer, mazes)
    share = 1 - table.loc[table["valid"], "shortest"].mean()
    return {
        "ratio": over_greedy(table),
        "shares": rounded([share, of_greedy.mean()]),
        "legal": [int(table["valid"].sum()), len(mazes)],
        "solvers": solvers,
        "mazes": len(np.unique(group)),
    }


def rows(names: Sequence[str]) -> Iterator[dict]:
    """All that is asked of each network."""
    worst = worst_shift() if set(names) - {CYCLIC, UNTRAINED} else ""
    for name in tqdm(names, "networks"):
        if name == CYCLIC:
            yield {"model": name, "longer": longer(zoo.load(name))}
        elif name == UNTRAINED:
            yield {"model": name, "parting": parting(zoo.untrained(CHOOSER), False)}
        else:
            trained = zoo.load(name)
            yield {
                "model": name,
                "rules": rules(trained, worst),
                "edges": edges(trained),
                "parting": parting(trained, True),
            }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all networks, or those that are named, and write the table."""
    one_thread()
    names = names_asked(__doc__, NETWORKS, arguments)
    for row in rows(names):
        keep(TABLE, row, made_by="python -m experiments.anew", n=SCORED)


if __name__ == "__main__":
    main()
