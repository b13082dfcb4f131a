"""A row has a question, a verdict and why, a number and what it compares with."""

from mazelib.evidence.records import record
from mazelib.evidence.verdicts import verdict_table

MEASURED = (0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})
OTHER = """, also: {dfs6: {seeds: [], mazes: 6×6}}}
- {id: used, kind: outcome, says: Words., chapter: 18_verdicts,
   asks: How many, metric: flips,
   model: dfs5, seeds: [], mazes: 5×5, control: chance, why: so, unit: flips,
   supported: {at_least: 5.0}, refuted: {at_most: 1.0}}
"""


def test_a_row_has_the_question_the_verdict_and_what_it_rests_on(ours):
    record("bold", *MEASURED)
    table = verdict_table(["bold"])
    assert [*table.data.columns[:2]] == ["question", "verdict"]
    assert ">bold<" not in table._repr_html_()  # the columns have the room
    assert "<em>Changed</em>" in table._repr_html_()
    shown = table.data.loc["bold"]
    assert shown["number (95% interval)"] == "0.900 (0.850 to 0.950)"
    assert shown["range over trainings"] == "0.900 to 0.900"
    assert (shown["seen beforehand"], shown["changed"]) == ("no", "no")
    assert shown["verdict"] == "supported: ≥ 0.8"
    assert "measured: share Compared with chance." in table._repr_html_()


def test_another_model_is_named_and_asked_in_full_where_it_stands_alone(ours):
    path = ours / "hypotheses.yml"
    path.write_text(path.read_text().rstrip().rstrip("}") + "}" + OTHER)
    for id in ("bold", "bold.dfs6"):
        record(id, 0.9, 100, (0.85, 0.95), 0.5)
    record("used", 7.0, 100, (6.0, 8.0), 0.0)
    ids = ["bold", "bold.dfs6", "used"]
    shown = verdict_table(ids).data
    assert shown["question"].tolist() == ["How many", "the same of dfs6", "How many"]
    assert shown.loc["used"]["number (95% interval)"] == "7 (6 to 8) flips"
    shown = verdict_table(["used", "bold.dfs6"]).data["question"]
    assert shown.tolist() == ["How many", "How many (dfs6)"]


def test_a_measure_that_is_invalid_says_why_and_what_is_asked_in_its_place(ours):
    path = ours / "hypotheses.yml"
    text = path.read_text()
    old = text.replace("why: so,", "why: so, invalid: It counts trees., instead: anew,")
    path.write_text(old + text.replace("id: bold", "id: anew"))
    record("bold", *MEASURED)
    row = verdict_table(["bold"]).data.loc["bold"]
    assert row["verdict"] == "measure invalid: It counts trees. Asked anew: anew"


def test_a_comparison_that_is_as_good_is_said_to_be(ours):
    record("bold", 0.9, 100, (0.85, 0.95), 0.81, {"one": 0.9})
    row = verdict_table(["bold"]).data.loc["bold"]
    assert row["verdict"] == "undecided: ≥ 0.8, but the comparison meets it, too"
    record("bold", 0.9, 100, (0.75, 0.95), 0.81, {"one": 0.9})
    row = verdict_table(["bold"]).data.loc["bold"]
    assert row["verdict"] == "undecided: not ≥ 0.8, not ≤ 0.3"


def test_what_was_seen_or_changed_beforehand_stands_folded_below_the_verdicts(ours):
    text = (ours / "hypotheses.yml").read_text()
    more = "why: so, known: 0.7 <of> a few, changed: a day,"
    text = text.replace("metric: share,", "metric: share at <B>,")
    (ours / "hypotheses.yml").write_text(text.replace("why: so,", more))
    record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})
    shown = verdict_table(["bold"])
    row = shown.data.loc["bold"]
    assert (row["seen beforehand"], row["changed"]) == ("yes", "yes")
    _, _, folded = shown._repr_html_().partition("<details>")
    assert "share at &lt;B&gt;" in folded
    assert "seen: 0.7 &lt;of&gt; a few; changed: a day" in folded
