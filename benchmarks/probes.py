"""A probe for each of 25 cells at 9 layers and 4 roles: all in one fit, and one by one.

Both sides fit the same probes: logistic regressions on standardized features, for five
strengths of the penalty each, of which that with the least log loss on other mazes is
taken. scikit-learn fits some of them, drawn by chance, and its rate is compared; how
far the scores of these are apart is printed, too.
"""

import argparse
import warnings

import numpy as np
from rounds import compare, table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from mazelib.dataset.stream import MazeStream
from mazelib.evidence.classification import auroc
from mazelib.internals.lens import open_lens
from mazelib.internals.plans import future, path_steps
from mazelib.internals.probes import CHOOSE, FIT, SCORE, STRENGTHS, fit, parts_of
from mazelib.internals.streams import at_role, at_steps, streams_at
from mazelib.models import zoo

ROLES = ("target", "target_end", "path_start")


def one_by_one(
    features: np.ndarray, labels: np.ndarray, part: np.ndarray
) -> tuple[np.ndarray, int]:
    """The scores of one probe by scikit-learn, and how many were fitted for it."""
    scaler = StandardScaler().fit(features[part == FIT])
    given, best = scaler.transform(features), (np.inf, None)
    for strength in STRENGTHS:
        probe = LogisticRegression(C=1 / strength, max_iter=1000)
        probe.fit(given[part == FIT], labels[part == FIT])
        chance = probe.predict_proba(given[part == CHOOSE])[:, 1]
        loss = log_loss(labels[part == CHOOSE], chance)
        best = min(best, (loss, probe), key=lambda pair: pair[0])
    return best[1].decision_function(given), len(STRENGTHS)


def main() -> None:
    """Run the comparison, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mazes", type=int, default=4000)
    parser.add_argument("--some", type=int, default=24, help="by scikit-learn, a round")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, arguments.mazes)
    steps, part = path_steps(mazes, "start"), parts_of(mazes)
    wheres = {role: at_role(role) for role in ROLES}
    wheres |= {"origin": at_steps(path_steps(mazes, "origin"))}
    streams = streams_at(open_lens(zoo.load("dfs5")), mazes, wheres)
    features = np.concatenate(list(streams.values()))
    labels, rng = future(mazes, steps), np.random.default_rng(0)
    sites, cells = len(features), labels.shape[1]
    fitted = fit(features, labels, part)

    def ours() -> int:
        fit(features, labels, part)
        return sites * cells * len(STRENGTHS)

    apart = []

    def theirs() -> int:
        count = 0
        for _ in range(arguments.some):
            site, cell = rng.integers(sites), rng.integers(cells)
            scores, probes = one_by_one(features[site], labels[:, cell], part)
            rows, count = part == SCORE, count + probes
            mine = features[site] @ fitted.weights[site, :, cell]
            both = np.stack([scores, mine], 1)[rows]
            areas = auroc(both, labels[rows][:, [cell, cell]])
            apart.append(abs(areas[0] - areas[1]))
        return count

    rates = compare({"all at once": ours, "scikit-learn": theirs}, arguments.rounds)
    title = f"{sites * cells} probes, {len(STRENGTHS)} penalties each"
    print(table(title, "a second", rates, "all at once"))
    print(f"AUROC differs by {np.max(apart):.4f} at most, of {len(apart)} probes")


if __name__ == "__main__":
    main()
