"""What the attention heads of dfs5, its other seeds and an untrained network are for.

    python tools/heads.py                   # writes data/results/heads.json

For each network: what every head looks at, on 1,000 test mazes; what the network still
does without some of them, chosen on 500 others by what they look at; what of the search
for a cell's entries is left then; how attention goes with betweenness. And what the
heads look at along the ladder.
"""

import numpy as np
import pandas as pd
from torch import Tensor
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.checkpoint import TrainedModel
from mazelib.dataset import MazeSet, MazeStream
from mazelib.evidence import RESULTS
from mazelib.files import write_json
from mazelib.internals.ablation import (
    Head,
    Replacement,
    head_outputs,
    mean_ablation,
    mean_outputs,
    only_at,
    resample_ablation,
    step_choices,
    step_choices_under,
)
from mazelib.internals.attention import (
    HeadScores,
    best_head,
    entry_attention,
    head_scores,
)
from mazelib.internals.bottlenecks import cell_table, received, with_betweenness
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
from mazelib.intervals import bootstrap_groups, bootstrap_mean

TRAINED = ("dfs5", "dfs5-seed1", "dfs5-seed2")
SHOWN = (
    *("walled", "walled_from_list", "walled_from_ends", "joined", "previous_cell"),
    *("entries", "own_cells", *WITHIN, "previous"),
)
"""The scores that are kept of every head."""
SCORED, CHOOSING, CLIMBING = 1000, 500, 200
"""Test mazes that heads are scored on, chosen on, and followed along the ladder on."""


def network(name: str) -> TrainedModel:
    """A model by name; "untrained" is one of dfs5's shape with random weights."""
    return zoo.untrained("dfs5") if name == "untrained" else zoo.load(name)


def rounded(numbers: np.ndarray) -> list:
    """Numbers to four places, as lists."""
    return np.round(np.asarray(numbers, float), 4).tolist()


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


def averaged(written: dict[Site, Tensor], heads: list[Head]) -> Replacement:
    """Heads write what they write on average."""
    return mean_ablation({site: written[site] for site in head_outputs(heads)})


def without(
    lens: Lens,
    mazes: MazeSet,
    heads: list[Head],
    chosen: HeadScores,
    written: dict[Site, Tensor],
) -> dict:
    """What a network still does without heads, and without others in their place.

    Shares of right forks and of legal steps, each with its interval over mazes: with
    all heads; with theirs from another maze, everywhere, in the list, or on the path
    alone; with their average. others: the means over sets of heads without a job, and
    the least.
    """
    rng, drawn = np.random.default_rng(1), without_a_job(chosen, len(heads))
    resampled = resample_ablation(lens, heads, rng)
    ways = {
        "all": None,
        "resampled": resampled,
        "resampled in the list": only_at(resampled, ENTRY),
        "resampled on the path": only_at(resampled, ("path",)),
        "averaged": averaged(written, heads),
    }
    controls = {str(i): resample_ablation(lens, h, rng) for i, h in enumerate(drawn)}
    sites = head_outputs({head for some in [heads, *drawn] for head in some})
    tables = step_choices_under(lens, mazes, ways | controls, sites)
    facts = {way: did(tables[way]) for way in ways}
    beside = [did(tables[name]) for name in controls]
    for column in ("forks", "legal"):
        values = [found[column][0] for found in beside]
        facts.setdefault("others", {})[column] = rounded([np.mean(values), min(values)])
    return {"heads": heads, "sets": len(drawn), **facts}


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
    `tokens`, by which tokens of an entry the head finds it then. "": with all heads.
    """

    def left(heads: list[Head]) -> tuple[np.ndarray, np.ndarray]:
        return entry_attention(lens, mazes, second, averaged(written, heads))

    before, tokens = left([])
    facts = {"": {"lost": [0.0] * 3, "tokens": rounded(tokens.mean(0))}}
    for name, heads in sets.items():
        after, tokens = left(heads)
        lost = one_number(
            np.stack([before, after], 1), lambda v: 1 - v[:, 1].mean() / v[:, 0].mean()
        )
        facts[name] = {"lost": lost, "tokens": rounded(tokens.mean(0))}
    return facts


def neck_facts(lens: Lens, mazes: MazeSet) -> dict:
    """How attention goes with betweenness: raw, other things equal, and within mazes.

    heads: the last for each head. Only the second has an interval.
    """
    table, given = cell_table(mazes), received(lens, mazes)
    maze, total = table["maze"].to_numpy(), given.sum((1, 2)).ravel()

    def partial(rows: np.ndarray) -> float:
        return with_betweenness(total[rows], table.iloc[rows])

    interval = bootstrap_groups(maze, partial, resamples=200)
    each = np.moveaxis(given, 0, 2).reshape(*given.shape[1:3], -1)
    heads = [[with_betweenness(h, table, within=True) for h in row] for row in each]
    return {
        "raw": round(with_betweenness(total, table, equal=[]), 4),
        "partial": rounded([with_betweenness(total, table), *interval]),
        "within": round(with_betweenness(total, table, within=True), 4),
        "heads": rounded(heads),
    }


def facts_of(name: str, test: MazeSet, other: MazeSet) -> dict:
    """All that is measured of one network."""
    lens = open_lens(network(name))
    chosen, scores = head_scores(lens, other), head_scores(lens, test)
    best = {name: best_head(getattr(chosen, name)) for name in ("walled", "entries")}
    facts = {
        "scores": score_facts(scores),
        "best": best,
        "heeds": {k: heeds_passages(scores, head) for k, head in best.items()},
        "bottlenecks": neck_facts(lens, test),
    }
    if name == "untrained":
        return facts
    sets = sets_of_heads(chosen)
    earlier = {k: v for k, v in sets.items() if k not in ("walled", "entries")}
    earlier |= {f"not {k}": others_like(v, lens.heads) for k, v in earlier.items()}
    every = {head for some in [*sets.values(), *earlier.values()] for head in some}
    written = mean_outputs(lens, other, sorted(every))
    facts["without"] = {
        k: without(lens, test, heads, chosen, written) for k, heads in sets.items()
    }
    facts["search"] = search_without(lens, test, best["entries"], earlier, written)
    facts["finders"] = looked_at(lens, test, above(chosen, ["entries"], QUARTER))
    return facts


def rungs(mazes: MazeSet) -> list[dict]:
    """What the heads of dfs5 looked at along the ladder, and how it did then."""
    found = []
    for rung in tqdm([*zoo.ladder("dfs5"), "dfs5"], "ladder"):
        trained = zoo.load(rung)
        lens = open_lens(trained)
        scores = head_scores(lens, mazes)
        kept = {name: rounded(getattr(scores, name).mean(0)) for name in SHOWN}
        facts = {"questions": trained.card["questions"], "n": len(mazes)}
        steps = step_choices(lens, mazes)
        found.append(facts | {"scores": kept} | did(steps))
    return found


def main() -> None:
    """Measure everything and write the table."""
    stream = MazeStream(zoo.held_out("dfs5"))
    test, other = stream.take(0, SCORED), stream.take(50_000, CHOOSING)
    names = [name for name in TRAINED if name in zoo.names()]
    facts = {
        "made_by": "python tools/heads.py",
        "n": len(test),
        "networks": {
            name: facts_of(name, test, other)
            for name in tqdm([*names, "untrained"], "networks")
        },
        "ladder": rungs(test[:CLIMBING]),
    }
    write_json(RESULTS / "heads.json", facts)


if __name__ == "__main__":
    main()
