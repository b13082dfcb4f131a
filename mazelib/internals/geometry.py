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
from jaxtyping import Bool, Float, Int, Integer
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


def correlation(
    a: Table,
    b: Table,
    ranks: bool = True,
    pairs: Bool[np.ndarray, "things things"] | None = None,
) -> float:
    """Spearman's (or Pearson's) correlation of two tables over all pairs of things.

    pairs: those that count, symmetric.
    """
    counts = np.ones(a.shape, bool) if pairs is None else pairs
    above = np.nonzero(np.triu(counts, 1))
    x, y = a[above], b[above]
    x, y = (rankdata(x), rankdata(y)) if ranks else (x, y)
    return float(np.corrcoef(x, y)[0, 1])


def mantel(
    a: Table,
    b: Table,
    ranks: bool = True,
    pairs: Bool[np.ndarray, "things things"] | None = None,
    within: Integer[np.ndarray, "things"] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Tested:
    """The correlation of two tables of distances, and its null (Mantel 1967).

    Pairs of things are not independent, so the things are permuted, not the pairs.
    pairs: those of `b` that count. within: a kind of each thing; it is exchanged with
    others of its kind alone, which leaves in the null what the kinds bring about.
    """
    rng = np.random.default_rng(seed)
    kinds = np.zeros(len(a), int) if within is None else within
    orders = np.empty((draws, len(a)), int)
    orders[:, np.argsort(kinds, kind="stable")] = np.argsort(
        kinds + rng.random((draws, len(a))), axis=1
    )
    counts = np.ones(a.shape, bool) if pairs is None else pairs
    first, second = np.nonzero(np.triu(counts, 1))
    x, y = a[orders[:, first], orders[:, second]], b[first, second]
    x, y = (rankdata(x, axis=1), rankdata(y)) if ranks else (x, y)
    x, y = x - x.mean(1, keepdims=True), y - y.mean()
    null = x @ y / np.sqrt((x**2).sum(1) * (y**2).sum())
    return Tested(correlation(a, b, ranks, pairs), null)


def mantel_interval(
    a: Table,
    b: Table,
    ranks: bool = True,
    pairs: Bool[np.ndarray, "things things"] | None = None,
    draws: int = 1000,
    seed: int = 0,
    less: Table | None = None,
) -> tuple[float, float]:
    """The correlation's interval of 95%: things are drawn anew (percentile bootstrap).

    Pairs of a thing with itself are left out, and those not in `pairs`, as in `mantel`.
    less: another table, whose correlation with b is taken off that of a, draw by draw.
    """
    counted = ~np.eye(len(a), dtype=bool) if pairs is None else pairs
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(len(a), size=len(a))
        first, second = np.triu_indices(len(a), 1)
        first, second = drawn[first], drawn[second]
        apart = (first != second) & counted[first, second]
        tables = [a, b] if less is None else [a, b, less]
        columns = [table[first, second][apart] for table in tables]
        columns = [rankdata(x) for x in columns] if ranks else columns
        with_b = np.corrcoef(columns)[1]
        found.append(with_b[0] - with_b[2:].sum())
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


def silhouette_interval(
    vectors: Float[np.ndarray, "things width"],
    labels: Integer[np.ndarray, "things"],
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The silhouette's interval of 95%: things are drawn anew (percentile bootstrap).

    Distances of a thing to itself are left out, as in `mantel_interval`.
    """
    table, rng = distances(vectors, "cosine"), np.random.default_rng(seed)
    counts = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), draws)
    found = [_silhouette(table, labels, count) for count in counts]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _silhouette(table: Table, labels: np.ndarray, count: np.ndarray) -> float:
    """The silhouette of things each of which is there some number of times."""
    is_of = labels[:, None] == np.unique(labels)
    weight = is_of * count[:, None]
    others = weight.sum(0) - is_of * count[:, None]
    total = table @ weight - is_of * (np.diag(table) * count)[:, None]
    mean = np.divide(total, others, out=np.full(total.shape, np.inf), where=others > 0)
    own, other = mean[is_of], np.where(is_of, np.inf, mean).min(1)
    known = np.isfinite(own) & np.isfinite(other)  # else alone in its set: 0
    scores = np.zeros(len(labels))
    own, other = own[known], other[known]
    scores[known] = (other - own) / np.maximum(own, other)
    return float(scores @ count / count.sum())


class Purity(NamedTuple):
    """How much oftener a thing's nearest neighbours are of its kind than all others.

    excess: the share of its neighbours less that of all others in its group; NaN where
    the group is too small. most: the largest that it could be, with all things of the
    kind the nearest. null: the mean excess where kinds are shuffled in groups.
    """

    excess: Float[np.ndarray, "things"]
    most: Float[np.ndarray, "things"]
    null: Float[np.ndarray, "draws"]

    @property
    def high(self) -> float:
        """The null's 95th percentile."""
        return float(np.quantile(self.null, 0.95))


def purity(
    vectors: Float[np.ndarray, "things width"],
    kinds: Integer[np.ndarray, "things"],
    groups: Integer[np.ndarray, "things"],
    sought: Integer[np.ndarray, "things"] | None = None,
    neighbours: int = 10,
    draws: int = 20,
    seed: int = 0,
) -> Purity:
    """Whether a thing's nearest neighbours (by Euclid) in its group are of its kind.

    sought: the kind that each thing's neighbours are compared with, if not its own.
    Groups of fewer than twice as many things as neighbours are left out. Raises
    MazelibError if all are.
    """
    rng = np.random.default_rng(seed)
    sought = kinds if sought is None else sought
    found = np.full((1 + draws, len(vectors)), np.nan)
    most = np.full(len(vectors), np.nan)
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    for members in np.split(order, starts[1:]):
        if len(members) >= 2 * neighbours:
            near = nearest(vectors[members], neighbours)
            own, asked = kinds[members], sought[members]
            found[0, members] = excess(near, own, asked)
            others = others_of(own, asked)
            most[members] = np.minimum(1, others / neighbours)
            most[members] -= others / (len(members) - 1)
            for row in found[1:]:
                shuffled = rng.permutation(len(members))
                row[members] = excess(near, own[shuffled], asked[shuffled])
    if np.isnan(found[0]).all():
        raise MazelibError(
            f"no group has {2 * neighbours} things, twice as many as {neighbours} "
            "neighbours: take more things or fewer neighbours"
        )
    return Purity(found[0], most, np.nanmean(found[1:], 1))


def nearest(
    vectors: Float[np.ndarray, "things width"], count: int
) -> Int[np.ndarray, "things count"]:
    """The nearest other things of each, by Euclid."""
    return NearestNeighbors(n_neighbors=count).fit(vectors).kneighbors()[1]


def excess(near: np.ndarray, kinds: np.ndarray, sought: np.ndarray) -> np.ndarray:
    """The share of neighbours of the sought kind, less that of all other things."""
    others = others_of(kinds, sought)
    return (kinds[near] == sought[:, None]).mean(1) - others / (len(kinds) - 1)


def others_of(kinds: np.ndarray, sought: np.ndarray) -> np.ndarray:
    """How many others there are of the kind that is sought, for each thing."""
    values, at = np.unique(np.concatenate([kinds, sought]), return_inverse=True)
    own, sought = at[: len(kinds)], at[len(kinds) :]
    return np.bincount(own, minlength=len(values))[sought] - (own == sought)
