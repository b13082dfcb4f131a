"""What is planted at a place is what its question finds there."""

import numpy as np
import pytest
from samples import held_back

from experiments import decodable, families
from mazelib.evidence import records, tables
from mazelib.internals import hidden_probes, readings
from mazelib.internals.plans import cell_at, path_steps
from mazelib.models import zoo

WIDTH = 64


@pytest.fixture(scope="module")
def mazes():
    return held_back(4, 2400)


@pytest.fixture(scope="module")
def ground(mazes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decodable, "COUNT", 600)
        patch.setattr(decodable, "mazes_of", lambda family, count: mazes[:count])
        return decodable.Ground.of("dfs5")


def test_places_are_what_they_say(ground, mazes):
    assert set(ground.places) == {"start", "origin", "onward", "list", "fourth"}
    long, _ = ground.places["fourth"]
    assert len(long) == 600
    assert long.length.min() == decodable.LONG + 1
    tokenizer = zoo.load("dfs5").tokenizer
    for at in (0, 7, 500):
        text = tokenizer.to_text(mazes[at : at + 1].encode(tokenizer).ids[0])
        last = text.split(" ; <ADJLIST_END>")[0].split(" ")[-1]
        assert last == "({},{})".format(*divmod(int(ground.named[at]), 4))
    steps, forks = ground.steps["onward"], path_steps(ground.mazes, "fork")
    is_forced = decodable.forced(ground)
    choices = set(zip(*(part.tolist() for part in forks), strict=True))
    for at, (maze, step) in enumerate(np.stack(steps, 1).tolist()):
        assert step + decodable.ONWARD < ground.mazes.length[maze, 0]
        free = any((maze, step + more) in choices for more in range(decodable.ONWARD))
        assert is_forced[at] != free


def test_a_cell_that_is_known_where_it_is_forced_alone_leaves_a_gap(
    ground, rng, monkeypatch
):
    monkeypatch.setattr(decodable, "DRAWS", 100)
    steps, is_forced = ground.steps["onward"], decodable.forced(ground)
    cell = cell_at(ground.mazes, steps, decodable.ONWARD)
    knows = (cell[:, None] == np.arange(16)) * is_forced[:, None]
    features = rng.normal(size=(2, len(cell), WIDTH)) * 0.2
    features[1] += 2 * knows @ rng.normal(size=(16, WIDTH))
    found = decodable.corridors(ground, features)
    assert found["layer"] == 1
    assert found["forced"] > 0.9 > 0.4 > found["free"]
    gap, low, high = found["gap"]
    assert low <= gap <= high
    assert gap == pytest.approx(found["forced"] - found["free"], abs=1e-3)


def test_every_question_is_asked_with_its_controls(ground, rng, tmp_path, monkeypatch):
    def streams(self, name):
        """Noise, but for the target where it is asked for."""
        sizes = {k: len(steps.maze) for k, steps in ground.steps.items()}
        sizes |= {"list": len(ground.mazes), "fourth": 600}
        found = {k: rng.normal(size=(2, n, WIDTH)) for k, n in sizes.items()}
        if families.is_trained(name):
            long, _ = ground.places["fourth"]
            knows = long.target == np.arange(16)
            found["fourth"][1] += 6 * knows @ rng.normal(size=(16, WIDTH))
        return found

    known = {"dfs5": "dfs5", "untrained dfs5": "dfs5"}
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(readings, "DRAWS", 20)
    monkeypatch.setattr(hidden_probes, "STEPS", 20)
    monkeypatch.setattr(decodable, "REACHES", [2])
    monkeypatch.setattr(decodable, "networks", lambda: known)
    monkeypatch.setattr(decodable.Ground, "of", lambda family: ground)
    monkeypatch.setattr(decodable.Ground, "streams", streams)
    decodable.main([])
    trained, untrained = tables.read_table(decodable.TABLE)["rows"]
    names = {
        *("target", "distance", "path length", "passages", "distance, in the list"),
        *("within 2 of target", "within 2 of origin"),
    }
    assert set(trained) == {"model", "corridors", *names} == set(untrained)
    assert trained["target"]["read"][0] > 0.9
    assert untrained["target"]["read"][0] < 0.2
    assert "selectivity" not in untrained["target"]
    for name in names - {"target"}:
        controls = trained[name]["controls"]
        assert {"untrained", "shuffled", "random"} <= set(controls)
        assert ("passages" in controls) == (name != "passages")
        assert trained[name]["selectivity"][0] < 0.1
