"""Back-filling fills what a search would call a dead end, a step a round."""

import numpy as np
from hypothesis import given
from samples import maze_sets

from mazelib.behaviour.backfilling import backfilling_step, pruned_in
from mazelib.behaviour.baselines import fork_chances, greedy_step
from mazelib.behaviour.forks import depth_beyond, forks_of, has_cycle, ways_on


def filled(maze, kept) -> np.ndarray:
    """The round of each cell, by filling the whole maze anew in every round."""
    found, number = np.zeros(maze.n_cells, int), 0
    while True:
        number += 1
        open_cells = {c for c in range(maze.n_cells) if not found[c]}
        now = [
            cell
            for cell in open_cells - set(kept)
            if len(open_cells & set(maze.neighbours(cell))) <= 1
        ]
        if not now:
            return found
        found[now] = number


@given(maze_sets(grids=(2, 3, 5)))
def test_rounds_are_those_of_filling_by_brute_force(mazes):
    for maze, origin, target, path in mazes:
        found = pruned_in(maze, (origin, target))
        assert found.tolist() == filled(maze, (origin, target)).tolist()
        assert not found[path].any()
        if not has_cycle(maze, origin):
            reached = np.flatnonzero(maze.distances(origin) >= 0)
            assert set(reached[found[reached] == 0]) == set(path.tolist())


@given(maze_sets(grids=(3, 5)))
def test_a_way_is_left_while_it_is_deeper_than_the_rounds(mazes):
    for sample in mazes:
        maze, origin, target, path = sample
        if has_cycle(maze, origin):
            continue
        cells = path.tolist()
        pruned = pruned_in(maze, (origin, target))
        deepest = 0
        for step in (fork["step"] for fork in forks_of(sample)):
            for way in set(ways_on(maze, cells, step)) - {cells[step + 1]}:
                depth = depth_beyond(maze, cells[step], way)
                assert pruned[way] == depth
                deepest = max(deepest, depth)
        assert set(fork_chances(sample, backfilling_step(deepest))) <= {1.0}
        blind = fork_chances(sample, backfilling_step(0))
        assert blind == fork_chances(sample, greedy_step)
