"""The state of a run on disk: written whole, hashed, the newest undamaged one found.

    write("runs/dfs5.state", 500, {"model.weight": tensor}, {"log": []})
    step, tensors, facts = newest("runs/dfs5.state")

A state is two files: STEP.safetensors, and STEP.json with its hash and the facts. The
second is written last, so one without the other was cut short and does not count.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple
from warnings import warn

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mazelib.files import replacing, sha256, writing

KEPT = 2
"""States kept: should the newest be damaged, there is the one before it."""


UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,  # RecursionError is one
    SafetensorError,
)
"""What reading a damaged state may raise."""


class Snapshot(NamedTuple):
    """A state: steps done, tensors by name, and what else JSON can hold."""

    step: int
    tensors: dict[str, Tensor]
    facts: dict


def write(
    folder: str | Path, step: int, tensors: dict[str, Tensor], facts: dict
) -> None:
    """Add a state to a folder and remove all but the newest `KEPT` up to it.

    A later one is none that could be gone on from. Raises MazelibError if it cannot be
    written; the states before it are still there.
    """
    folder = Path(folder)
    weights = folder / f"{step:08}.safetensors"
    with writing(weights):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(weights) as temporary:
            save_file(tensors, temporary)
            seal = _seal(temporary, facts)
        with replacing(weights.with_suffix(".json")) as temporary:
            text = json.dumps({"sha256": seal, "facts": facts})
            temporary.write_text(text, encoding="utf-8")
    paths = _states(folder)
    kept = [path for path in paths if int(path.stem) <= step][-KEPT:]
    for old in set(paths) - set(kept):
        old.with_suffix(".json").unlink(missing_ok=True)
        old.unlink()


def newest(folder: str | Path) -> Snapshot | None:
    """The newest undamaged state of a folder; None if it has none.

    Warns of each newer one that is damaged.
    """
    for path in reversed(_states(Path(folder))):
        try:
            note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            if note["sha256"] != _seal(path, note["facts"]):
                raise ValueError("its hash is not the one written beside it")
            if not isinstance(note["facts"], dict):
                raise ValueError("its facts are no object")
            return Snapshot(int(path.stem), load_file(path), note["facts"])
        except UNREADABLE as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            warn(
                f"{path} is damaged ({reason}): the one before it is used", stacklevel=2
            )
    return None


def _states(folder: Path) -> list[Path]:
    """The files of tensors in a folder, in the order of their steps."""
    return sorted(p for p in folder.glob("*.safetensors") if p.stem.isdecimal())


def _seal(weights: Path, facts: dict) -> str:
    """One hash of both."""
    both = sha256(weights) + json.dumps(facts)
    return hashlib.sha256(both.encode()).hexdigest()
