"""TransformerLens on the same mazes, with more or fewer of them at a time.

The arrays of an attention layer grow with their number; one beyond 32 MiB is asked of
the system, and its pages are cleared, at every use.
"""

import argparse
from collections.abc import Callable

from rounds import compare, table

from mazelib.dataset.stream import MazeStream
from mazelib.internals.lens import MOST, activations, open_lens
from mazelib.models import zoo


def main() -> None:
    """Run the comparison, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    lens = open_lens(zoo.load("dfs5"))
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, 512)

    def logits(most: int) -> Callable[[], int]:
        def work() -> int:
            for part in activations(lens, mazes, [], most=most):
                lens.logits(part.batch)
            return len(mazes)

        return work

    sides = {f"{most} at a time": logits(most) for most in (16, MOST, 128, 256)}
    rates = compare(sides, rounds)
    title = "Logits of 5×5 mazes in TransformerLens"
    print(table(title, "a second", rates, f"{MOST} at a time"))


if __name__ == "__main__":
    main()
