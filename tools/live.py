"""What the live model in the book's pages loads: weights and mazes, as scripts.

    python -m tools.live FOLDER       # writes them there; make book does so by itself

A page opened as a file may load scripts, but fetch nothing else, so both come as
scripts that set a global: `models/NAME.js` the model's files as they are, in base64,
with its readings where data/live has some; `mazes.js` test mazes of every generator.
"""

import argparse
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.files import ROOT
from mazelib.mazes import GENERATORS, MazeConfig
from mazelib.models import zoo

READINGS = ROOT / "data" / "live"
"""Directions of some models' streams, as `experiments.live` has fitted them."""
UNTRAINED = {"untrained": "dfs5"}
"""Networks with random weights, and the model whose shape each has."""
SIDES, LARGE = (3, 4, 5, 6, 7), {"dfs": 10}
MAZES = 40
"""Of each generator and side."""


def encoded(data: bytes) -> str:
    """Bytes as text, by base64."""
    return base64.b64encode(data).decode()


def model_script(name: str) -> str:
    """A script that gives a page one network, trained or not."""
    of = UNTRAINED.get(name, name)
    folder, card = zoo.folder_of(of), zoo.read_card(of)
    with TemporaryDirectory() as temporary:
        if name in UNTRAINED:
            zoo.untrained(of).model.half().save_pretrained(temporary)
        place = Path(temporary) if name in UNTRAINED else folder
        weights = (place / "model.safetensors").read_bytes()
    readings = READINGS / f"{name}.safetensors"
    found = {
        "scheme": card["model"]["scheme"],
        "side": card["model"]["side"],
        "grid": card["training"]["mazes"]["mazes"]["grid"],
        "config": json.loads((folder / "config.json").read_text(encoding="utf-8")),
        "weights": encoded(weights),
        "readings": encoded(readings.read_bytes()) if readings.exists() else None,
    }
    return setting("mazeModels", name, found)


def setting(table: str, name: str, value: object) -> str:
    """A line of JavaScript that puts a value under a name into a global table."""
    text = json.dumps(value, separators=(",", ":"))
    return f"(globalThis.{table} ??= {{}})[{json.dumps(name)}] = {text};\n"


def bits_of(mazes: MazeSet) -> list[str]:
    """The passages of mazes in hexadecimal: to the right row by row, then down."""
    parts = (mazes.right, mazes.down)
    bits = np.concatenate([part.reshape(len(mazes), -1) for part in parts], 1)
    digits = -(-bits.shape[1] // 4)
    return [row.tobytes().hex()[:digits] for row in np.packbits(bits, axis=1)]


def questions(generator: str, side: int) -> list[tuple[str, int, int]]:
    """Test mazes of a generator: the passages, the origin and the target of each."""
    maze = MazeConfig(generator, side)
    split = "test" if side > min(SIDES) else "any"  # there are few of the smallest
    mazes = MazeStream(StreamConfig(maze, split=split, min_steps=3)).take(0, MAZES)
    ends = zip(mazes.origin[:, 0].tolist(), mazes.target[:, 0].tolist(), strict=True)
    return [(bits, *both) for bits, both in zip(bits_of(mazes), ends, strict=True)]


def maze_script() -> str:
    """A script that gives a page mazes of each generator, by side."""
    sides = {
        name: (*SIDES, *([LARGE[name]] if name in LARGE else ())) for name in GENERATORS
    }
    return "".join(
        setting("mazeSets", name, {side: questions(name, side) for side in some})
        for name, some in sides.items()
    )


def scripts() -> Mapping[str, str]:
    """All scripts, by the names of their files."""
    names = [*zoo.names(), *UNTRAINED]
    models = {f"models/{name}.js": model_script(name) for name in tqdm(names, "live")}
    return {"mazes.js": maze_script(), **models}


def write(folder: Path) -> None:
    """Write all scripts into a folder."""
    for place, text in scripts().items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(description="Write what live pages load.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
