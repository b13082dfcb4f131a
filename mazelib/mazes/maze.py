"""One maze: a square grid of cells, some neighbours joined by passages.

In: `right[n, n - 1]` (is cell (r, c) joined to (r, c + 1)?) and `down[n - 1, n]` (is it
joined to (r + 1, c)?). A cell is its number, row * n + col. Out: paths as int arrays of
cells, origin first; maps as arrays over the cells.

    maze = Maze.from_connection_list(connections)
    path = maze.shortest_path(0, 35)
    maze.draw(origin=0, target=35, path=path)      # a picture in a notebook
    print(maze.draw(origin=0, target=35).text)     # and in a terminal
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from mazelib.errors import MazelibError
from mazelib.mazes import lattice
from mazelib.mazes.drawing import Cells, Drawing


@dataclass(frozen=True, eq=False)
class Maze:
    """A grid graph, frozen. Two mazes are equal when they have the same passages."""

    right: Bool[np.ndarray, "..."]
    down: Bool[np.ndarray, "..."]

    def __post_init__(self):
        n = len(self.right)
        if n < 2 or self.right.shape != (n, n - 1) or self.down.shape != (n - 1, n):
            raise MazelibError(
                f"right has shape {self.right.shape} and down {self.down.shape}, but a "
                "grid of side n ≥ 2 needs (n, n - 1) and (n - 1, n)"
            )
        for name in ("right", "down"):
            passages = np.array(getattr(self, name), bool)
            passages.setflags(write=False)
            object.__setattr__(self, name, passages)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Maze)
            and np.array_equal(self.right, other.right)
            and np.array_equal(self.down, other.down)
        )

    def __hash__(self) -> int:
        return hash((self.right.tobytes(), self.down.tobytes()))

    def __repr__(self) -> str:
        return f"Maze(n={self.n}, {len(self.edges())} passages)"

    # ── as data ──

    @classmethod
    def from_connection_list(cls, connections: Bool[np.ndarray, "..."]) -> "Maze":
        """The maze of a maze-dataset connection list: index 0 is down, 1 is right.

        Raises MazelibError if a connection would leave the grid.
        """
        connections = np.asarray(connections, bool)
        if connections.ndim != 3 or connections.shape != (
            2,
            *connections.shape[1:2] * 2,
        ):
            raise MazelibError(
                f"a connection list has shape (2, n, n), not {connections.shape}"
            )
        if connections[0, -1].any() or connections[1, :, -1].any():
            raise MazelibError(
                "the connection list joins the last row or column to cells outside "
                "the grid: [0, -1] and [1, :, -1] must be False"
            )
        return cls(connections[1, :, :-1], connections[0, :-1])

    def to_connection_list(self) -> Bool[np.ndarray, "2 n n"]:
        """The passages as maze-dataset lays them out: index 0 is down, 1 is right."""
        connections = np.zeros((2, self.n, self.n), bool)
        connections[0, :-1] = self.down
        connections[1, :, :-1] = self.right
        return connections

    @classmethod
    def from_edges(cls, n: int, edges: Int[np.ndarray, "edges 2"]) -> "Maze":
        """The maze of side n whose passages join the pairs of cells in `edges`.

        Raises MazelibError for a cell outside the grid or a pair that is no neighbours.
        """
        right, down = np.zeros((n, n - 1), bool), np.zeros((n - 1, n), bool)
        known = {tuple(pair) for pair in lattice.edge_ends(n).tolist()}
        for a, b in np.asarray(edges).reshape(-1, 2).tolist():
            if (min(a, b), max(a, b)) not in known:
                raise MazelibError(
                    f"cells {a} and {b} are no neighbours in a grid of side {n}"
                )
            lattice.open_passage(right.ravel(), down.ravel(), n, a, b)
        return cls(right, down)

    def edges(self, walls: bool = False) -> Int[np.ndarray, "edges 2"]:
        """The joined pairs of cells (or, for `walls`, the pairs a wall parts)."""
        is_open = np.concatenate([self.right.ravel(), self.down.ravel()])
        return lattice.edge_ends(self.n)[is_open != walls]

    def to_networkx(self):
        """The maze as a networkx Graph whose nodes are the cells."""
        import networkx as nx

        graph = nx.empty_graph(self.n_cells)
        graph.add_edges_from(self.edges().tolist())
        return graph

    @cached_property
    def canonical_hash(self) -> int:
        """A 64-bit hash that is the same for the maze's turns and mirror images."""
        out = np.empty(1, np.uint64)
        keys = lattice.zobrist_keys(self.n)
        lattice.canonical_hashes(self.right[None], self.down[None], keys, out)
        return int(out[0])

    # ── as a graph ──

    @property
    def n(self) -> int:
        """Cells along a side."""
        return len(self.right)

    @property
    def n_cells(self) -> int:
        """Cells in the grid."""
        return self.n * self.n

    def check_cells(self, cells: Cells) -> None:
        """Raise MazelibError for a cell outside the grid."""
        for cell in cells:
            if not 0 <= cell < self.n_cells:
                raise MazelibError(
                    f"cell {cell} is outside the grid, whose cells are "
                    f"0 to {self.n_cells - 1}"
                )

    @cached_property
    def _links(self) -> tuple[np.ndarray, np.ndarray]:
        links, degree = np.empty((self.n_cells, 4), int), np.empty(self.n_cells, int)
        lattice.link_cells(self.right, self.down, links, degree)
        return links, degree

    @cached_property
    def _neighbours(self) -> tuple[tuple[int, ...], ...]:
        pairs = zip(*(part.tolist() for part in self._links), strict=True)
        return tuple(tuple(sorted(cells[:count])) for cells, count in pairs)

    def neighbours(self, cell: int) -> tuple[int, ...]:
        """The cells joined to `cell`, in ascending order."""
        self.check_cells([cell])
        return self._neighbours[cell]

    @cached_property
    def degree(self) -> Int[np.ndarray, "cells"]:
        """How many passages each cell has."""
        return self._links[1]

    def distances(self, source: int) -> Int[np.ndarray, "cells"]:
        """Steps from `source` to every cell; -1 where there is no way."""
        self.check_cells([source])
        distance = np.empty(self.n_cells, np.int16)
        lattice.distances(*self._links, source, distance)
        return distance

    @cached_property
    def is_connected(self) -> bool:
        """Is there a way between any two cells?"""
        return bool((self.distances(0) >= 0).all())

    @cached_property
    def is_tree(self) -> bool:
        """Is there exactly one way between any two cells (a perfect maze)?"""
        return self.is_connected and len(self.edges()) == self.n_cells - 1

    @cached_property
    def dead_ends(self) -> Int[np.ndarray, "ends"]:
        """The cells with one passage."""
        return np.flatnonzero(self.degree == 1)

    @cached_property
    def bottlenecks(self) -> Int[np.ndarray, "cells"]:
        """The articulation points: cells without which some way would be cut."""
        import networkx as nx

        return np.array(sorted(nx.articulation_points(self.to_networkx())), int)

    @cached_property
    def betweenness(self) -> Float[np.ndarray, "cells"]:
        """The fraction of shortest paths between other cells that run through each.

        L. C. Freeman, "A set of measures of centrality based on betweenness" (1977).
        """
        import networkx as nx

        centrality = nx.betweenness_centrality(self.to_networkx())
        return np.array([centrality[cell] for cell in range(self.n_cells)])

    # ── paths ──

    def _distances_to(self, origin: int, target: int) -> Int[np.ndarray, "cells"]:
        self.check_cells([origin, target])
        distance = self.distances(target)
        if distance[origin] < 0:
            raise MazelibError(f"there is no way from cell {origin} to cell {target}")
        return distance

    def shortest_paths(
        self, origin: int, target: int
    ) -> Iterator[Int[np.ndarray, "path"]]:
        """Every shortest path, one at a time, in the order of their cells."""
        distance = self._distances_to(origin, target)

        stack = [[origin]]
        while stack:
            path = stack.pop()
            if path[-1] == target:
                yield np.array(path)
                continue
            nearer = self._nearer(path[-1], distance)
            stack += [[*path, cell] for cell in reversed(nearer)]

    def _nearer(self, cell: int, distance: Int[np.ndarray, "cells"]) -> list[int]:
        return [b for b in self._neighbours[cell] if distance[b] == distance[cell] - 1]

    def shortest_path(self, origin: int, target: int) -> Int[np.ndarray, "path"]:
        """The first of the shortest paths. Raises MazelibError if there is none."""
        distance = self._distances_to(origin, target)
        path = [origin]
        while path[-1] != target:
            path.append(self._nearer(path[-1], distance)[0])
        return np.array(path)

    def count_shortest_paths(self, origin: int, target: int) -> int:
        """How many shortest paths there are (exact, however many)."""
        distance = self._distances_to(origin, target)
        counts = [0] * self.n_cells
        counts[target] = 1
        for cell in np.argsort(distance, kind="stable").tolist():
            for beside in self._neighbours[cell]:
                if 0 <= distance[beside] == distance[cell] - 1:
                    counts[cell] += counts[beside]
        return counts[origin]

    def options(self, path: Cells) -> Int[np.ndarray, "steps"]:
        """Before each step of a path: how many open neighbours it has not visited."""
        cells = [int(cell) for cell in path]
        self.check_cells(cells)
        visited: set[int] = set()
        counts = []
        for cell in cells[:-1]:
            visited.add(cell)
            counts.append(sum(b not in visited for b in self._neighbours[cell]))
        return np.array(counts, int)

    def forks(self, path: Cells) -> Int[np.ndarray, "forks"]:
        """The steps t of a path at whose cell path[t] there is a choice.

        A fork has more than one open neighbour that the path has not visited yet.
        """
        return np.flatnonzero(self.options(path) > 1)

    # ── as a picture ──

    def draw(
        self,
        origin: int | None = None,
        target: int | None = None,
        path: Cells | None = None,
        predicted: Cells | None = None,
        title: str = "",
        shade: Sequence[float] | Float[np.ndarray, "cells"] | None = None,
        labels: Mapping[int, str] | None = None,
    ) -> Drawing:
        """A picture of the maze, with what is given: see `Drawing`."""
        ends = (origin, target, path, predicted)
        return Drawing(self, *ends, title, shade, labels or {})

    def _repr_svg_(self) -> str:
        return self.draw().svg
