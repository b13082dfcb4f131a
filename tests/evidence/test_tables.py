"""Tables keep the rows of models that were not measured again; damage is named."""

from pathlib import Path

import pytest

from mazelib.errors import MazelibError
from mazelib.evidence import records, tables


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """An empty folder of results."""
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return tmp_path


def test_rows_of_other_models_stay_and_a_table_is_read_again(results):
    rows = [{"model": name, "n": 1} for name in ("a", "b", "b/000010")]
    tables.replace_rows("t.json", ["a", "b"], rows, {"a": "1", "b": "2"})
    anew = {"model": "b", "n": 5}
    tables.replace_rows("t.json", ["b"], [anew], {"b": "3"}, made_by="us")
    found = tables.read_table("t.json")
    assert found["rows"] == [rows[0], anew]
    assert found["weights"] == {"a": "1", "b": "3"}
    assert found["made_by"] == "us"


def test_a_table_that_cannot_be_read_is_named(results):
    with pytest.raises(MazelibError, match=r"t\.json cannot be read .*: make it again"):
        tables.read_table("t.json")
    (results / "t.json").write_text("{")
    with pytest.raises(MazelibError, match=r"t\.json cannot be read"):
        tables.replace_rows("t.json", ["a"], [], {})


def test_a_model_that_a_table_does_not_know_is_named_with_what_measures_it(results):
    rows = [{"model": name, "n": 1} for name in ("a", "b")]
    tables.replace_rows("t.json", ["a", "b"], rows, {}, made_by="python t.py")
    assert tables.rows_of("t.json", ["b"]) == {"b": rows[1]}
    with pytest.raises(MazelibError, match=r"nothing of c, only of a, b: .*t.py c"):
        tables.rows_of("t.json", ["a", "c"])
