"""Networks of a family are asked about the same mazes, none twice over in two parts."""

import numpy as np

from experiments import families
from experiments.families import (
    FAMILIES,
    Places,
    by_family,
    is_trained,
    mean_over,
    networks,
    rounded,
    without,
)
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence.intervals import wilson
from mazelib.internals.roles import ENTRY, QUESTION
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo


def test_networks_are_finished_models_and_an_untrained_one_of_each_shape():
    known = networks()
    assert set(known.values()) == set(FAMILIES)
    trained = {name for name in known if is_trained(name)}
    assert trained <= set(zoo.names())
    assert trained == set(networks(untrained=False))
    one = {name: family for name, family in known.items() if family == "dfs5"}
    assert networks(families=["dfs5"]) == one
    assert {known[name] for name in set(known) - trained} == set(FAMILIES)
    for name in trained:
        card = zoo.read_card(name)
        assert card["metrics"]["exact"] > 0.6  # none that is half trained


def test_mazes_without_others_share_none_up_to_symmetry():
    stream = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="any"))
    some, others = stream.take(0, 400), stream.take(400, 400)
    left = without(some, others)
    assert 0 < len(left) < len(some)
    assert not set(left.canonical_hashes) & set(others.canonical_hashes)


def test_names_go_by_family_and_a_family_without_any_is_left_out():
    known = {"b2": "b", "a": "a", "b1": "b", "untrained b": "b", "c": "c"}
    asked = ["untrained b", "c", "b2"]
    assert list(by_family(asked, known)) == [("b", ["untrained b", "b2"]), ("c", ["c"])]


def test_numbers_are_rounded_and_what_is_none_is_said_so():
    assert rounded([[0.123456, np.nan], [1, 2]]) == [[0.1235, None], [1.0, 2.0]]
    assert rounded(np.float32(0.5)) == 0.5


def test_a_share_that_all_or_none_have_has_an_interval_too():
    group = np.repeat(np.arange(50), 2)  # two rows of each maze
    assert mean_over(np.zeros(100, bool), group) == [0.0, *rounded(wilson(0, 50))]
    assert mean_over(np.ones(100, bool), group) == [1.0, *rounded(wilson(50, 50))]
    assert mean_over(np.full(100, 0.25), group) == [0.25, 0.25, 0.25]
    value, low, high = mean_over(group % 2 == 0, group)
    assert low < value == 0.5 < high


def test_places_are_the_same_each_time_and_no_more_than_asked_for(monkeypatch):
    monkeypatch.setattr(families, "COUNT", 60)
    monkeypatch.setattr(families, "MOST", 50)
    one, other = Places.of("dfs5"), Places.of("dfs5")
    assert set(one.steps) == set(families.PLACES)
    assert set(one.roles) == {*ENTRY, *QUESTION}
    for kind, steps in one.steps.items():
        assert len(steps.maze) <= 50
        assert (np.diff(steps.maze) >= 0).all()
        np.testing.assert_array_equal(steps, other.steps[kind])
    streams = one.streams("untrained dfs5")
    for kind, steps in one.steps.items():
        assert streams.steps[kind].shape == (9, len(steps.maze), 96)
    assert {found.shape for found in streams.roles.values()} == {(9, 60, 96)}


def test_each_network_that_is_asked_has_a_row(monkeypatch):
    kept = []
    monkeypatch.setattr(
        families, "keep", lambda *given, **facts: kept.append((given, facts))
    )
    known = {"dfs5": "dfs5", "dfs6-learned": "dfs6-learned"}
    families.write_table(
        "What it is.",
        "some.json",
        known,
        ["dfs6-learned"],
        lambda family: (family, 3),
        lambda name, family, count: {"model": name, "asked": (family, count)},
        n=3,
    )
    row = {"model": "dfs6-learned", "asked": ("dfs6-learned", 3)}
    facts = {"made_by": "python -m experiments.some", "n": 3}
    assert kept == [(("some.json", row), facts)]
