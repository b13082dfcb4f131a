"""A file with one hypothesis, for tests of what is recorded of it."""

from pathlib import Path

import pytest

from mazelib.evidence import hypotheses as hypotheses_module
from mazelib.evidence import records
from mazelib.evidence.records import BOOK


@pytest.fixture
def ours(tmp_path, monkeypatch) -> Path:
    """A file with one hypothesis, and an empty folder of results."""
    text = """
- {id: bold, kind: outcome, says: Words., chapter: 18_verdicts,
   asks: How many, metric: share,
   model: dfs5, seeds: [one], mazes: some, control: chance, why: so,
   supported: {at_least: 0.8}, refuted: {at_most: 0.3}}
"""
    (tmp_path / "hypotheses.yml").write_text(text)
    monkeypatch.setattr(hypotheses_module, "HYPOTHESES", tmp_path / "hypotheses.yml")
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(records, "_measured", {})
    monkeypatch.setenv(BOOK, "1")
    return tmp_path
