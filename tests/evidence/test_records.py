"""Verdicts follow from thresholds that were set before."""

import json
import re
from dataclasses import replace

import pytest

from mazelib.errors import MazelibError
from mazelib.evidence import records
from mazelib.evidence.hypotheses import KINDS, Hypothesis, Threshold, hypotheses, seal
from mazelib.evidence.intervals import wilson
from mazelib.evidence.records import (
    BOOK,
    Result,
    judge,
    record,
    results,
    verdict,
)

STATED = Hypothesis(
    "bold",
    "outcome",
    "Words.",
    "18_verdicts",
    "How much?",
    "share",
    "dfs5",
    ("one", "two"),
    "some",
    "chance",
    Threshold(at_least=0.8),
    Threshold(at_most=0.3),
    "so",
)
HIGH = Result(0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9, "two": 0.85})
LOW = Result(0.2, 100, (0.1, 0.3), 0.1, {"one": 0.2, "two": 0.25})


def test_every_hypothesis_can_be_decided_either_way():
    stated = hypotheses()
    assert len(stated) >= 30
    for name, entry in stated.items():
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)?", name)
        assert entry.kind in KINDS
        assert re.fullmatch(r"(0[4-9]|1[0-8])_[a-z_]+|models", entry.chapter)
        yes, no = entry.supported, entry.refuted
        # one bounds from below, the other from above, with room between them
        assert (yes.at_least > no.at_most) != (yes.at_most < no.at_least)


def test_a_verdict_needs_the_whole_interval_all_seeds_and_a_control_that_fails():
    assert judge(STATED, HIGH) == "supported"
    assert judge(STATED, LOW) == "refuted"
    for change in (
        {"interval": (0.79, 0.95)},
        {"control": 0.8},
        {"seeds": {"one": 0.9, "two": 0.79}},
        {"seeds": {"one": 0.79}},
    ):
        assert judge(STATED, replace(HIGH, **change)) == "undecided"
    for change in (
        {"interval": (0.1, 0.31)},
        {"seeds": {"one": 0.2, "two": 0.31}},
        {"seeds": {"two": 0.31}},
    ):
        assert judge(STATED, replace(LOW, **change)) == "undecided"


def test_a_margin_is_kept_from_the_control_by_the_whole_interval():
    beyond = replace(STATED, margin=0.3)
    assert judge(beyond, HIGH) == "supported"  # 0.85 and 0.5
    assert judge(beyond, replace(HIGH, control=0.56)) == "undecided"
    down = {"supported": Threshold(at_most=0.35), "refuted": Threshold(at_least=0.8)}
    below = replace(beyond, **down)
    assert judge(below, replace(LOW, control=0.61)) == "supported"
    assert judge(below, replace(LOW, control=0.59)) == "undecided"


@pytest.mark.parametrize("seeds", [{}, {"one": 0.9}])
def test_a_verdict_that_waits_for_seeds_says_so(seeds):
    assert judge(STATED, replace(HIGH, seeds=seeds)) == "supported so far"
    low = dict.fromkeys(seeds, 0.2)
    assert judge(STATED, replace(LOW, seeds=low)) == "refuted so far"


def test_a_threshold_can_point_down():
    few = replace(
        STATED, supported=Threshold(at_most=0.35), refuted=Threshold(at_least=0.8)
    )
    assert judge(few, replace(LOW, control=0.9)) == "supported"
    assert judge(few, replace(HIGH, control=0.9)) == "refuted"


def test_what_is_recorded_is_read_again(ours):
    assert verdict("bold") == "open"
    assert record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9}) == "supported"
    assert verdict("bold") == "supported"
    assert results() == {"bold": replace(HIGH, seeds={"one": 0.9})}
    assert json.loads((ours / "results/bold.json").read_text())["n"] == 100
    (ours / "results/other-tables.json").write_text("[]")
    record("bold", 0.25, 9, wilson(2, 9), 0.1)
    assert verdict("bold") == "undecided"


PAIR = """
- {id: read, kind: outcome, says: Words., chapter: 18_verdicts,
   asks: How many, metric: AUC,
   model: dfs5, seeds: [one], mazes: 5×5, control: chance, why: so,
   supported: {at_least: 0.8}, refuted: {at_most: 0.3}, settled_by: used,
   also: {dfs6: {seeds: [], mazes: 6×6}}}
- {id: used, kind: outcome, says: Words., chapter: 18_verdicts,
   asks: How many, metric: flips,
   model: dfs5, seeds: [], mazes: 5×5, control: chance, why: so, unit: flips,
   supported: {at_least: 5.0}, refuted: {at_most: 1.0},
   also: {dfs6: {seeds: [], mazes: 6×6}}}
"""


def test_what_can_be_read_is_supported_once_it_is_shown_to_be_used(ours):
    (ours / "hypotheses.yml").write_text(PAIR)
    high = (0.9, 100, (0.85, 0.95), 0.5)
    assert record("read", *high) == "decodable so far"
    assert record("read", *high, {"one": 0.9}) == "decodable"
    assert verdict("read") == "decodable, not yet shown to be used"
    record("used", 3.0, 100, (2.0, 6.0), 0.0)
    assert verdict("read") == "decodable, not yet shown to be used"
    record("used", 0.0, 100, (0.0, 1.0), 0.0)
    assert verdict("read") == "decodable, not used"
    record("used", 7.0, 100, (6.0, 8.0), 0.0)
    assert verdict("read") == "supported"
    record("read", 0.2, 100, (0.1, 0.25), 0.5, {"one": 0.2})
    assert verdict("read") == "refuted"


def test_another_model_is_asked_the_same_and_judged_by_itself(ours):
    (ours / "hypotheses.yml").write_text(PAIR)
    assert list(hypotheses()) == ["read", "read.dfs6", "used", "used.dfs6"]
    other = hypotheses()["read.dfs6"]
    assert (other.model, other.seeds, other.mazes) == ("dfs6", (), "6×6")
    assert seal(other) != seal(hypotheses()["read"])
    record("read", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})
    record("read.dfs6", 0.2, 100, (0.1, 0.25), 0.1)
    assert verdict("read.dfs6") == "refuted"
    record("read.dfs6", 0.9, 100, (0.85, 0.95), 0.1)
    record("used.dfs6", 7.0, 100, (6.0, 8.0), 0.0)
    assert verdict("read.dfs6") == "supported"
    assert verdict("read") == "decodable, not yet shown to be used"
    assert {path.name for path in (ours / "results").iterdir()} == {
        *("read.json", "read.dfs6.json", "used.dfs6.json")
    }


def test_a_measure_that_is_invalid_says_so_and_what_is_asked_in_its_place(ours):
    path = ours / "hypotheses.yml"
    text = path.read_text()
    new = text.replace("id: bold", "id: anew")
    old = text.replace("why: so,", "why: so, invalid: It counts trees., instead: anew,")
    path.write_text(old + new)
    assert record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9}) == (
        "measure invalid"
    )
    path.write_text(old)
    with pytest.raises(MazelibError, match="names 'anew': there is none"):
        hypotheses()


MEASURED = ("bold", 0.9123456, 100, (0.85, 0.95), 0.5, {"one": 0.9})


def test_a_readers_run_goes_by_its_own_numbers_and_leaves_the_record(ours, monkeypatch):
    record(*MEASURED)
    before = (ours / "results/bold.json").read_text()
    monkeypatch.delenv(BOOK)
    assert record("bold", 0.2, 50, (0.1, 0.25), 0.5, {"one": 0.1}) == "refuted"
    assert results()["bold"].value == 0.2
    assert (ours / "results/bold.json").read_text() == before


def test_a_record_changes_with_its_numbers_but_not_with_their_rounding(ours):
    record(*MEASURED)
    path = ours / "results/bold.json"
    before = path.read_text()
    assert json.loads(before)["value"] == 0.9123
    record("bold", 0.91235, 100, (0.85, 0.95), 0.50001, {"one": 0.9})
    assert path.read_text() == before
    record("bold", 0.92, 100, (0.85, 0.95), 0.5, {"one": 0.9})
    assert json.loads(path.read_text())["value"] == 0.92
    record("bold", 0.92, 101, (0.85, 0.95), 0.5, {"one": 0.9})
    assert json.loads(path.read_text())["n"] == 101


def test_a_number_does_not_outlive_its_question(ours):
    record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})
    text = (ours / "hypotheses.yml").read_text()
    (ours / "hypotheses.yml").write_text(text.replace("mazes: some", "mazes: others"))
    assert verdict("bold") == "open"
    assert results() == {}


def test_what_is_committed_was_measured_as_stated():
    stated = hypotheses()
    for path in records.RESULTS.glob("*.json"):
        if path.stem in stated:
            facts = json.loads(path.read_text())
            assert facts["stated"] == seal(stated[path.stem]), path.stem
            measured = records.stored(stated[path.stem])
            assert facts["verdict"] == judge(stated[path.stem], measured), path.stem


def test_a_threshold_that_changes_changes_the_verdict(ours):
    record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})
    text = (ours / "hypotheses.yml").read_text()
    (ours / "hypotheses.yml").write_text(text.replace("0.8}", "0.87}"))
    assert verdict("bold") == "undecided"
    record("bold", 0.9, 100, (0.85, 0.95), 0.5, {"one": 0.9})  # the same once more
    written = json.loads((ours / "results/bold.json").read_text())
    assert written["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("meek", 0.9, 100, (0.8, 1.0), 0.5), "no hypothesis 'meek': write it into"),
        (("bold", 0.9, 100, (0.8, 1.0), float("nan")), "not finite"),
        (("bold", 0.9, 100, (0.95, 1.0), 0.5), "must lie in its interval"),
        (("bold", 0.9, 0, (0.8, 1.0), 0.5), "n ≥ 1"),
        (("bold", 0.9, 9, (0.8, 1.0), 0.5, {"three": 1.0}), r"seeds are \['three'\]"),
    ],
)
def test_what_cannot_be_evidence_is_refused(ours, arguments, message):
    with pytest.raises(MazelibError, match=message):
        record(*arguments)
    assert results() == {}


def test_no_control_no_record(ours):
    with pytest.raises(TypeError, match="control"):
        record("bold", 0.9, 100, (0.8, 1.0))


def test_a_file_that_cannot_be_read_is_named(ours):
    path = ours / "hypotheses.yml"
    text = path.read_text()
    path.write_text(text.replace("why: so,", ""))
    with pytest.raises(MazelibError, match=r"entry 'bold': .*'why'"):
        hypotheses()
    path.write_text(text + text)
    with pytest.raises(MazelibError, match="'bold' twice"):
        hypotheses()
    path.write_text(text)
    (ours / "results").mkdir()
    (ours / "results/bold.json").write_text("{")
    with pytest.raises(MazelibError, match=r"bold.json is damaged"):
        verdict("bold")
