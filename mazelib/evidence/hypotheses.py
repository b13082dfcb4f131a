"""The hypotheses of book/hypotheses.yml, with thresholds that were set beforehand.

    hypotheses()["solves"].supported       # what a number must be
    hypothesis("future-represented.dfs6-learned").seeds    # the same of another model

What the fields of an entry mean is said at the top of that file.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import yaml

from mazelib.errors import MazelibError
from mazelib.files import ROOT

HYPOTHESES = ROOT / "book" / "hypotheses.yml"
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
    asks: str
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
    unit: str | None = None
    margin: float = 0.0
    settled_by: str | None = None
    invalid: str | None = None
    instead: str | None = None
    found: str | None = None
    waits: str | None = None


def hypotheses() -> dict[str, Hypothesis]:
    """The hypotheses by id, in the order of the file.

    One that is asked of other models, too, stands there once for each: ID, ID.MODEL.
    Raises MazelibError for an entry with a field too many or too few, and for one that
    names another that is not there.
    """
    return dict(of_text(HYPOTHESES.read_text(encoding="utf-8")))


@lru_cache(maxsize=4)
def of_text(text: str) -> dict[str, Hypothesis]:
    """The hypotheses of a file's text, which takes a while to parse."""
    found = {}
    for entry in yaml.safe_load(text):
        name = entry.get("id")
        try:
            each = [opened(one) for one in of_each_model(entry)]
        except (KeyError, TypeError, AttributeError) as error:
            raise MazelibError(f"{HYPOTHESES}, entry {name!r}: {error}") from None
        if name in found:
            raise MazelibError(f"{HYPOTHESES} has {name!r} twice: rename one")
        found |= {hypothesis.id: hypothesis for hypothesis in each}
    for entry in found.values():
        for other in (entry.settled_by, entry.instead):
            if other not in (None, *found):
                raise MazelibError(
                    f"{HYPOTHESES}, entry {entry.id!r} names {other!r}: there is none"
                )
    return found


def of_each_model(entry: dict) -> list[dict]:
    """An entry, and what it is for each of the models of its `also`."""
    own = {name: value for name, value in entry.items() if name != "also"}
    found = [own]
    for model, changes in entry.get("also", {}).items():
        other = own | changes | {"id": f"{own['id']}.{model}", "model": model}
        if "settled_by" in other:
            other["settled_by"] += f".{model}"
        found.append(other)
    return found


def opened(entry: dict) -> Hypothesis:
    """An entry of one model as a `Hypothesis`."""
    bounds = {k: Threshold(**entry[k]) for k in ("supported", "refuted")}
    return Hypothesis(**{**entry, **bounds, "seeds": tuple(entry["seeds"])})


def hypothesis(id: str) -> Hypothesis:
    """One hypothesis. Raises MazelibError for an id that is not in the file."""
    known = hypotheses()
    if id not in known:
        raise MazelibError(
            f"no hypothesis {id!r}: write it into {HYPOTHESES.name} before measuring "
            f"it, or take one of {', '.join(known)}"
        )
    return known[id]


def seal(stated: Hypothesis) -> str:
    """A hash of what was to be measured, so that no number outlives its question."""
    words = (stated.metric, stated.model, stated.mazes, stated.control)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
