"""The same work while freed memory is given back to the system, and while it is kept.

Each side is a process of its own, since what a process has kept it cannot give back.
What is worked out: gradients of training batches, cells and pairs of coordinates, on
one core, and what TransformerLens says of 256 mazes.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from optimizers import gradient
from rounds import compare, table
from steps import BASE, changed

from mazelib import gradients, zoo
from mazelib.dataset import MazeStream
from mazelib.internals import lens


def logits() -> Callable[[], int]:
    """Work for `compare`: all logits of dfs5 on mazes, in TransformerLens."""
    opened = lens.open_lens(zoo.load("dfs5"))
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, 256)

    def work() -> int:
        for part in lens.activations(opened, mazes, []):
            opened.logits(part.batch)
        return len(mazes)

    return work


KINDS = {
    "Gradients of 8 mazes × 8 questions, 8 × 96": lambda: gradient(
        replace(BASE, batch=8), 1
    ),
    "The same with pairs of coordinates": lambda: gradient(
        replace(changed("scheme", "ctt"), batch=8), 1
    ),
    "Logits of 256 mazes in TransformerLens": logits,
}


def prepare(title: str, is_kept: bool) -> None:
    """Make a process ready for one kind of work."""
    global work
    if not is_kept:
        gradients.keep_freed_memory = lens.keep_freed_memory = lambda: False
    work = KINDS[title]()


def do_it() -> int:
    """Do the work that the process is ready for."""
    return work()


def main() -> None:
    """Run the comparisons, each turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    for title in KINDS:
        pools = {
            name: ProcessPoolExecutor(
                1, get_context("spawn"), prepare, (title, name == "kept")
            )
            for name in ("given back", "kept")
        }
        sides = {
            name: lambda pool=pool: pool.submit(do_it).result()
            for name, pool in pools.items()
        }
        print(table(title, "a second", compare(sides, rounds), "kept"), flush=True)
        for pool in pools.values():
            pool.shutdown()


if __name__ == "__main__":
    main()
