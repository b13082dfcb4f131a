"""What is planted in a stream is what the tables say is there, and how far ahead."""

import numpy as np
import pytest

from experiments import ahead, families, future
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records, tables
from mazelib.internals import hidden_probes, readings
from mazelib.internals.plans import cell_at, directions
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo

SEES = 3
WIDTH = 96


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Of a network whose second layer knows the arrows of the path.

    In corridors it knows the next cells in their place. The untrained network has noise
    at both layers; neither is ever run.
    """
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="test")).take(0, 800)

    def streams(places, name):
        rng, found = np.random.default_rng(len(name)), {}
        for kind, steps in places.steps.items():
            arrows = directions(mazes, steps)
            knows = [arrows == way for way in range(1, 5)]
            if kind == "corridor":
                ahead = [cell_at(mazes, steps, j) for j in range(1, SEES + 1)]
                knows = [cell[:, None] == np.arange(mazes.n**2) for cell in ahead]
            knows = np.concatenate(knows, 1) * families.is_trained(name)
            found[kind] = rng.normal(size=(2, len(steps.maze), WIDTH)) * 0.1
            found[kind][1] += knows @ rng.normal(size=(knows.shape[1], WIDTH))
        noise = rng.normal(size=(2, len(mazes), WIDTH))
        return families.Streams(found, dict.fromkeys(places.roles, noise))

    known = {"dfs5": "dfs5", "untrained dfs5": "dfs5"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "RESULTS", tmp_path_factory.mktemp("results"))
        patch.setattr(readings, "DRAWS", 60)
        patch.setattr(readings, "FEWEST", 4)
        patch.setattr(hidden_probes, "STEPS", 60)
        for module in (ahead, future):
            patch.setattr(module, "networks", lambda: known)
        patch.setattr(families, "mazes_of", lambda family, count: mazes)
        patch.setattr(families.Places, "streams", streams)
        patch.setattr(ahead, "FARTHEST", 5)
        patch.setattr(ahead, "FEWEST", 50)
        future.main([])
        ahead.main([])
        return {name: tables.read_table(f"{name}.json") for name in ("future", "ahead")}


def test_what_is_planted_is_told_beside_every_control(read):
    table = read["future"]
    assert table["weights"] == zoo.hashes(["dfs5"])
    trained, untrained = table["rows"]
    assert [trained["model"], untrained["model"]] == ["dfs5", "untrained dfs5"]
    for question, kinds in {
        "future": families.PLACES,
        "directions": ("start", "fork"),
    }.items():
        assert set(trained[question]) == set(kinds)
        for kind in kinds:
            facts = trained[question][kind]
            assert facts["layer"] == 1
            value, low, high = facts["read"]
            assert low <= value <= high
            assert value == facts["by layer"][1][0]
            assert value > {"future": 0.85, "directions": 0.5}[question]
            assert set(facts["controls"]) == {
                *("question", "passages", "passages, hidden"),
                *("untrained", "shuffled", "random"),
            }
            gap, low, high, best = facts["selectivity"]
            assert low <= gap <= high
            assert gap == pytest.approx(value - facts["controls"][best][0], abs=1e-3)
            own = untrained[question][kind]
            assert set(own["controls"]) == {"question", "passages", "passages, hidden"}
            assert own["selectivity"][0] < 0
    fork = trained["future"]["fork"]
    assert fork["accuracy"] > 0.85
    assert fork["calibration"] < 0.1
    assert fork["rank 4"] < fork["read"][0]
    for role in trained["roles"].values():
        assert role["selectivity"][0] < 0


def test_the_horizon_is_how_far_ahead_was_planted(read):
    """Whoever knows all arrows knows where they lead, some steps on."""
    trained, untrained = read["ahead"]["rows"]
    for kind in ahead.KINDS:
        value, low, high = trained[kind]["horizon"]
        assert low <= value <= high
        assert value >= SEES
        assert untrained[kind]["horizon"] == [0, 0, 0]
    told = [value for value, *_ in trained["corridor"]["read"]]
    assert min(told[:SEES]) > 0.95 > 0.6 > max(told[SEES:])


def test_a_horizon_ends_where_a_step_falls_short():
    gaps = np.array([[0.3, 0.3], [0.1, 0.01], [0.05, 0.3], [0.01, 0.3], [0.2, 0.2]])
    assert ahead.unbroken(gaps).tolist() == [3, 1]
    assert ahead.unbroken(gaps[:3]).tolist() == [3, 1]
    assert ahead.unbroken(gaps[3:]).tolist() == [0, 2]
