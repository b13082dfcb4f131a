"""What the live model in the book's pages loads: weights and mazes, as scripts.

    python -m tools.live FOLDER       # writes them there; make book does so by itself

A page opened as a file may load scripts, but fetch nothing else, so both come as
scripts that set a global: `models/NAME.js` the model's files as they are, in base64,
with its readings where data/directions has some; `mazes.js` test mazes of every
generator; `index.js` which models there are, and how large.
"""

import argparse
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.figures.viewers import passage_bits
from mazelib.files import ROOT
from mazelib.mazes import GENERATORS, MazeConfig
from mazelib.models import zoo

READINGS = ROOT / "data" / "directions"
"""Directions of some models' streams, as `experiments.directions` has fitted them."""
UNTRAINED = {"untrained": "dfs5"}
"""Networks with random weights, and the model whose shape each has."""
ORDER = ("dfs5", "dfs6-learned")
"""Those that a menu begins with."""
KINDS = {
    "dfs": "depth-first",
    "mixed": "several kinds, cycles too",
    "dfs5-walls": "reads walls",
    "dfs5-pairs": "cells as pairs",
    "dfs5-shifted": "anywhere in 7×7",
    "untrained": "random weights",
}
"""What a menu says of the mazes of a training, or of a network by its name."""
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
        "grid": zoo.trained_on(of).mazes.grid,
        "config": json.loads((folder / "config.json").read_text(encoding="utf-8")),
        "weights": encoded(weights),
        "readings": encoded(readings.read_bytes()) if readings.exists() else None,
    }
    return setting("mazeModels", name, found)


def setting(table: str, name: str, value: object) -> str:
    """A line of JavaScript that puts a value under a name into a global table."""
    text = json.dumps(value, separators=(",", ":"))
    return f"(globalThis.{table} ??= {{}})[{json.dumps(name)}] = {text};\n"


def questions(generator: str, side: int) -> list[tuple[str, int, int]]:
    """Test mazes of a generator: the passages, the origin and the target of each."""
    maze = MazeConfig(generator, side)
    split = "test" if side > min(SIDES) else "any"  # there are few of the smallest
    mazes = MazeStream(StreamConfig(maze, split=split, min_steps=3)).take(0, MAZES)
    ends = zip(mazes.origin[:, 0].tolist(), mazes.target[:, 0].tolist(), strict=True)
    return [(bits, *both) for bits, both in zip(passage_bits(mazes), ends, strict=True)]


def maze_script() -> str:
    """A script that gives a page mazes of each generator, by side."""
    sides = {
        name: (*SIDES, *([LARGE[name]] if name in LARGE else ())) for name in GENERATORS
    }
    return "".join(
        setting("mazeSets", name, {side: questions(name, side) for side in some})
        for name, some in sides.items()
    )


def entry(name: str, script: str) -> dict[str, object]:
    """What a menu says of a network."""
    of = UNTRAINED.get(name, name)
    mazes = zoo.trained_on(of).mazes
    kind = KINDS.get(name) or KINDS.get(mazes.generator, mazes.generator)
    return {
        "name": name,
        "what": f"{mazes.grid}×{mazes.grid}, {kind}",
        "side": zoo.read_card(of)["model"]["side"],
        "grid": mazes.grid,
        "megabytes": round(len(script) / 1e6, 1),
    }


def index_script(models: Mapping[str, str]) -> str:
    """A script that tells a page which networks there are. models: their scripts."""
    index = [entry(*model) for model in models.items()]
    return f"globalThis.liveModels = {json.dumps(index, ensure_ascii=False)};\n"


def scripts() -> dict[str, str]:
    """All scripts, by the names of their files."""
    names = [*ORDER, *(n for n in zoo.names() if n not in ORDER), *UNTRAINED]
    models = {name: model_script(name) for name in tqdm(names, "live")}
    found = {"index.js": index_script(models), "mazes.js": maze_script()}
    return found | {f"models/{name}.js": script for name, script in models.items()}


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
