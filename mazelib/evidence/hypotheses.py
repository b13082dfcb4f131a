"""The hypotheses of book/hypotheses.yml, with thresholds that were set beforehand.

    hypotheses()["solves"].supported       # what a number must be
    hypothesis("solves").chapter

What the fields of an entry mean is said at the top of that file.
"""

import hashlib
import math
from dataclasses import dataclass

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


def seal(stated: Hypothesis) -> str:
    """A hash of what was to be measured, so that no number outlives its question."""
    words = (stated.metric, stated.model, stated.mazes, stated.control)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
