"""The directions that pages read and move along are those of the weights they load."""

import pytest
from safetensors import safe_open

from experiments.directions import ASKED, FOLDER, KINDS, ROLES
from mazelib.internals.roles import KINDS as TOKEN_KINDS
from mazelib.models import zoo


@pytest.mark.parametrize("name", ASKED)
def test_directions_are_of_the_weights_and_have_their_shape(name):
    with safe_open(FOLDER / f"{name}.safetensors", "np") as file:
        assert file.metadata() == zoo.hashes([name])
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    card = zoo.read_card(name)
    layers, heads, width = (card["model"][k] for k in ("layers", "heads", "width"))
    cells = zoo.trained_on(name).mazes.grid ** 2
    wanted = {"push.weight": (cells, width), "push.layer": (1,), "push.length": (1,)}
    wanted |= {f"goal.{role}": (cells, width) for role in ROLES} | {"goal.layer": (1,)}
    wanted["mean.head"] = (layers, heads, len(TOKEN_KINDS), width // heads)
    for kind in KINDS:
        wanted[f"future.{kind}.weight"] = (layers + 1, cells, width)
        wanted[f"future.{kind}.bias"] = (layers + 1, cells)
    assert shapes == wanted
