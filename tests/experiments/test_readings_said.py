"""What README and book/hypotheses.yml say of the way to come is what was measured."""

import pytest

from experiments import future
from experiments.families import is_trained
from mazelib.evidence import tables
from mazelib.evidence.hypotheses import hypotheses
from mazelib.files import ROOT

CONTROLS = {
    "question": "question",
    "passages": "passages",
    "passages, hidden": "passages with a hidden layer",
    "untrained": "untrained",
    "shuffled": "labels shuffled",
    "random": "random numbers",
}
ENTRIES = {"fork": "future-represented", "start": "role-map"}


def readings(place: str) -> dict[str, tuple[str, list[str]]]:
    """Of each trained model: the reading and its interval, and its controls."""
    rows = tables.read_table(future.TABLE)["rows"]
    found = {row["model"]: row["future"][place] for row in rows}
    return {
        name: (
            "{:.3f} ({:.3f} to {:.3f})".format(*facts["read"]),
            [f"{facts['controls'][control][0]:.3f}" for control in CONTROLS],
        )
        for name, facts in found.items()
        if is_trained(name)
    }


@pytest.mark.parametrize("place", ENTRIES)
def test_readme_has_a_row_for_each_model(place):
    said = (ROOT / "README.md").read_text(encoding="utf-8")
    where = {"fork": "a fork", "start": "`<PATH_START>`"}[place]
    for name, (read, controls) in readings(place).items():
        assert f"| {where} | `{name}` | {read} | {' | '.join(controls)} |" in said


@pytest.mark.parametrize("place", ENTRIES)
def test_the_hypothesis_names_each_model(place):
    said = hypotheses()[ENTRIES[place]].found
    each = [
        f"{name} {read}, beside {', '.join(controls)}"
        for name, (read, controls) in readings(place).items()
    ]
    names = ", ".join(CONTROLS.values())
    assert said == f"AUC, and that of controls ({names}): {'; '.join(each)}."
