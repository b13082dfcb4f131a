"""Each model there is answers the same mazes, and its failures are told by number."""

import json
from collections import Counter

import numpy as np
import pytest

from experiments import by_scheme
from mazelib.behaviour import contrasts
from mazelib.behaviour.evaluation import evaluate
from mazelib.behaviour.forks import fork_table
from mazelib.dataset.stream import MazeStream
from mazelib.errors import MazelibError
from mazelib.evidence import records
from mazelib.models import checkpoint, zoo
from mazelib.models.model import MazeModelConfig, build

RUNG = zoo.ladder("dfs5")[5]


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Few mazes, a small model of pairs beside dfs5, and a place for the table."""
    mazes = MazeStream(zoo.held_out("dfs6")).take(0, 20)  # dfs5 fails many
    monkeypatch.setattr(
        by_scheme, "sets", lambda: [("test", mazes), ("more", mazes[:9])]
    )
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    config = MazeModelConfig(scheme="ctt", layers=1, width=16, heads=2)
    folder = tmp_path / "small-pairs"
    facts = {"questions": zoo.read_card(RUNG)["questions"]}
    checkpoint.save(folder, build(config, seed=0), config, facts)
    folder_of, hashes = zoo.folder_of, zoo.hashes
    at = {"small-pairs": folder}
    monkeypatch.setattr(by_scheme, "MODELS", ("dfs5", "small-pairs", "not-there"))
    monkeypatch.setattr(zoo, "names", lambda: ["dfs5", "small-pairs"])
    monkeypatch.setattr(zoo, "folder_of", lambda name: folder_of(at.get(name, name)))
    monkeypatch.setattr(zoo, "hashes", lambda names: hashes({"dfs5"} & {*names}))
    return mazes, tmp_path / "by-scheme.json"


def test_a_row_for_each_model_there_is(asked):
    """And for the checkpoint of dfs5 that has seen as many questions as one of them."""
    mazes, path = asked
    by_scheme.main([])
    rows = json.loads(path.read_text())["rows"]
    assert not any("failed" in row for row in rows if row["set"] == "more")
    rows = {row["model"]: row for row in rows if row["set"] == "test"}
    assert list(rows) == ["dfs5", "small-pairs", f"dfs5/{RUNG.name}"]
    for name, row in rows.items():
        trained = zoo.load(RUNG if "/" in name else name)
        table = evaluate(trained.model, trained.tokenizer, mazes)
        forks = fork_table(mazes, table["next_cells"].tolist())
        assert row["failed"] == np.flatnonzero(~table["exact"]).tolist()
        departures = table["departure"][~table["exact"]].tolist()
        assert row["departures"] == Counter(departures)
        assert row["wrong_forks"] == np.flatnonzero(~forks["right"]).tolist()
        assert (row["n"], row["forks"]) == (20, len(forks))
    assert 0 < len(rows["dfs5"]["failed"]) < 20
    assert len(rows["small-pairs"]["failed"]) == 20
    counts = [row["questions"] for row in rows.values()]
    assert counts[0] > counts[1] == counts[2]


def test_one_model_is_asked_again_and_the_others_kept(asked):
    _, path = asked
    by_scheme.main([])
    before = json.loads(path.read_text())
    by_scheme.main(["dfs5"])
    after = json.loads(path.read_text())
    kept = [row for row in before["rows"] if row["model"] == "small-pairs"]
    others = [row for row in before["rows"] if row["model"] != "small-pairs"]
    assert after["rows"] == kept + others
    assert after["weights"] == before["weights"]


def test_what_is_on_its_way_brings_what_it_is_compared_with(asked):
    _, path = asked
    by_scheme.main(["small-pairs"])
    rows = json.loads(path.read_text())["rows"]
    found = [row["model"] for row in rows if row["set"] == "test"]
    assert found == ["dfs5", "small-pairs", f"dfs5/{RUNG.name}"]


def test_there_has_to_be_something_to_compare_with(asked, monkeypatch):
    monkeypatch.setattr(zoo, "ladder", lambda name: [])
    with pytest.raises(MazelibError, match="small-pairs has seen 104,800 questions"):
        by_scheme.main(["small-pairs"])


def test_an_unknown_name_is_refused(asked, capsys):
    with pytest.raises(SystemExit):
        by_scheme.main(["dfs7"])
    assert "no dfs7: take of dfs5, small-pairs" in capsys.readouterr().err


def test_sets_are_as_large_as_their_hypotheses_say():
    sizes = {name: len(mazes) for name, mazes in by_scheme.sets()}
    assert sizes.pop("test") == 12_000
    assert sizes.pop("open field, all") == len(contrasts.open_field())
    assert set(sizes.values()) == {2000}
