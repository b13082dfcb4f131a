"""What the attention heads of dfs5, its other seeds and an untrained network are for.

    python tools/heads.py                   # writes data/results/heads.json

For each network: what every head looks at, on 1,000 test mazes; the heads that score
highest on 500 others, and what the network still does without them; what of the search
for a cell's entries is left without the heads that look within an entry; how attention
goes with betweenness. And what the heads look at along the ladder.
"""

import json
from itertools import combinations, product

import numpy as np
from tqdm.auto import tqdm

from mazelib import zoo
from mazelib.checkpoint import TrainedModel
from mazelib.dataset import MazeSet, MazeStream
from mazelib.errors import MazelibError
from mazelib.evidence import RESULTS
from mazelib.files import replacing
from mazelib.internals.ablation import (
    Head,
    head_outputs,
    mean_ablation,
    mean_outputs,
    resample_ablation,
    step_choices_under,
)
from mazelib.internals.attention import (
    HeadScores,
    Scores,
    best_head,
    entry_attention,
    head_scores,
)
from mazelib.internals.bottlenecks import cell_table, received, with_betweenness
from mazelib.internals.lens import Lens, open_lens
from mazelib.intervals import bootstrap_groups, bootstrap_mean
from mazelib.model import MazeModelConfig, build

TRAINED = ("dfs5", "dfs5-seed1", "dfs5-seed2")
WITHIN = ("semicolon_to_first", "semicolon_to_second", "second_to_first")
"""What a head may look at within an entry."""
SHOWN = ("walled", "joined", "entries", "own_cells", "previous", *WITHIN)
"""The scores that are kept of every head."""
SCORED, CHOOSING, CLIMBING = 1000, 500, 200
"""Test mazes that heads are scored on, chosen on, and followed along the ladder on."""
FIRST_STAGE = 0.5
"""What a head of the first stage looks at within an entry, at least."""
DRAWS = 20
"""Sets of heads, at most, that the ones found are compared with."""


def network(name: str) -> TrainedModel:
    """A model by name; "untrained" is one of dfs5's shape with random weights."""
    if name != "untrained":
        return zoo.load(name)
    trained = zoo.load("dfs5")
    config = MazeModelConfig(**trained.card["model"])
    return trained._replace(model=build(config, seed=1))


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
    """How differently a head treats neighbours behind a passage and behind a wall.

    The difference of what one token of each gets over the sum, without its sign.
    """
    both = np.stack([s[:, *head] for s in (scores.joined_each, scores.walled_each)], 1)

    def statistic(some: np.ndarray) -> float:
        joined, walled = some.mean(0)
        return abs(joined - walled) / (joined + walled)

    return one_number(both, statistic)


def top_heads(scores: Scores, count: int = 3) -> list[Head]:
    """The heads with the highest means, best first."""
    mean = scores.mean(0)
    order = np.argsort(-mean, axis=None)[:count]
    return [tuple(map(int, np.unravel_index(at, mean.shape))) for at in order]


def earlier(scores: Scores, chosen: HeadScores) -> list[Head]:
    """Heads with half of such a score, in layers before the best that finds entries."""
    last, _ = best_head(chosen.entries)
    mean = scores.mean(0)[:last]
    return [tuple(map(int, head)) for head in np.argwhere(mean >= FIRST_STAGE)]


def first_stage(chosen: HeadScores) -> list[Head]:
    """Heads that look within an entry from both of its tokens, taken together."""
    return earlier(chosen.own_cells, chosen)


def any_stage(chosen: HeadScores) -> list[Head]:
    """Heads that look within an entry from any of its tokens to any of its cells."""
    return sorted(
        {h for name in WITHIN for h in earlier(getattr(chosen, name), chosen)}
    )


def others_like(heads: list[Head], per_layer: int) -> list[list[Head]]:
    """Other sets of heads, as many in each layer: all, or as many as `DRAWS` of them.

    Of a layer's other heads, where it has enough of them. Raises MazelibError for heads
    that are all there are in their layers.
    """
    layers = []
    for layer in sorted({layer for layer, _ in heads}):
        taken = {head for at, head in heads if at == layer}
        left = set(range(per_layer)) - taken
        pool = left if len(left) >= len(taken) else range(per_layer)
        sets = [set(some) for some in combinations(sorted(pool), len(taken))]
        sets = [some for some in sets if some != taken] or [taken]
        layers.append([[(layer, head) for head in sorted(some)] for some in sets])
    every = [[head for part in parts for head in part] for parts in product(*layers)]
    if every == [sorted(heads)]:
        raise MazelibError(f"{heads} are all the heads of their layers: none is left")
    drawn = np.random.default_rng(0).permutation(len(every))[:DRAWS]
    return [every[at] for at in sorted(drawn)]


def without(lens: Lens, mazes: MazeSet, heads: list[Head]) -> dict:
    """What a network still does without heads, and without others in their place.

    Fork accuracy and the share of legal steps: with all heads, without these, and the
    means without each set of others; how much more the fall in fork accuracy is than
    the mean of the others' (`excess`, with its interval over mazes).
    """
    others = others_like(heads, lens.heads)
    sets = {"these": heads} | {str(i): some for i, some in enumerate(others)}
    rng = np.random.default_rng(1)
    replacements = {k: resample_ablation(lens, some, rng) for k, some in sets.items()}
    sites = head_outputs({head for some in sets.values() for head in some})
    tables = step_choices_under(lens, mazes, {"all": None, **replacements}, sites)
    forks = {k: t["right"][t["is_fork"]].to_numpy() for k, t in tables.items()}
    maze = tables["all"]["maze"][tables["all"]["is_fork"]].to_numpy()
    beside = np.mean([forks[str(i)] for i in range(len(others))], 0)
    excess = beside - forks["these"]
    interval = bootstrap_groups(maze, lambda rows: excess[rows].mean())
    falls = {k: forks["all"].mean() - right.mean() for k, right in forks.items()}
    legal = {k: table["legal"].mean() for k, table in tables.items()}
    names = ("all", "these")
    return {
        "heads": heads,
        "forks": rounded([forks[k].mean() for k in names]),
        "legal": rounded([legal[k] for k in names]),
        "excess": rounded([excess.mean(), *interval]),
        "others": [
            {"heads": some, "fall": round(falls[k], 4), "legal": round(legal[k], 4)}
            for k, some in sets.items()
            if k != "these"
        ],
    }


def two_stages(
    lens: Lens, mazes: MazeSet, second: Head, first: list[Head], means: MazeSet
) -> dict:
    """What is lost of a head's search for entries when heads write their average.

    `lost` is the share of it, with its interval over mazes, that goes with the heads of
    the first stage; `others` with heads in their place. `tokens`: which tokens of an
    entry the head looks at, before and after, by whether the entry names the cell first
    or second.
    """
    facts = {"second": second, "first": first, "lost": [0.0, 0.0, 0.0], "others": []}
    if not first:
        return facts
    others = others_like(first, lens.heads)
    every = {head for some in [first, *others] for head in some}
    written = mean_outputs(lens, means, sorted(every))

    def left(heads: list[Head]) -> tuple[np.ndarray, np.ndarray]:
        kept = {site: written[site] for site in head_outputs(heads)}
        return entry_attention(lens, mazes, second, mean_ablation(kept))

    (before, whole), (after, rest) = left([]), left(first)
    lost = one_number(
        np.stack([before, after], 1), lambda v: 1 - v[:, 1].mean() / v[:, 0].mean()
    )
    beside = [1 - left(some)[0].mean() / before.mean() for some in others]
    tokens = rounded([whole.mean(0), rest.mean(0)])
    return facts | {"lost": lost, "others": rounded(beside), "tokens": tokens}


def neck_facts(lens: Lens, mazes: MazeSet) -> dict:
    """How attention goes with betweenness, other things equal: overall, each head, raw.

    Only the first has an interval.
    """
    table, given = cell_table(mazes), received(lens, mazes)
    maze, total = table["maze"].to_numpy(), given.sum((1, 2)).ravel()

    def partial(rows: np.ndarray) -> float:
        return with_betweenness(total[rows], table.iloc[rows])

    interval = bootstrap_groups(maze, partial, resamples=200)
    each = np.moveaxis(given, 0, 2).reshape(*given.shape[1:3], -1)
    return {
        "partial": rounded([with_betweenness(total, table), *interval]),
        "raw": round(with_betweenness(total, table, equal=[]), 4),
        "heads": rounded([[with_betweenness(h, table) for h in row] for row in each]),
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
    sets = {k: top_heads(getattr(chosen, k)) for k in ("walled", "entries")}
    stages = {"stages": first_stage(chosen), "any_stages": any_stage(chosen)}
    sets |= {"first stage": stages["stages"]} if stages["stages"] else {}
    facts["without"] = {k: without(lens, test, heads) for k, heads in sets.items()}
    for name, first in stages.items():
        facts[name] = two_stages(lens, test, best["entries"], first, other)
    return facts


def rungs(mazes: MazeSet) -> list[dict]:
    """What the heads of dfs5 looked at along the ladder, and how it did then."""
    found = []
    for rung in tqdm([*zoo.ladder("dfs5"), "dfs5"], "ladder"):
        trained = zoo.load(rung)
        lens = open_lens(trained)
        scores = head_scores(lens, mazes)
        steps = step_choices_under(lens, mazes, {"all": None})["all"]
        kept = {name: rounded(getattr(scores, name).mean(0)) for name in SHOWN}
        forks = steps["right"][steps["is_fork"]].mean()
        did = {"forks": round(forks, 4), "legal": round(steps["legal"].mean(), 4)}
        found.append({"questions": trained.card["questions"], **did, "scores": kept})
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
    RESULTS.mkdir(parents=True, exist_ok=True)
    with replacing(RESULTS / "heads.json") as temporary:
        temporary.write_text(json.dumps(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
