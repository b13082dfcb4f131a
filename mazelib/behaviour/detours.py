"""The other way at a fork: where it leads, and whether an answer walks it.

    cells = way_cells(sample, step, way, most=4)       # its first four cells
    walks(sample, step, way, answered[step + 1 :])     # legally, and far enough?

In a maze without cycles the other way ends somewhere; in one with cycles it may lead to
the target, too.
"""

from collections import deque
from collections.abc import Collection, Sequence

from mazelib.behaviour.forks import ways_on
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


def distances_without(
    maze: Maze, blocked: Collection[int], start: int
) -> dict[int, int]:
    """How far the cells that can be reached are from one, none of some on the way."""
    found, queue = {start: 0}, deque([start])
    while queue:
        cell = queue.popleft()
        for near in maze.neighbours(cell):
            if near not in found and near not in blocked:
                found[near] = found[cell] + 1
                queue.append(near)
    return found


def steps_by(sample: Sample, step: int, way: int) -> int | None:
    """How many steps it is from a path's cell to the target by another way on.

    Without a cell twice; None where it does not lead there.
    """
    gone = set(sample.path[: step + 1].tolist())
    far = distances_without(sample.maze, gone, way)
    return far[sample.target] + 1 if sample.target in far else None


def way_cells(sample: Sample, step: int, way: int, most: int) -> list[int]:
    """The first cells of a way on from a path's cell, at most so many.

    Of the shortest way to the target, if it leads there, else to its farthest cell.
    """
    maze, gone = sample.maze, set(sample.path[: step + 1].tolist())
    far = distances_without(maze, gone, way)
    end = sample.target if sample.target in far else max(far, key=far.get)
    back, cells = distances_without(maze, gone, end), [way]
    while cells[-1] != end and len(cells) < most:
        onward = [cell for cell in maze.neighbours(cells[-1]) if cell in back]
        cells.append(min(onward, key=back.get))
    return cells


def walks(
    sample: Sample, step: int, way: int, answer: Sequence[int], least: int = 5
) -> bool:
    """Does an answer, from a step of the path on, walk a way that the path does not?

    It has to begin with that way and take no illegal step: to the target if the way
    leads there, else for so many steps or to where none is left.
    """
    maze, cells = sample.maze, sample.path[: step + 1].tolist()
    if not len(answer) or answer[0] != way:
        return False
    leads = steps_by(sample, step, way) is not None
    for cell in answer:
        ways = ways_on(maze, cells, len(cells) - 1)
        if cell not in ways:
            return not ways and not leads
        cells.append(cell)
        if cell == sample.target or (not leads and len(cells) == step + 1 + least):
            return True
    return not leads and not ways_on(maze, cells, len(cells) - 1)
