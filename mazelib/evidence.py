"""Hypotheses with thresholds set beforehand, what was measured for them, verdicts.

    low, high = wilson(950, 1000)          # see mazelib.intervals
    record("solves", 0.95, 1000, (low, high), control=0.56, seeds={"dfs5-seed1": 0.94})
    verdict("solves")                      # "supported", "refuted" or "undecided"

book/hypotheses.yml lists the hypotheses and says what makes each verdict. Results lie
in data/results, one JSON file a hypothesis.
"""

import hashlib
import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import yaml

from mazelib.errors import MazelibError
from mazelib.files import write_json

ROOT = Path(__file__).resolve().parent.parent
HYPOTHESES = ROOT / "book" / "hypotheses.yml"
RESULTS = ROOT / "data" / "results"
KINDS = ("mechanistic", "behavioural", "interpretability", "outcome")


@dataclass(frozen=True)
class Threshold:
    """What a number must be: at least one bound, or at most one."""

    at_least: float = -math.inf
    at_most: float = math.inf

    def __str__(self) -> str:
        if math.isinf(self.at_most):
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}"

    def is_met_by(self, *values: float) -> bool:
        """Do all the values meet it?"""
        return all(self.at_least <= value <= self.at_most for value in values)


@dataclass(frozen=True)
class Hypothesis:
    """An entry of book/hypotheses.yml; what the fields mean is said at its top."""

    id: str
    kind: str
    says: str
    chapter: str
    metric: str
    model: str
    seeds: tuple[str, ...]
    mazes: str
    control: str
    supported: Threshold
    refuted: Threshold
    why: str
    known: str | None = None
    changed: str | None = None


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


def hypotheses() -> dict[str, Hypothesis]:
    """The hypotheses by id, in the order of the file.

    Raises MazelibError for an entry with a field too many or too few.
    """
    found = {}
    for entry in yaml.safe_load(HYPOTHESES.read_text(encoding="utf-8")):
        name = entry.get("id")
        try:
            bounds = {k: Threshold(**entry[k]) for k in ("supported", "refuted")}
            known = {**entry, **bounds, "seeds": tuple(entry["seeds"])}
            hypothesis = Hypothesis(**known)
        except (KeyError, TypeError) as error:
            raise MazelibError(f"{HYPOTHESES}, entry {name!r}: {error}") from None
        if name in found:
            raise MazelibError(f"{HYPOTHESES} has {name!r} twice: rename one")
        found[name] = hypothesis
    return found


def hypothesis(id: str) -> Hypothesis:
    """One hypothesis. Raises MazelibError for an id that is not in the file."""
    known = hypotheses()
    if id not in known:
        raise MazelibError(
            f"no hypothesis {id!r}: write it into {HYPOTHESES.name} before measuring "
            f"it, or take one of {', '.join(known)}"
        )
    return known[id]


def record(
    id: str,
    value: float,
    n: int,
    interval: tuple[float, float],
    control: float,
    seeds: dict[str, float] | None = None,
) -> str:
    """Write what was measured for a hypothesis; return the verdict.

    See `Result` for the arguments. Raises MazelibError for an unknown id, a seed that
    the hypothesis does not name, a number that is not finite, or an interval that does
    not hold the value.
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
    found = judge(stated, result)
    facts = {**asdict(result), "verdict": found, "stated": seal(stated)}
    write_json(RESULTS / f"{id}.json", facts, indent=2)
    return found


def seal(stated: Hypothesis) -> str:
    """A hash of what was to be measured, so that no number outlives its question."""
    words = (stated.metric, stated.model, stated.mazes, stated.control)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def check(stated: Hypothesis, result: Result) -> None:
    """Raise MazelibError for what `record` cannot take."""
    numbers = [result.value, *result.interval, result.control, *result.seeds.values()]
    if not all(map(math.isfinite, numbers)):
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
    """
    seeds = [result.seeds[name] for name in stated.seeds if name in result.seeds]
    so_far = "" if len(seeds) == len(stated.seeds) else " so far"
    numbers = [*result.interval, *seeds]
    is_beyond_control = not stated.supported.is_met_by(result.control)
    if stated.supported.is_met_by(*numbers) and is_beyond_control:
        return "supported" + so_far
    return "refuted" + so_far if stated.refuted.is_met_by(*numbers) else "undecided"


def results() -> dict[str, Result]:
    """What has been recorded so far, by id, of the hypotheses as they stand now.

    What was measured before an entry's metric, model, mazes or control were changed
    does not count. Raises MazelibError for a file that cannot be read.
    """
    found = {}
    for id, stated in hypotheses().items():
        path = RESULTS / f"{id}.json"
        if not path.exists():
            continue
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            del facts["verdict"]  # follows from the rest
            if facts.pop("stated", None) != seal(stated):
                continue
            interval = tuple(facts["interval"])
            found[path.stem] = Result(**{**facts, "interval": interval})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MazelibError(
                f"{path} is damaged ({error}): run its chapter again"
            ) from None
    return found


def read_table(table: str) -> dict:
    """A table of `RESULTS`: its `rows`, one dict each, and what made them.

    Raises MazelibError if it cannot be read.
    """
    path = RESULTS / table
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MazelibError(
            f"{path} cannot be read ({error}): make it again with make tables"
        ) from None


def replace_rows(
    table: str,
    names: Collection[str],
    rows: list[dict],
    weights: dict[str, str],
    **facts: object,
) -> None:
    """Write what was measured of some models into a table of `RESULTS`.

    The rows of others stay as they are, and the hashes of the weights that they were
    measured with. A row's `model` is one of `names`, or a checkpoint of one, NAME/STEP.
    facts: what else the table says, such as what made it.
    """
    path = RESULTS / table
    before = read_table(table) if path.exists() else {}
    kept = before.get("rows", [])
    kept = [row for row in kept if row["model"].split("/")[0] not in names]
    others = before.get("weights", {})
    others = {name: sha for name, sha in others.items() if name not in names}
    write_json(path, {**facts, "weights": others | weights, "rows": kept + rows})


def verdict_table(ids: list[str]) -> pd.DataFrame:
    """What was measured for hypotheses, their thresholds, and the verdicts, as text."""
    known, found, rows = hypotheses(), results(), {}
    for id in ids:
        stated, result = known[id], found[id]
        low, high = result.interval
        rows[id] = {
            "measured": f"{result.value:.3f}",
            "95% interval": f"{low:.3f} to {high:.3f}",
            "n": f"{result.n:,}",
            "control": f"{result.control:.3f}",
            "other seeds": ", ".join(f"{s:.3f}" for s in result.seeds.values()),
            "supported": str(stated.supported),
            "refuted": str(stated.refuted),
            "verdict": judge(stated, result),
        }
    return pd.DataFrame(rows).T


def verdict(id: str) -> str:
    """The verdict on a hypothesis; "open" while nothing is recorded.

    Raises MazelibError for an unknown id.
    """
    stated, found = hypothesis(id), results()
    return judge(stated, found[id]) if id in found else "open"
