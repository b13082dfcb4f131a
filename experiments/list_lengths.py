"""What learned positions cost: the same mazes, with a list that is longer or shorter.

    python -m experiments.list_lengths      # writes data/results/list-lengths.json
    python -m experiments.list_lengths dfs6-learned    # this model again

One row a model and length. Mazes are test mazes of the model's own kind. Entries more
than in training come twice; of fewer, passages off the path are left out, which changes
no answer. Each row has the share of mazes solved and of answers that start at the
origin, both teacher-forced, with 95% intervals over mazes.
"""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from mazelib.behaviour import shifts
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.evidence.intervals import wilson
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.models import zoo
from mazelib.training.validation import teacher_forced

TABLE = "list-lengths.json"
MODELS = (
    *("dfs5", "dfs5-learned", "dfs5-learned-seed1", "dfs5-learned-seed2"),
    *("dfs6", "dfs6-learned", "dfs6-learned-seed1", "dfs6-learned-seed2"),
)
"""Of these, those that are there are asked."""
MAZES = 300
MORE = (-4, -3, -2, -1, 0, 1, 2, 3, 4, 8)
"""Entries more than in training."""


def asked_mazes(model: str) -> MazeSet:
    """Test mazes of a model's kind whose paths leave passages to be left out."""
    stream = MazeStream(zoo.held_out(model))
    mazes = stream.take(0, 2 * MAZES)
    longest = mazes.n**2 - 1 + min(MORE)
    return mazes[mazes.length[:, 0] - 1 <= longest][:MAZES]


def row(model: str, mazes: MazeSet, more: int) -> dict:
    """What a model makes of lists with so many entries more."""
    trained, entries = zoo.load(model), mazes.n**2 - 1 + more
    lists = shifts.listed(mazes, shifts.padded(entries))
    found = teacher_forced(trained.model, trained.tokenizer, mazes, edges=lists)
    first = np.array([answer[0] for answer in found.likeliest])
    ids = trained.tokenizer.place(mazes.n)[:, 0]
    starts = first == ids[mazes.origin[:, 0]]
    shares = {"exact": found.right, "starts": starts}
    return {
        "model": model,
        "entries": entries,
        "more": more,
        "n": len(mazes),
        **{
            name: [float(hits.mean()), *wilson(int(hits.sum()), len(hits))]
            for name, hits in shares.items()
        },
    }


def models_asked() -> list[str]:
    """Those of `MODELS` that are in data/models."""
    return [name for name in MODELS if name in zoo.names()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the models, or those that are named, and write the table."""
    one_thread()
    names = names_asked(__doc__, models_asked(), arguments)
    pairs = [(name, more) for name in names for more in MORE]
    mazes = {name: asked_mazes(name) for name in names}
    rows = [row(name, mazes[name], more) for name, more in tqdm(pairs, "lengths")]
    made_by = "python -m experiments.list_lengths"
    replace_rows(TABLE, names, rows, zoo.hashes(names), made_by=made_by)


if __name__ == "__main__":
    main()
