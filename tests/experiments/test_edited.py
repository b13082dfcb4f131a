"""Before the first layer the entry is all that differs; after the last, nothing."""

import numpy as np
import pytest
from samples import held_back

from experiments import edited
from mazelib.interventions import Network, sweep
from mazelib.models import zoo


@pytest.fixture(scope="module")
def solver():
    return Network(zoo.load("memorizer4"))


@pytest.mark.parametrize("kind", edited.KINDS)
def test_pairs_that_are_kept_are_changed_by_their_entry_alone(solver, kind):
    pairs, of = edited.pairs_kept(solver, held_back(4, 300), kind)
    assert 5 < len(pairs) <= of
    places = edited.places(pairs)
    effects = sweep(solver, pairs, places, ("stream",), noising=True)
    changes = edited.KINDS[kind][1]
    share = {at: changes(x).mean(-1) for (_, at), x in effects.patched.items()}
    assert share["entry"][0] == 1
    assert share["entry"][-1] == share["all others"][0] == 0
    assert not share["next entry"][0]
    assert (share["all others"][1:] > 0).any()


@pytest.mark.parametrize("kind", edited.KINDS)
def test_places_are_the_changed_entry_the_next_and_the_rest(network, kind):
    make, _ = edited.KINDS[kind]
    pairs = make(held_back(3, 200), network.tokenizer, np.random.default_rng(0))
    places = edited.places(pairs)
    assert (places["entry"].sum(1) == 4).all()
    assert (pairs.differs <= places["entry"]).all()
    single = [places[name] for name in ("first", "connector", "second", "semicolon")]
    assert (np.sum(single, 0) == places["entry"]).all()
    following = np.roll(places["entry"], 4, 1)
    is_last = pairs.changed_entry == pairs.roles.entry.shape[1] - 1
    assert (places["next entry"][~is_last] == following[~is_last]).all()
    assert not (places["next entry"] & places["entry"]).any()
    rest = places["entry"] | places["all others"]
    assert (pairs.inside.sum(1) - rest.sum(1) == 1).all()


@pytest.mark.parametrize("kind", edited.KINDS)
def test_an_entry_names_the_paths_cell_first_or_second(network, kind):
    make, _ = edited.KINDS[kind]
    pairs = make(held_back(3, 200), network.tokenizer, np.random.default_rng(0))
    is_first = edited.names_it_first(pairs, kind)
    assert 0 < is_first.mean() < 1
    rows, at = np.arange(len(pairs)), pairs.changed_entry
    ids = (pairs.corrupted if kind == "added" else pairs.clean).ids
    second = ids[rows, pairs.roles.second[rows, at]]
    here = pairs.clean.ids[rows, pairs.clean.end]
    assert (second[~is_first] == here[~is_first]).all()
