"""Streams are read where they are asked for, whatever the parts mazes are run in."""

import numpy as np
import pytest
from samples import one_question

from mazelib.internals import lens as lens_module
from mazelib.internals.lens import open_lens, run
from mazelib.internals.plans import START, path_steps
from mazelib.internals.roles import roles_of
from mazelib.internals.streams import at_role, at_steps, stream_sites, streams_at
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture
def lens(tiny_model, tiny_config):
    return open_lens(TrainedModel(tiny_model, tiny_config.tokenizer, {}))


def test_streams_are_those_of_one_run_at_the_tokens_asked_for(
    lens, few, rng, monkeypatch
):
    mazes = one_question(few)
    steps, entry = path_steps(mazes, "fork"), rng.integers(0, 15, len(mazes))
    wheres = {
        "fork": at_steps(steps),
        "start": at_steps(path_steps(mazes, "start")),
        "target": at_role("target"),
        "entry": at_role("semicolon", entry),
    }
    whole = streams_at(lens, mazes, wheres)
    batch = mazes.encode(lens.tokenizer)
    roles, sites = roles_of(batch, mazes, lens.tokenizer), stream_sites(lens)
    _, cache = run(lens, batch, sites)
    each = np.arange(len(mazes))
    want = {
        "fork": (steps.maze, roles.path[steps.maze, steps.step]),
        "start": (each, roles.path_start),
        "target": (each, roles.target),
        "entry": (each, roles.semicolon[each, entry]),
    }
    for name, at in want.items():
        read = np.stack([cache[site.hook][at].numpy() for site in sites])
        np.testing.assert_allclose(whole[name], read, atol=1e-5)
    monkeypatch.setattr(lens_module.activations, "__defaults__", (2**28, 7))
    parts = streams_at(lens, mazes, wheres)
    for name, read in whole.items():
        np.testing.assert_allclose(parts[name], read, atol=1e-5)
    assert START == -1
