"""Damage files of mazes, and prompts, in all small ways: refused, or still mazes.

    python -m tools.fuzz_mazes jsonl --count 100000

The kinds are those of `mazelib.dataset.storage.read_mazes`, and `prompt`, texts of
tokens. As tools/fuzz.py, but a damaged file may hold other mazes than before, as long
as they are mazes: every cell within the grid, every path from its origin to its target.
"""

import io
import random
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from mazelib.dataset.storage import read_mazes, to_rows, write_mazes
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.tokens.tokenizer import MAX_SIDE, SCHEMES, Sample, Tokenizer
from tools import fuzz
from tools.fuzz import Target
from tools.mutations import mutate, mutate_json, mutate_line

SAMPLES = Path(__file__).resolve().parent.parent / "tests/data/maze-dataset"
TOKENS = (*SCHEMES, "(0,1)", "(9,9)", "(1,1)", ";", "<-->", "<XX>", "<PADDING>")


def check_mazes(mazes: MazeSet) -> str:
    """Raise AssertionError unless a set of mazes is what `MazeSet` promises."""
    assert len(mazes) > 0
    assert 2 <= mazes.n <= MAX_SIDE
    assert ((mazes.offset >= 0) & (mazes.offset + mazes.n <= MAX_SIDE)).all()
    assert mazes.key.dtype == np.uint64
    for sample in mazes:
        check_sample(sample)
        cells = sample.path.tolist()
        assert cells[-1] == sample.target
        assert len(set(cells)) == len(cells)
        for a, b in pairwise(cells):
            assert b in sample.maze.neighbours(a)
    side = mazes.n + int(mazes.offset.max())
    assert len(list(to_rows(mazes, Tokenizer("ut", side)))) == len(mazes)
    return "mazes"


def check_sample(sample: Sample) -> None:
    """Raise AssertionError for a cell outside the grid, or a path from elsewhere."""
    path = [] if sample.path is None else sample.path.tolist()
    sample.maze.check_cells([sample.origin, sample.target, *path])
    assert path[:1] in ([], [sample.origin])


def file_target(folder: Path, name: str, data: bytes, *mutators) -> Target:
    """Reading a file of that name with other bytes in it."""
    path = folder / name

    def open_it(changed: bytes) -> str:
        path.write_bytes(changed)
        return check_mazes(read_mazes(path))

    return Target(name, data, open_it, (mutate, *mutators))


def mazes() -> MazeSet:
    """Three small mazes to damage."""
    return MazeStream(StreamConfig(MazeConfig("dfs", 4), spread=5)).take(0, 3)


def written(ending: str, folder: Path, *mutators) -> list[Target]:
    """A file that `write_mazes` wrote."""
    path = folder / f"mazes{ending}"
    write_mazes(path, [mazes()], Tokenizer("ut", 5))
    return [file_target(folder, path.name, path.read_bytes(), *mutators)]


def samples(pattern: str, folder: Path, *mutators) -> list[Target]:
    """The files that maze-dataset wrote."""
    paths = sorted(SAMPLES.glob(pattern))
    return [file_target(folder, p.name, p.read_bytes(), *mutators) for p in paths]


def drawn(folder: Path) -> list[Target]:
    """Drawings of both kinds, and lines of tokens."""
    own = "\n\n".join(sample.draw(sample.path).text for sample in mazes())
    found = samples("*.txt", folder, mutate_sign)
    return [*found, file_target(folder, "own.txt", own.encode(), mutate_sign)]


def prompts(folder: Path) -> list[Target]:
    """A sequence and a prompt in each scheme, as text and as bytes."""
    maze, origin, target, path = mazes()[0]
    targets = []
    for scheme in SCHEMES:
        tokenizer = Tokenizer(scheme, 4)
        for name, cells in (("sequence", path), ("prompt", None)):
            text = tokenizer.to_text(
                tokenizer.encode(maze, origin, target, cells, key=1)
            )
            parse = partial(parsed, tokenizer)
            mutators = (mutate, mutate_token)
            title = f"{scheme} {name}"
            targets.append(Target(title, text.encode(), parse, mutators))
    return targets


def parsed(tokenizer: Tokenizer, data: bytes) -> str:
    """Parse bytes, and what they are as text; both must end alike."""
    text = data.decode("utf-8", "surrogateescape")
    samples, errors = [], []
    for prompt in (data, text):
        try:
            samples.append(tokenizer.parse(prompt))
        except ValueError as error:
            errors.append(error)
    if errors:
        assert not samples
        raise errors[0]
    for sample in samples:
        check_sample(sample)
    return "sample"


def mutate_token(data: bytes, rng: random.Random) -> bytes:
    """Tokens one of which is left out, doubled, or changed for another one."""
    tokens = data.decode().split()
    at = rng.randrange(len(tokens))
    new = rng.choice([[], [tokens[at]] * 2, [rng.choice(tokens)], [rng.choice(TOKENS)]])
    return " ".join([*tokens[:at], *new, *tokens[at + 1 :]]).encode()


def mutate_member(data: bytes, rng: random.Random) -> bytes:
    """An archive with one member mutated, then packed again with the right checksum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice([name for name in members if name != "__zanj_meta__.json"])
    change = mutate_json if chosen.endswith(".json") and rng.random() < 0.7 else mutate
    members[chosen] = change(members[chosen], rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def mutate_sign(data: bytes, rng: random.Random) -> bytes:
    """A text in which one sign stands where another one stood."""
    text = data.decode()
    at = rng.randrange(len(text))
    return (text[:at] + rng.choice(text) + text[at + 1 :]).encode()


MAZE_KINDS: dict[str, Callable[[Path], list[Target]]] = {
    "jsonl": lambda folder: written(".jsonl", folder, mutate_line),
    "parquet": lambda folder: written(".parquet", folder),
    "json": lambda folder: samples("*.json", folder, mutate_json),
    "zanj": lambda folder: samples("*.zanj", folder, mutate_member),
    "txt": drawn,
    "prompt": prompts,
}


if __name__ == "__main__":
    fuzz.KINDS |= MAZE_KINDS
    sys.exit(fuzz.main())
