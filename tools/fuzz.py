"""Damage files in all small ways: each is refused in one line, or changes no answer.

    python -m tools.fuzz checkpoint --count 100000     # of each file of a checkpoint

A kind of thing to open is a function in `KINDS` that is given an empty folder and
returns its `Target`s. Every target is opened `--count` times, each time with another
single mutation. What may come of it:

    refused      MazelibError, of one line
    as before    what `open` returns is what it returns for the undamaged bytes
    unchanged    the mutation did nothing

Anything else, a warning too, is printed with the number of the mutation (which makes it
again: --first N --count 1), and the exit code is 1.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load as safetensors_load
from tqdm import tqdm

from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models import checkpoint, huggingface, zoo
from mazelib.models.card import check_scores
from mazelib.models.model import MazeModelConfig, build
from mazelib.training import snapshot
from mazelib.training.recipe import TrainConfig
from tools.mutations import mutate, mutate_json, mutate_line

FASTEST = "/dev/shm"
"""Memory that is a folder, where there is one."""


class Target(NamedTuple):
    """One file, and how it is damaged and opened.

    name: what it is called in the report. data: its undamaged bytes.
    open: opens the thing with such bytes in place of `data`, and returns the facts that
        damage must not change without an error, to be compared by ==.
    mutators: each mutation is by one of them, drawn at random.
    """

    name: str
    data: bytes
    open: Callable[[bytes], object]
    mutators: tuple[Callable[[bytes, random.Random], bytes], ...] = (mutate,)


# ── checkpoints ──

SHAPE = MazeModelConfig(side=2, layers=1, width=16, heads=2, max_positions=64)
RUN = TrainConfig(StreamConfig(MazeConfig("dfs", 2)), SHAPE, validation=8)
PROMPT = "<ADJLIST_START> (0,0) <--> (0,1) ; (1,1) <--> (0,1) ; <ADJLIST_END>"
NAMES = (checkpoint.CARD, *huggingface.FILES)


def checkpoint_targets(folder: Path) -> list[Target]:
    """The files of a tiny model, and those of the state that a run continues from."""
    model, state = folder / "model", folder / "state"
    log = [{"step": 10, "loss": 1.5, "questions": 80, "seconds": 0.25, "exact": 0.5}]
    save_tiny(model, log)
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    both = (mutate, mutate_json)
    found = [
        Target(name, files[name], partial(open_with, model, name), both)
        for name in NAMES
    ]
    weights = files[checkpoint.WEIGHTS]
    found.append(Target(checkpoint.WEIGHTS, weights, partial(open_weights, model)))
    lines = (mutate, mutate_line)
    read_log = partial(open_log, model)
    found.append(Target(checkpoint.LOG, files[checkpoint.LOG], read_log, lines))
    for step in (1, 2):
        tensors = {"model.x": torch.full((8,), float(step))}
        snapshot.write(state, step, tensors, {"done": step, "log": log})
    for path in sorted(state.glob("00000002.*")):
        opened = partial(open_state, path)
        kinds = both if path.suffix == ".json" else (mutate,)
        found.append(Target(f"state{path.suffix}", path.read_bytes(), opened, kinds))
    return found


def save_tiny(folder: Path, log: list[dict]) -> None:
    """A model with all that a card of a trained one says."""
    facts = {"training": asdict(RUN), "seed": 0, "steps": 10, "questions": 80}
    facts |= {"seconds": 0.25, "rounding": {"changed": 0, "n": 8}, "split": "test"}
    facts["metrics"] = {"exact": 0.5, "exact_ci": [0.25, 0.75], "n": 8, "valid": 1.0}
    network = build(SHAPE, seed=1)
    texts = {checkpoint.LOG: checkpoint.log_text(log)}
    checkpoint.save(folder, network, SHAPE, facts, texts)


def open_with(folder: Path, name: str, data: bytes) -> object:
    """A model with another file of one name: its logits, vocabulary and shape."""
    with other_file(folder / name, data):
        trained = zoo.load(folder)
        zoo.held_out(folder)
        check_scores(trained.card, folder)
    ids = torch.from_numpy(trained.tokenizer.from_text(PROMPT)).long()[None]
    with torch.no_grad():
        logits = trained.model(ids).logits.numpy().tobytes()
    generation = trained.model.generation_config
    stops = generation.eos_token_id, generation.pad_token_id
    low, high = trained.card["metrics"]["exact_ci"]
    assert f"{trained.card['metrics']['exact']:.3f} {low:.3f} {high:.3f}"
    said = trained.card["model"], trained.card["parameters"], trained.card["sha256"]
    return logits, stops, trained.tokenizer.vocabulary, said


def open_weights(folder: Path, data: bytes) -> object:
    """Other weights, with a card of their hash: does the model hold just those?"""
    card = json.loads((folder / checkpoint.CARD).read_bytes())
    card["sha256"] = hashlib.sha256(data).hexdigest()
    text = json.dumps(card).encode()
    with (
        other_file(folder / checkpoint.WEIGHTS, data),
        other_file(folder / checkpoint.CARD, text),
    ):
        trained = zoo.load(folder)
    held = trained.model.state_dict().values()
    filed = safetensors_load(data).values()
    a, b = (sorted(t.float().numpy().tobytes() for t in x) for x in (held, filed))
    return a == b, trained.tokenizer.vocabulary


def open_log(folder: Path, data: bytes) -> object:
    """A model's log, of which any number may be another."""
    with other_file(folder / checkpoint.LOG, data):
        return {type(row) for row in zoo.read_log(folder)} <= {dict}


def open_state(path: Path, data: bytes) -> object:
    """The newest state, unless it is said that the one before is taken."""
    with other_file(path, data), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        step, tensors, facts = snapshot.newest(path.parent)
    if said:
        assert (step, len(said), facts["done"]) == (1, 1, 1)
        raise MazelibError(str(said[0].message))
    return step, tensors["model.x"].tolist(), facts


@contextmanager
def other_file(path: Path, data: bytes) -> Iterator[None]:
    """Other bytes in a file for a while."""
    whole = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(whole)


KINDS: dict[str, Callable[[Path], list[Target]]] = {"checkpoint": checkpoint_targets}


# ── and what is done with any kind ──


class Failure(NamedTuple):
    """A mutation that was neither refused nor without effect."""

    number: int
    reason: str


def outcome(target: Target, expected: object, number: int, seed: int) -> str | Failure:
    """What comes of one mutation."""
    rng = random.Random(f"{seed} {target.name} {number}")
    data = rng.choice(target.mutators)(target.data, rng)
    if data == target.data:
        return "unchanged"
    try:
        found = target.open(data)
    except MazelibError as error:
        is_one_line = len(str(error).splitlines()) == 1
        return "refused" if is_one_line else Failure(number, f"lines: {error}")
    except Exception as error:  # every other kind is what is looked for
        return Failure(number, f"{type(error).__name__}: {error}")
    return "as before" if found == expected else Failure(number, f"opened as {found}")


def fuzz(target: Target, numbers: range, seed: int = 0) -> tuple[Counter, list]:
    """How many mutations of a target had each outcome, and the failures."""
    counts, failures = Counter(), []
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = target.open(target.data)
        bar = tqdm(numbers, target.name, disable=not sys.stderr.isatty())
        for number in bar:
            result = outcome(target, expected, number, seed)
            if isinstance(result, Failure):
                failures.append(result)
                result = "FAILED"
            counts[result] += 1
    return counts, failures


def targets(kind: str) -> Iterator[Target]:
    """The targets of a kind, in a folder that is there as long as they are used."""
    place = FASTEST if Path(FASTEST).is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield from KINDS[kind](Path(folder))


def main(arguments: list[str] | None = None) -> int:
    """Print a line a target; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="+", choices=KINDS, metavar="KIND")
    parser.add_argument("--count", type=int, default=1000, help="mutations of each")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the one target of this name")
    asked = parser.parse_args(arguments)
    numbers = range(asked.first, asked.first + asked.count)
    failed = False
    for target in (t for kind in asked.kinds for t in targets(kind)):
        if asked.only in (None, target.name):
            counts, failures = fuzz(target, numbers, asked.seed)
            shown = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
            print(f"{target.name}: {shown}", flush=True)
            for number, reason in failures[:20]:
                print(f"  {number}: {reason[:300]}")
            failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
