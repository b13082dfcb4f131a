"""A table of verdicts, each with the number it rests on and what this compares with.

verdict_table(["solves", "horizon"])          # in a notebook: a row a hypothesis
verdict_table(["solves", "horizon"]).data     # the same as a table, by id
"""

import html
from dataclasses import dataclass

import pandas as pd

from mazelib.evidence.hypotheses import Hypothesis, hypotheses
from mazelib.evidence.intervals import as_text
from mazelib.evidence.records import Result, judge, results, verdict

KEY = (
    "<em>Verdict</em>: by thresholds that were written down before the number was "
    "seen; all of the interval and every training have to meet one. "
    "<em>Comparison</em>: the number without what is claimed. "
    "<em>Seen beforehand</em>: had some such number been seen when the question was "
    "written down? "
    "<em>Changed</em>: was the question changed later?"
)


@dataclass(frozen=True)
class Verdicts:
    """A row a hypothesis; how it was measured, and what was seen or changed beforehand,
    is folded below."""

    data: pd.DataFrame
    notes: dict[str, list[str]]

    def __repr__(self) -> str:
        return self.data.to_string()

    def _repr_html_(self) -> str:
        look = {"text-align": "left", "vertical-align": "top", "white-space": "normal"}
        cells = {"selector": "th, td", "props": list(look.items())}
        shown = self.data.style.format(escape="html").hide(axis="index")
        table = shown.set_table_styles([cells]).to_html()
        notes = "".join(
            f"<li>{html.escape(id)}: {html.escape('; '.join(said))}</li>"
            for id, said in self.notes.items()
            if said
        )
        said = "How it was measured, what had been seen beforehand, what was changed"
        folded = f"<details><summary>{said}</summary><ul>{notes}</ul></details>"
        return f"{table}<p><small>{KEY}</small></p>{folded}"


def verdict_table(ids: list[str]) -> Verdicts:
    """Verdicts on hypotheses, the numbers they rest on and what these compare with."""
    known, found, rows, notes = hypotheses(), results(), {}, {}
    for id in ids:
        stated, facts = known[id], facts_of(known[id], found[id])
        why = facts.pop("why")
        rows[id] = {
            "question": asked_of(stated, "".join([*rows][-1:])),
            "verdict": f"{verdict(id)}: {why}",
            **facts,
            "seen beforehand": "yes" if stated.known else "no",
            "changed": "yes" if stated.changed else "no",
        }
        measured = f"measured: {stated.metric} Compared with {stated.control}."
        notes[id] = [measured] * ("." not in id)
        notes[id] += [f"seen: {stated.known}"] * bool(stated.known)
        notes[id] += [f"changed: {stated.changed}"] * bool(stated.changed)
    return Verdicts(pd.DataFrame(rows).T, notes)


def facts_of(stated: Hypothesis, result: Result) -> dict[str, str]:
    """A result in words: its number, how many things, other trainings, the control."""
    trainings = [result.value, *result.seeds.values()]
    form = ".0f" if stated.unit else ".3f"
    unit = f" {stated.unit}" if stated.unit else ""
    spread = f"{min(trainings):{form}} to {max(trainings):{form}}"
    return {
        "number (95% interval)": as_text(result.value, result.interval, form) + unit,
        "n": f"{result.n:,}",
        "range over trainings": spread if result.seeds else "one training",
        "comparison": f"{result.control:{form}}",
        "why": reason(stated, result),
    }


def asked_of(stated: Hypothesis, before: str) -> str:
    """The question; where the row before, of this id, asks the same: of which model."""
    first, _, of_other = stated.id.partition(".")
    if of_other and before.partition(".")[0] == first:
        return f"the same of {stated.model}"
    return f"{stated.asks} ({stated.model})" if of_other else stated.asks


def reason(stated: Hypothesis, result: Result) -> str:
    """Which threshold a number meets, or why it does not count."""
    if stated.invalid:
        return f"{stated.invalid} Asked anew: {stated.instead or 'no'}"
    judged = judge(stated, result)
    if judged.startswith("refuted"):
        return str(stated.refuted)
    beyond = f", {stated.margin:g} beyond the comparison" if stated.margin else ""
    if judged != "undecided":
        return f"{stated.supported}{beyond}"
    if stated.supported.is_met_by(*result.interval, *result.seeds.values()):
        return f"{stated.supported}, but the comparison meets it, too"
    return f"not {stated.supported}{beyond}, not {stated.refuted}"
