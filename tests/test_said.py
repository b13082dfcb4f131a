"""README's rows on the chapters of interventions say what was recorded."""

import re

import pytest

from mazelib.evidence.records import results
from mazelib.files import ROOT

SAID = {
    "attribution-concentrated": "15",
    "target-token-carries": "16",
    "retargeting": "17",
    "retargeting.dfs6-learned": "17",
    "plan-steering": "17",
    "algorithm-agrees": "18",
}
"""The chapter in whose row a number stands, with its interval."""
OF_ALL = ("attribution-concentrated", "target-token-carries", "retargeting")
"""Those whose other trainings stand there, too."""


@pytest.mark.parametrize("id", SAID)
def test_a_row_says_the_number_and_its_interval_and_other_trainings(id):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| \[{SAID[id]} .*$", text, flags=re.MULTILINE)
    found = results()[id]
    assert f"{found.value:.0%}" in row
    assert "{:.0%} to {:.0%}".format(*found.interval) in row
    others = " and ".join(f"{value:.0%}" for value in found.seeds.values())
    assert id not in OF_ALL or others in row
