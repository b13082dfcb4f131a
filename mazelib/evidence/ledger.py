"""All verdicts of a kind, each with what it rests on, to be opened one by one.

    ledger("mechanistic")          # in a notebook: a line a hypothesis, to be opened
    ledger("mechanistic").data     # the same as a table, a row a hypothesis and model

Nothing in it is typed by hand: it is collected from book/hypotheses.yml and from what
chapters have recorded.
"""

import html
import os
from dataclasses import dataclass

import pandas as pd

from mazelib.errors import MazelibError
from mazelib.evidence.hypotheses import KINDS, Hypothesis, hypotheses
from mazelib.evidence.records import BOOK, results, verdict
from mazelib.evidence.verdicts import facts_of

COLUMNS = ("number (95% interval)", "n", "range over trainings", "comparison")


@dataclass(frozen=True)
class Ledger:
    """Hypotheses of a kind, in the order of the file; see `ledger`.

    asked: each with the same of other models. data: a row each, by id.
    """

    asked: list[list[Hypothesis]]
    data: pd.DataFrame

    def __repr__(self) -> str:
        return self.data.to_string()

    def _repr_html_(self) -> str:
        return "".join(self._opened(of_models) for of_models in self.asked)

    def _opened(self, of_models: list[Hypothesis]) -> str:
        first, ids = of_models[0], [stated.id for stated in of_models]
        rows = self.data.loc[ids].set_index("model")
        said = "; ".join(f"{model}: {row}" for model, row in rows["verdict"].items())
        seen = f" Seen beforehand: {first.known}." if first.known else ""
        text = (
            f"{first.metric} Compared with: {first.control}. Supported if "
            f"{first.supported}, refuted if {first.refuted}.{seen}"
        )
        table = rows[[*COLUMNS, "why"]].style.format(escape="html").to_html()
        suffix = "html" if BOOK in os.environ else "ipynb"
        link = f'<a href="{first.chapter}.{suffix}">{first.chapter}</a>'
        return (
            f"<details><summary><strong>{html.escape(said)}</strong> — "
            f"{html.escape(first.asks)}</summary><p><em>{html.escape(first.says)}</em>"
            f"</p><p>{html.escape(text)}</p>{table}"
            f"<p>Read in {link}.</p></details>"
        )


def ledger(kind: str) -> Ledger:
    """The hypotheses of a kind, with verdicts, numbers and what these compare with.

    Of one that nothing is recorded of, `why` has what it waits for. Raises MazelibError
    for a kind that there is not.
    """
    if kind not in KINDS:
        raise MazelibError(f"no kind {kind!r} of hypothesis: take {', '.join(KINDS)}")
    found, asked, rows = results(), {}, {}
    for id, stated in hypotheses().items():
        if stated.kind != kind:
            continue
        asked.setdefault(id.split(".")[0], []).append(stated)
        facts = {"model": stated.model, "says": stated.says, "verdict": verdict(id)}
        if id in found:
            measured = facts_of(stated, found[id])
        else:
            measured = dict.fromkeys(COLUMNS, "") | {"why": stated.waits or ""}
        rows[id] = facts | measured | {"chapter": stated.chapter}
    return Ledger(list(asked.values()), pd.DataFrame(rows).T)
