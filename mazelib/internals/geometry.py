"""How vectors that stand for cells lie: near where the cells are near, apart in sets?

    near = distances(cell_embeddings(lens, 5), "cosine")
    value, null = mantel(near, lattice_distances(5))       # a rank correlation
    low, high = mantel_interval(near, lattice_distances(5))

`mantel` asks whether two tables of distances between the same things go together,
`silhouette` whether sets of things lie apart, `purity` whether neighbours are alike;
each has a null in which names are shuffled.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Integer
from scipy.spatial.distance import cdist
from scipy.stats import rankdata
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from mazelib.errors import MazelibError

METRICS = {"cosine": "cosine", "L1": "cityblock", "L2": "euclidean"}
Table = Float[np.ndarray, "things things"]


class Tested(NamedTuple):
    """A statistic, and what it is where names are shuffled."""

    value: float
    null: Float[np.ndarray, "draws"]

    @property
    def high(self) -> float:
        """The null's 95th percentile."""
        return float(np.quantile(self.null, 0.95))


def distances(vectors: Float[np.ndarray, "things width"], metric: str) -> Table:
    """The distances of vectors: "cosine" (1 less the cosine), "L1" or "L2"."""
    if metric not in METRICS:
        raise MazelibError(f"metric is {metric!r}: take one of {', '.join(METRICS)}")
    return cdist(vectors, vectors, METRICS[metric])


def lattice_distances(n: int) -> Table:
    """The Manhattan distances of the cells of a grid of side n."""
    place = np.stack(np.divmod(np.arange(n * n), n), 1)
    return cdist(place, place, "cityblock")


def correlation(a: Table, b: Table, ranks: bool = True) -> float:
    """Spearman's (or Pearson's) correlation of two tables over all pairs of things."""
    above = np.triu_indices(len(a), 1)
    x, y = a[above], b[above]
    x, y = (rankdata(x), rankdata(y)) if ranks else (x, y)
    return float(np.corrcoef(x, y)[0, 1])


def mantel(
    a: Table, b: Table, ranks: bool = True, draws: int = 1000, seed: int = 0
) -> Tested:
    """The correlation of two tables of distances, and its null (Mantel 1967).

    Pairs of things are not independent, so the things are permuted, not the pairs.
    """
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(draws):
        order = rng.permutation(len(a))
        null.append(correlation(a[np.ix_(order, order)], b, ranks))
    return Tested(correlation(a, b, ranks), np.array(null))


def mantel_interval(
    a: Table, b: Table, ranks: bool = True, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The correlation's interval of 95%: things are drawn anew (percentile bootstrap).

    Pairs of a thing with itself are left out.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(len(a), size=len(a))
        first, second = np.triu_indices(len(a), 1)
        first, second = drawn[first], drawn[second]
        apart = first != second
        x, y = a[first, second][apart], b[first, second][apart]
        x, y = (rankdata(x), rankdata(y)) if ranks else (x, y)
        found.append(np.corrcoef(x, y)[0, 1])
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def silhouette(
    vectors: Float[np.ndarray, "things width"],
    labels: Integer[np.ndarray, "things"],
    draws: int = 1000,
    seed: int = 0,
) -> Tested:
    """How far sets of things lie apart, by cosine, and the null of shuffled labels.

    The mean over things of (b - a) / max(a, b), where a is the mean distance to the
    other things of the own set and b that to the nearest other set (Rousseeuw 1987).
    """
    table, rng = distances(vectors, "cosine"), np.random.default_rng(seed)
    np.fill_diagonal(table, 0)

    def score(names: np.ndarray) -> float:
        return float(silhouette_score(table, names, metric="precomputed"))

    null = [score(rng.permutation(labels)) for _ in range(draws)]
    return Tested(score(labels), np.array(null))


class Purity(NamedTuple):
    """Of a thing's nearest neighbours, the share that is of its kind, and of all."""

    near: Float[np.ndarray, "things"]
    all: Float[np.ndarray, "things"]


def purity(
    vectors: Float[np.ndarray, "things width"],
    kinds: Int[np.ndarray, "things"],
    neighbours: int = 10,
) -> Purity:
    """How many of a thing's nearest neighbours (by Euclid) are of its kind.

    `all` is that share among all other things, to be compared with: the neighbours'
    where the vectors say nothing of the kind. Raises MazelibError for too few things.
    """
    if len(vectors) <= neighbours:
        raise MazelibError(
            f"{len(vectors)} things have no {neighbours} neighbours each: take fewer"
        )
    found = NearestNeighbors(n_neighbors=neighbours).fit(vectors)
    near = found.kneighbors(return_distance=False)  # a thing is not its own neighbour
    alike = (kinds[near] == kinds[:, None]).mean(1)
    count = (kinds[:, None] == kinds).sum(1) - 1
    return Purity(alike, count / (len(kinds) - 1))
