"""Damaged checkpoints are refused or open as before; the fuzzer sees what is not."""

import random

import pytest

from mazelib.errors import MazelibError
from tools import fuzz
from tools.mutations import mutate, mutate_json, mutate_line

NAMES = (*fuzz.NAMES, "model.safetensors", "log.jsonl", "state.json")


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    return {target.name: target for target in fuzz.checkpoint_targets(folder)}


@pytest.mark.parametrize("name", [*NAMES, "state.safetensors"])
def test_mutations_of_a_checkpoint_are_refused_or_change_nothing(name, targets):
    counts, failures = fuzz.fuzz(targets[name], range(80))
    assert not failures
    assert counts["refused"] > 20
    assert counts.total() == 80


def test_every_target_has_its_test(targets):
    assert set(targets) == {*NAMES, "state.safetensors"}


@pytest.mark.parametrize("mutator", [mutate, mutate_json, mutate_line])
def test_a_seed_makes_the_same_mutation_again(mutator):
    data = b'{"a": [1, {"b": null}], "c": "d"}\n{"e": 1.5}'
    data = data if mutator is mutate_line else data.split(b"\n")[0]
    made = [mutator(data, random.Random(seed)) for seed in range(200)]
    assert made == [mutator(data, random.Random(seed)) for seed in range(200)]
    assert len(set(made)) > 60


def opened(data: bytes) -> bytes:
    """A reader with one fault of each kind."""
    if len(data) > 9:
        raise KeyError("long")
    if len(data) < 9:
        raise MazelibError("two\nlines")
    return data


def test_whatever_is_neither_is_a_failure():
    counts, failures = fuzz.fuzz(fuzz.Target("x", b"123456789", opened), range(200))
    assert set(counts) == {"FAILED", "unchanged"}
    kinds = {reason.split(":")[0] for _, reason in failures}
    assert {"KeyError", "lines"} < kinds
    assert any(reason.startswith("opened as") for _, reason in failures)


def test_the_command_prints_a_line_a_target(capsys):
    assert fuzz.main(["checkpoint", "--only", "card.json", "--count", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("card.json: ")
    assert out.count("\n") == 1
