"""Every way of making mazes, by name, in batches.

    right, down = generate(MazeConfig("wilson", grid=6), count=1000, seed=0)

gives `right[1000, 6, 5]` and `down[1000, 5, 6]` (see `mazelib.mazes.maze`). The
algorithms are in `trees` (spanning trees, two of them uniform), `biased` (spanning
trees with a visible bias) and `graphs` (cycles, corridors, open fields).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from mazelib.errors import MazelibError, check_fields

GENERATORS = {
    "dfs": ("trees.depth_first", ("start", "size", "max_depth")),
    "prim": ("trees.prim", ("start", "size")),
    "kruskal": ("trees.kruskal", ()),
    "wilson": ("trees.wilson", ("start",)),
    "aldous_broder": ("trees.aldous_broder", ("start", "size")),
    "hunt_and_kill": ("trees.hunt_and_kill", ("start", "size")),
    "recursive_division": ("biased.recursive_division", ()),
    "binary_tree": ("biased.binary_tree", ()),
    "sidewinder": ("biased.sidewinder", ()),
    "percolation": ("graphs.percolation", ("p",)),
    "dfs_percolation": ("graphs.depth_first_percolation", ("start", "p")),
    "mixed": ("graphs.mixed", ("p",)),
    "forkless": ("graphs.forkless", ("start", "size")),
    "open_field": ("graphs.open_field", ()),
    "open_field_obstacle": ("graphs.open_field_obstacle", ()),
}
"""Generator names, where each is (numba is imported on first use), its options."""

PERFECT = tuple(GENERATORS)[:9]
"""The generators whose mazes are spanning trees, unless made sparse or shallow."""

MAX_GRID = 64


@dataclass(frozen=True)
class MazeConfig:
    """What mazes to make.

    generator: one of `GENERATORS`.
    grid: cells along a side, 2 to 64.
    p: probability of an open edge, where there is percolation (0.4 if not given).
    start: the cell, row * grid + col, where the generator begins (default: random).
    max_depth: most steps from the start, for depth-first search.
    accessible: fraction of the cells to reach; below 1 the maze is sparse.

    Raises MazelibError for a value out of range or an option the generator lacks.
    """

    generator: str = "dfs"
    grid: int = 6
    p: float | None = None
    start: int | None = None
    max_depth: int | None = None
    accessible: float = 1.0

    def __post_init__(self):
        cells = self.grid * self.grid
        if self.generator not in GENERATORS:
            names = ", ".join(GENERATORS)
            raise MazelibError(
                f"no generator {self.generator!r}: choose one of {names}"
            )
        checks = [
            ("grid", 2 <= self.grid <= MAX_GRID, f"from 2 to {MAX_GRID}"),
            ("p", self.p is None or 0 <= self.p <= 1, "from 0 to 1"),
            (
                "start",
                self.start is None or 0 <= self.start < cells,
                f"a cell from 0 to {cells - 1}",
            ),
            ("max_depth", self.max_depth is None or self.max_depth >= 1, "at least 1"),
            ("accessible", 0 < self.accessible <= 1, "above 0 and at most 1"),
        ]
        check_fields(self, checks)
        self._check_options_apply()

    def _check_options_apply(self):
        given = {
            "p": self.p is not None,
            "start": self.start is not None,
            "max_depth": self.max_depth is not None,
            "size": self.accessible < 1,
        }
        for name, is_given in given.items():
            if is_given and name not in GENERATORS[self.generator][1]:
                takers = [g for g, (_, names) in GENERATORS.items() if name in names]
                label = "accessible" if name == "size" else name
                raise MazelibError(
                    f"generator {self.generator!r} has no option {label}: leave it "
                    f"out, or choose one of {', '.join(takers)}"
                )

    def arguments(self) -> list:
        """The generator's options, in the order its function takes them."""
        cells = self.grid * self.grid
        values = {
            "p": 0.4 if self.p is None else self.p,
            "start": -1 if self.start is None else self.start,
            "max_depth": cells if self.max_depth is None else self.max_depth,
            "size": max(2, round(self.accessible * cells)),
        }
        return [values[name] for name in GENERATORS[self.generator][1]]


def algorithm(name: str):
    """The function behind a generator's name; numba is imported on first use."""
    from mazelib.mazes.generators import biased, graphs, trees

    module, function = GENERATORS[name][0].split(".")
    modules = {"trees": trees, "biased": biased, "graphs": graphs}
    return getattr(modules[module], function)


def generate(
    config: MazeConfig, count: int, seed: int | np.random.Generator
) -> tuple[Bool[np.ndarray, "count n n-1"], Bool[np.ndarray, "count n-1 n"]]:
    """Make `count` mazes; the same seed gives the same mazes."""
    if count < 0:
        raise MazelibError(f"count is {count}, but must be at least 0")
    rng = np.random.default_rng(seed)
    n = config.grid
    right = np.zeros((count, n, n - 1), bool)
    down = np.zeros((count, n - 1, n), bool)
    algorithm(config.generator)(rng, right, down, *config.arguments())
    return right, down
