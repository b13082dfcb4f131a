"""What the attention heads of dfs5, its other seeds and an untrained network are for.

    python -m experiments.heads             # writes data/results/heads.json
    python -m experiments.heads dfs5-seed1  # this network again, the others as they are

For each network: what every head looks at, on 1,000 test mazes; what the network still
does without some of them, chosen on 500 others by what they look at; what of the search
for a cell's entries is left then; how attention goes with betweenness. And what the
heads of dfs5 look at along its ladder; and in mazes with cycles, on which mixed5 was
trained, how its attention goes with cells that hold a maze together.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor
from tqdm import tqdm

from experiments.families import rounded
from mazelib.behaviour import shifts
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.evidence.intervals import bootstrap_groups, bootstrap_mean
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.internals.ablation import (
    Head,
    Replacement,
    head_outputs,
    mean_ablation,
    mean_outputs,
    only_at,
    step_choices,
    step_choices_under,
    ways_without,
)
from mazelib.internals.attention import (
    HeadScores,
    best_head,
    entry_attention,
    head_scores,
)
from mazelib.internals.bottlenecks import (
    ARTICULATION,
    BETWEENNESS,
    cell_table,
    correlation,
    received,
)
from mazelib.internals.head_sets import (
    QUARTER,
    WITHIN,
    above,
    others_like,
    sets_of_heads,
    without_a_job,
)
from mazelib.internals.lens import Lens, Site, open_lens
from mazelib.internals.roles import ENTRY
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

TABLE = "heads.json"
UNTRAINED, CLIMBER = "untrained", "dfs5"
"""Not a model of data/models; and the one whose ladder is followed."""
CYCLIC = "mixed5"
"""Trained on mazes with cycles, where a bottleneck is not what is named often."""
NETWORKS = (CLIMBER, "dfs5-seed1", "dfs5-seed2", UNTRAINED, CYCLIC)
FULLY = "first stage"
"""The set whose controls are replaced in every way, and not everywhere alone."""
SHOWN = (
    *("walled", "walled_from_list", "walled_from_ends", "joined", "lattice"),
    *("previous_cell", "entries", "own_cells", *WITHIN, "previous"),
    *("semicolon_to_connector", "second_to_connector"),
)
"""The scores that are kept of every head."""
SCORED, CHOOSING, CLIMBING = 1000, 500, 200
"""Test mazes that heads are scored on, chosen on, and followed along the ladder on."""


def network(name: str) -> TrainedModel:
    """A model by name; `UNTRAINED` is one of dfs5's shape with random weights."""
    return zoo.untrained("dfs5") if name == UNTRAINED else zoo.load(name)


def score_facts(scores: HeadScores) -> dict:
    """Each score's mean and interval, [layers][heads] each."""
    found = {}
    for name in SHOWN:
        flat = getattr(scores, name).reshape(len(scores.walled), -1)
        ends = np.array([bootstrap_mean(values) for values in flat.T])
        columns = {"mean": flat.mean(0), "from": ends[:, 0], "to": ends[:, 1]}
        shape = scores.walled.shape[1:]
        found[name] = {k: rounded(v.reshape(shape)) for k, v in columns.items()}
    return found


def one_number(values: np.ndarray, statistic, resamples: int = 1000) -> list[float]:
    """A statistic of mazes and its interval."""
    mazes = np.arange(len(values))
    interval = bootstrap_groups(
        mazes, lambda rows: statistic(values[rows]), resamples=resamples
    )
    return rounded([statistic(values), *interval])


def heeds_passages(scores: HeadScores, head: Head) -> list[float]:
    """What one token of a neighbour gets through a passage less behind a wall, over the
    sum of the two."""
    both = np.stack([s[:, *head] for s in (scores.joined_each, scores.walled_each)], 1)

    def statistic(some: np.ndarray) -> float:
        joined, walled = some.mean(0)
        return (joined - walled) / (joined + walled)

    return one_number(both, statistic)


def without(
    lens: Lens,
    mazes: MazeSet,
    heads: list[Head],
    chosen: HeadScores,
    written: dict[Site, Tensor],
    is_full: bool = False,
) -> dict:
    """What a network still does without heads, and without others in their place.

    Shares of right forks and of legal steps, each with its interval over mazes: with
    all heads; with theirs from another maze, or their average, everywhere, in the list,
    or on the path alone. jobless: the same for sets of heads without a job, in all
    these ways, or with theirs from another maze everywhere.
    """
    drawn = without_a_job(chosen, heads)
    rng, replacements = np.random.default_rng(1), {(0, "all"): None}
    for number, some in enumerate([heads, *drawn]):
        replacements |= {
            (number, way): replacement
            for way, replacement in ways_without(lens, some, written, rng).items()
            if number == 0 or is_full or way == "resampled"
        }
    sites = head_outputs({head for some in [heads, *drawn] for head in some})
    found = [{"heads": some} for some in [heads, *drawn]]
    tables = step_choices_under(lens, mazes, replacements, sites)
    for (number, way), table in tables.items():
        found[number][way] = did(table)
    ours, *jobless = found
    return ours | {"jobless": jobless}


def did(table: pd.DataFrame) -> dict:
    """Right forks and legal steps, with intervals over mazes; right if legal."""
    forks = table[table["is_fork"]]
    found = {}
    for name, rows in {"forks": forks["right"], "legal": table["legal"]}.items():
        values, maze = rows.to_numpy(), table["maze"][rows.index].to_numpy()
        interval = bootstrap_groups(maze, lambda at, v=values: v[at].mean(), 0, 300)
        found[name] = rounded([values.mean(), *interval])
    share = forks["right"].sum() / max(1, forks["legal"].sum())
    return found | {"right_if_legal": round(float(share), 4)}


def looked_at(lens: Lens, mazes: MazeSet, heads: list[Head]) -> list[dict]:
    """By which tokens of an entry each head finds it (see `on_own_entries`)."""
    found = []
    for head in heads:
        _, tokens = entry_attention(lens, mazes, head, lambda part: {})
        found.append({"head": head, "tokens": rounded(tokens.mean(0))})
    return found


def search_without(
    lens: Lens,
    mazes: MazeSet,
    second: Head,
    sets: dict[str, list[Head]],
    written: dict[Site, Tensor],
) -> dict:
    """What is lost of a head's search for entries when others write their average.

    For each set `lost`, the share of it that goes, with its interval over mazes, and
    `tokens`, by which tokens of an entry the head finds it then; others: the same for
    sets of other heads of the same layers. "": with all heads; "NAME in the list": they
    write their average in the list alone.
    """
    before, tokens = entry_attention(lens, mazes, second, mean_ablation(written, []))

    def found(way: Replacement) -> dict:
        after, tokens = entry_attention(lens, mazes, second, way)
        both = np.stack([before, after], 1)
        lost = one_number(both, lambda v: 1 - v[:, 1].mean() / v[:, 0].mean())
        return {"lost": lost, "tokens": rounded(tokens.mean(0))}

    facts = {"": {"lost": [0.0] * 3, "tokens": rounded(tokens.mean(0))}}
    for name, heads in sets.items():
        way = mean_ablation(written, heads)
        facts[name] = {
            **found(way),
            "others": [
                {"heads": others, **found(mean_ablation(written, others))}
                for others in others_like(heads, lens.heads)
            ],
        }
        facts[f"{name} in the list"] = found(only_at(way, ENTRY))
    return facts


def neck_facts(lens: Lens, mazes: MazeSet, neck: str = BETWEENNESS) -> dict:
    """How attention goes with being a bottleneck, each number with its interval.

    raw; partial, other things equal; within, and the cells of each maze ranked among
    themselves. heads: the last for each head, without.
    """
    table, given = cell_table(mazes), received(lens, mazes)
    maze, total = table["maze"].to_numpy(), given.sum((1, 2)).ravel()

    def one(**how) -> list[float]:
        def at(rows: np.ndarray) -> float:
            return correlation(total[rows], table.iloc[rows], neck=neck, **how)

        interval = bootstrap_groups(maze, at, resamples=200)
        return rounded([at(np.arange(len(maze))), *interval])

    each = np.moveaxis(given, 0, 2).reshape(*given.shape[1:3], -1)
    heads = [
        [correlation(head, table, within=True, neck=neck) for head in layer]
        for layer in each
    ]
    found = {"raw": one(equal=[]), "partial": one(), "within": one(within=True)}
    return found | {"heads": rounded(heads)}


def facts_of(name: str, test: MazeSet, other: MazeSet) -> dict:
    """All that is measured of one network."""
    lens = open_lens(network(name))
    if name in (CYCLIC, UNTRAINED):
        cyclic, _ = shifts.shifts()["cycles, p = 0.2"].draw(SCORED)
        cut = {"cuts": neck_facts(lens, cyclic, ARTICULATION)}
        if name == CYCLIC:
            return cut
    chosen, scores = head_scores(lens, other), head_scores(lens, test)
    best = {name: best_head(getattr(chosen, name)) for name in ("walled", "entries")}
    facts = {
        "scores": score_facts(scores),
        "best": best,
        "heeds": {k: heeds_passages(scores, head) for k, head in best.items()},
        "bottlenecks": neck_facts(lens, test),
    }
    if name == UNTRAINED:
        return facts | cut
    sets = sets_of_heads(chosen)
    earlier = {k: v for k, v in sets.items() if k not in ("walled", "entries")}
    written = mean_outputs(lens, other, np.ndindex(lens.layers, lens.heads))
    facts["without"] = {
        k: without(lens, test, heads, chosen, written, k == FULLY)
        for k, heads in sets.items()
    }
    facts["search"] = search_without(lens, test, best["entries"], earlier, written)
    facts["finders"] = looked_at(lens, test, above(chosen, ["entries"], QUARTER))
    if name == CLIMBER:
        facts["ladder"] = rungs(test[:CLIMBING])
    return facts


def rungs(mazes: MazeSet) -> list[dict]:
    """What the climber's heads looked at along its ladder, and how it did then."""
    found = []
    for rung in tqdm([*zoo.ladder(CLIMBER), CLIMBER], "ladder"):
        trained = zoo.load(rung)
        lens = open_lens(trained)
        scores = head_scores(lens, mazes)
        kept = {name: rounded(getattr(scores, name).mean(0)) for name in SHOWN}
        facts = {"questions": trained.card["questions"], "n": len(mazes)}
        found.append(facts | {"scores": kept} | did(step_choices(lens, mazes)))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all networks, or those that are named, and write the table."""
    one_thread()
    names = names_asked(__doc__, NETWORKS, arguments)
    stream = MazeStream(zoo.held_out("dfs5"))
    test, other = stream.take(0, SCORED), stream.take(50_000, CHOOSING)
    about = {"made_by": "python -m experiments.heads", "n": len(test)}
    for name in tqdm(names, "networks"):
        weights = zoo.hashes({name} - {UNTRAINED})
        row = {"model": name, **facts_of(name, test, other)}
        replace_rows(TABLE, [name], [row], weights, **about)


if __name__ == "__main__":
    main()
