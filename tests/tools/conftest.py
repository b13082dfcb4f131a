"""A checkout of its own for the tools that run chapters."""

import pytest

from mazelib.evidence import records
from tools import chapters


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty project: `tools.chapters` reads and writes there and nowhere else."""
    for folder in ("book", "mazelib", "data/results"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text("numpy==2\n")
    stated = tmp_path / "book/hypotheses.yml"
    stated.write_text("[]")
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    monkeypatch.setattr(chapters, "SOURCE", tmp_path / "book")
    monkeypatch.setattr(chapters, "EXECUTED", tmp_path / "_build/executed")
    monkeypatch.setattr(chapters, "HYPOTHESES", stated)
    monkeypatch.setattr("mazelib.evidence.hypotheses.HYPOTHESES", stated)
    for module in (records, chapters):
        monkeypatch.setattr(module, "RESULTS", tmp_path / "data/results")
    chapters.shared_key.cache_clear()
    yield tmp_path
    chapters.shared_key.cache_clear()
