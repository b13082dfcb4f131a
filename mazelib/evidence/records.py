"""What was measured for each hypothesis, how it is kept, and the verdicts.

    low, high = wilson(950, 1000)          # see mazelib.evidence.intervals
    record("solves", 0.95, 1000, (low, high), control=0.56, seeds={"dfs5-seed1": 0.94})
    verdict("solves")                      # "supported", "refuted", …; see `verdict`

book/hypotheses.yml says what makes each verdict (see `mazelib.evidence.hypotheses`).
Results lie in data/results, one JSON file a hypothesis; only the book's build writes
there. What a reader's own run records, that run alone goes by.
"""

import json
import math
import os
from dataclasses import asdict, dataclass

from mazelib.errors import MazelibError
from mazelib.evidence.hypotheses import Hypothesis, hypotheses, hypothesis, seal
from mazelib.files import ROOT, write_json

RESULTS = ROOT / "data" / "results"
BOOK = "MAZELIB_BOOK"
"""The environment variable that is set while the book's chapters are run."""
DIGITS = 4
"""Significant digits of a stored number; far more than its interval is worth."""
SAME = 1e-3
"""Numbers that differ by less than this share are the same: processors round apart."""

DECODABLE = "decodable"
"""What `judge` says in place of "supported" where a number says only that something can
be read off; whether it is used, another entry settles (`settled_by`)."""
UNKNOWN, UNUSED = "decodable, not yet shown to be used", "decodable, not used"
INVALID = "measure invalid"

_measured: dict[tuple[str, str], "Result"] = {}  # by id and seal


@dataclass(frozen=True)
class Result:
    """What was measured for a hypothesis.

    n: independent things measured, such as mazes. interval: of 95%, around the value.
    control: the control's number. seeds: the other trainings' numbers, by model.
    """

    value: float
    n: int
    interval: tuple[float, float]
    control: float
    seeds: dict[str, float]

    @property
    def numbers(self) -> list[float]:
        """All that was measured, the seeds in the order of their names."""
        seeds = [self.seeds[name] for name in sorted(self.seeds)]
        return [self.value, *self.interval, self.control, *seeds]

    def rounded(self) -> "Result":
        """The same to `DIGITS` significant digits."""

        def short(number: float) -> float:
            return float(f"{number:.{DIGITS}g}")

        seeds = {name: short(number) for name, number in self.seeds.items()}
        low, high = map(short, self.interval)
        return Result(
            short(self.value), self.n, (low, high), short(self.control), seeds
        )


def record(
    id: str,
    value: float,
    n: int,
    interval: tuple[float, float],
    control: float,
    seeds: dict[str, float] | None = None,
) -> str:
    """Take down what was measured for a hypothesis; return the verdict.

    The book's build writes it to data/results, rounded to `DIGITS`; numbers that are
    there already, and are the same but for rounding, stay. See `Result` for the
    arguments. Raises MazelibError for an unknown id, a seed that the hypothesis does
    not name, a number that is not finite, or an interval that does not hold the value.
    """
    result = Result(
        float(value),
        int(n),
        (float(interval[0]), float(interval[1])),
        float(control),
        {name: float(number) for name, number in (seeds or {}).items()},
    )
    stated = hypothesis(id)
    check(stated, result)
    _measured[id, seal(stated)] = result
    if BOOK in os.environ:
        before = stored(stated)
        kept = before if is_same(result, before) else result.rounded()
        facts = {"verdict": judge(stated, kept), "stated": seal(stated)}
        write_json(RESULTS / f"{id}.json", asdict(kept) | facts, indent=2)
    return judge(stated, result)


def is_same(result: Result, before: Result | None) -> bool:
    """Do two results differ by no more than processors round apart?"""
    if before is None or (result.n, set(result.seeds)) != (before.n, set(before.seeds)):
        return False
    pairs = zip(result.numbers, before.numbers, strict=True)
    return all(math.isclose(a, b, rel_tol=SAME, abs_tol=SAME / 10) for a, b in pairs)


def check(stated: Hypothesis, result: Result) -> None:
    """Raise MazelibError for what `record` cannot take."""
    if not all(map(math.isfinite, result.numbers)):
        raise MazelibError(f"{stated.id}: {result} has a number that is not finite")
    low, high = result.interval
    if result.n < 1 or not low <= result.value <= high:
        raise MazelibError(
            f"{stated.id}: {result.value} with n = {result.n} must lie in its interval "
            f"{result.interval}, n ≥ 1"
        )
    if unknown := set(result.seeds) - set(stated.seeds):
        raise MazelibError(
            f"{stated.id}: seeds are {sorted(unknown)}, but the hypothesis names "
            f"{list(stated.seeds)}"
        )


def judge(stated: Hypothesis, result: Result) -> str:
    """ "supported", "refuted" or "undecided", as the top of book/hypotheses.yml says.

    "supported so far" or "refuted so far" where it only waits for seeds to be measured.
    `DECODABLE` in place of "supported" where another entry says whether what can be
    read is used; `INVALID` where the measure turned out not to measure the sentence.
    """
    if stated.invalid:
        return INVALID
    seeds = [result.seeds[name] for name in stated.seeds if name in result.seeds]
    so_far = "" if len(seeds) == len(stated.seeds) else " so far"
    numbers = [*result.interval, *seeds]
    if stated.supported.is_met_by(*numbers) and is_beyond_control(stated, result):
        return (DECODABLE if stated.settled_by else "supported") + so_far
    return "refuted" + so_far if stated.refuted.is_met_by(*numbers) else "undecided"


def is_beyond_control(stated: Hypothesis, result: Result) -> bool:
    """Does the control fail, and by the margin that was asked for?"""
    low, high = result.interval
    is_upwards = stated.supported.at_least > -math.inf
    gap = low - result.control if is_upwards else result.control - high
    return not stated.supported.is_met_by(result.control) and gap >= stated.margin


def results() -> dict[str, Result]:
    """What has been measured so far, by id, of the hypotheses as they stand now.

    By this process where it has, else as recorded. What was measured before an entry's
    metric, model, mazes or control were changed does not count. Raises MazelibError
    for a file that cannot be read.
    """
    found = {
        id: _measured.get((id, seal(stated))) or stored(stated)
        for id, stated in hypotheses().items()
    }
    return {id: result for id, result in found.items() if result is not None}


def stored(stated: Hypothesis) -> Result | None:
    """What is recorded of a hypothesis, None if nothing is; see `results`."""
    path = RESULTS / f"{stated.id}.json"
    if not path.exists():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        del facts["verdict"]  # follows from the rest
        if facts.pop("stated", None) != seal(stated):
            return None
        return Result(**{**facts, "interval": tuple(facts["interval"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MazelibError(
            f"{path} is damaged ({error}): run its chapter again"
        ) from None


def verdict(id: str) -> str:
    """The verdict on a hypothesis; "open" while nothing is recorded.

    As `judge` has it; what is decodable is "supported" once the entry that settles it
    is, `UNUSED` once that is refuted, and until then `UNKNOWN`. Raises MazelibError for
    an unknown id.
    """
    stated, found = hypothesis(id), results()
    if id not in found:
        return "open"
    judged = judge(stated, found[id])
    if not judged.startswith(DECODABLE):
        return judged
    settled = {"supported": "supported", "refuted": UNUSED}
    so_far = judged.removeprefix(DECODABLE)
    return settled.get(verdict(stated.settled_by), UNKNOWN) + so_far
