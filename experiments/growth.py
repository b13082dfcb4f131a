"""Do the plan that can be read and the far forks come together in training?

    python -m experiments.growth            # writes data/results/growth.json

One row a checkpoint of dfs5 on its way: how well the path to come can be read at forks,
beside the best probe of the input (`experiments.future`), and how many misleading forks
that take four steps of lookahead and more it decides rightly, on the same mazes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from experiments.families import COUNT, Places, facts_of, rounded
from mazelib.evidence.intervals import wilson
from mazelib.evidence.tables import replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import open_lens
from mazelib.internals.logit_lens import read_out
from mazelib.internals.plans import future
from mazelib.internals.readings import Asked, Reading, input_controls, reading
from mazelib.internals.streams import at_steps, streams_at
from mazelib.internals.ways import Forks
from mazelib.models import zoo

TABLE = "growth.json"
CLIMBER = "dfs5"
FAR = 4
"""Steps of lookahead that a fork takes to count as far."""


class Question(NamedTuple):
    """What a checkpoint is asked: forks, and the path to come at some of them."""

    places: Places
    forks: Forks
    asked: Asked
    controls: Mapping[str, Reading]

    @classmethod
    def of(cls, name: str) -> "Question":
        """What all checkpoints of a model, and others of its mazes, are asked."""
        places = Places.of(name)
        forks = Forks(places.mazes, zoo.load(name).tokenizer)
        asked = places.asked("fork", future(places.mazes, places.steps["fork"]))
        controls = input_controls(asked, places.mazes, places.steps["fork"])
        return cls(places, forks, asked, controls)


def main() -> None:
    """Look at all checkpoints, and write the table."""
    one_thread()
    question = Question.of(CLIMBER)
    rungs = [*zoo.ladder(CLIMBER), zoo.folder_of(CLIMBER)]
    rows = [{"model": CLIMBER, **row(rung, question)} for rung in tqdm(rungs, "ladder")]
    rows.sort(key=lambda found: found["questions"])
    about = {"made_by": "python -m experiments.growth", "n": COUNT}
    replace_rows(TABLE, [CLIMBER], rows, zoo.hashes([CLIMBER]), **about)


def row(rung: Path, question: Question) -> dict:
    """All that is measured of one checkpoint."""
    places, forks, asked, controls = question
    trained = zoo.load(rung)
    lens = open_lens(trained)
    wheres = {"all": at_steps(forks.steps), "some": at_steps(places.steps["fork"])}
    streams = streams_at(lens, places.mazes, wheres)
    is_far = forks.table["misleading"] & (forks.table["lookahead"] >= FAR)
    is_right = read_out(lens, streams["all"][-1]).argmax(-1) == forks.right
    hits = is_right[is_far.to_numpy()]
    return {
        "questions": trained.card["questions"],
        "far": rounded([hits.mean(), *wilson(int(hits.sum()), len(hits))]),
        "n": len(hits),
        **facts_of(reading(asked, streams["some"]), controls),
    }


if __name__ == "__main__":
    main()
