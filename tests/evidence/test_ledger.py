"""A line a hypothesis, with what it rests on, and why where nothing is recorded."""

import pytest

from mazelib.errors import MazelibError
from mazelib.evidence import hypotheses as hypotheses_module
from mazelib.evidence import records
from mazelib.evidence.hypotheses import KINDS, hypotheses
from mazelib.evidence.ledger import ledger
from mazelib.evidence.records import BOOK, record, verdict

TEXT = """
- {id: bold, kind: outcome, says: Words & more., chapter: 18_verdicts,
   asks: How many, metric: share,
   model: dfs5, seeds: [one], mazes: some, control: chance, why: so,
   supported: {at_least: 0.8}, refuted: {at_most: 0.3},
   also: {dfs6: {seeds: [], mazes: others}}}
- {id: later, kind: outcome, says: Not yet., chapter: 06_x,
   asks: How many, metric: share,
   model: dfs5, seeds: [], mazes: some, control: chance, why: so, known: a glance,
   waits: its model is not trained, supported: {at_least: 0.8}, refuted: {at_most: 0.3}}
- {id: other, kind: mechanistic, says: Else., chapter: 06_x,
   asks: How many, metric: share,
   model: dfs5, seeds: [], mazes: some, control: chance, why: so,
   supported: {at_least: 0.8}, refuted: {at_most: 0.3}}
"""


@pytest.fixture
def ours(tmp_path, monkeypatch):
    (tmp_path / "hypotheses.yml").write_text(TEXT)
    monkeypatch.setattr(hypotheses_module, "HYPOTHESES", tmp_path / "hypotheses.yml")
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(records, "_measured", {})
    monkeypatch.delenv(BOOK, raising=False)
    record("bold", 0.9, 1234, (0.85, 0.95), 0.5, {"one": 0.88})
    record("bold.dfs6", 0.2, 10, (0.1, 0.25), 0.4)


def test_it_has_what_is_recorded_of_each_model(ours):
    found = ledger("outcome")
    assert list(found.data.index) == ["bold", "bold.dfs6", "later"]
    assert found.data.loc["bold"].to_dict() == {
        "model": "dfs5",
        "says": "Words & more.",
        "verdict": "supported",
        "number (95% interval)": "0.900 (0.850 to 0.950)",
        "n": "1,234",
        "range over trainings": "0.880 to 0.900",
        "comparison": "0.500",
        "why": "≥ 0.8",
        "chapter": "18_verdicts",
    }
    assert found.data.loc["bold.dfs6", "verdict"] == "refuted"
    later = found.data.loc["later"]
    assert (later["verdict"], later["n"]) == ("open", "")
    assert later["why"] == "its model is not trained"


def test_each_hypothesis_is_a_line_that_opens(ours, monkeypatch):
    shown = ledger("outcome")._repr_html_()
    assert shown.count("<details>") == shown.count("</details>") == 2
    assert "dfs5: supported; dfs6: refuted" in shown
    assert "Words &amp; more." in shown
    assert "Seen beforehand: a glance." in shown
    assert "06_x.ipynb" in shown
    monkeypatch.setenv(BOOK, "1")
    assert "06_x.html" in ledger("outcome")._repr_html_()
    assert "supported" in repr(ledger("outcome"))


def test_other_kinds_are_refused(ours):
    with pytest.raises(MazelibError, match="no kind 'odd' of hypothesis"):
        ledger("odd")


def test_every_hypothesis_of_the_book_is_in_one_ledger():
    found = [id for kind in KINDS for id in ledger(kind).data.index]
    assert sorted(found) == sorted(hypotheses())
    for kind in KINDS:
        data = ledger(kind).data
        assert all(verdict(id) == said for id, said in data["verdict"].items())
