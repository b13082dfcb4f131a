"""Mazes and questions as Parquet or JSON lines, one row a question, and back.

    write_mazes("mazes.parquet", [mazes], Tokenizer("ut", 6))
    mazes = read_mazes("mazes.parquet")

Columns: `grid`, the side; `origin` and `target`, [row, col]; `path`, a list of those;
`connections`, the joined pairs of cells, [[row, col], [row, col]]; `tokens`, the whole
sequence as text; `key` and `offset`, which order the edge list and place the maze in
the vocabulary's grid. pandas.read_parquet and Hugging Face's
load_dataset("parquet", data_files=…) read the first as it is.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mazelib.dataset import MazeSet
from mazelib.errors import MazelibError
from mazelib.files import replacing
from mazelib.maze import Maze
from mazelib.tokenizer import Tokenizer

CELL = pa.list_(pa.int16())
SCHEMA = pa.schema(
    {
        "grid": pa.int16(),
        "origin": CELL,
        "target": CELL,
        "path": pa.list_(CELL),
        "connections": pa.list_(pa.list_(CELL)),
        "tokens": pa.string(),
        "key": pa.uint64(),
        "offset": CELL,
    }
)


def to_rows(mazes: MazeSet, tokenizer: Tokenizer) -> Iterator[dict]:
    """One dict a question, its keys the columns above, of plain Python values."""

    def cells(array) -> list:
        return np.stack(np.divmod(array, mazes.n), -1).tolist()

    for i in range(len(mazes)):
        key, offset = int(mazes.key[i]), tuple(mazes.offset[i].tolist())
        for question in range(mazes.origin.shape[1]):
            sample = mazes.sample(i, question)
            ids = tokenizer.encode(*sample, key=key, offset=offset)
            yield {
                "grid": mazes.n,
                "origin": cells(sample.origin),
                "target": cells(sample.target),
                "path": cells(sample.path),
                "connections": cells(sample.maze.edges()),
                "tokens": tokenizer.to_text(ids),
                "key": key,
                "offset": list(offset),
            }


def write_mazes(path: str | Path, sets: Iterable[MazeSet], tokenizer: Tokenizer) -> int:
    """Write sets of mazes, one after the other, to a file; return the rows written.

    The name's ending, .parquet or .jsonl, says which kind of file. The file is written
    under another name and renamed, so it is never there in part. Raises MazelibError
    for another ending.
    """
    kind = _kind(path)
    rows = 0
    with replacing(path) as temporary:
        if kind == ".jsonl":
            with open(temporary, "w", encoding="utf-8") as file:
                for mazes in sets:
                    for row in to_rows(mazes, tokenizer):
                        file.write(json.dumps(row, separators=(",", ":")) + "\n")
                        rows += 1
        else:
            with pq.ParquetWriter(temporary, SCHEMA) as writer:
                for mazes in sets:
                    table = list(to_rows(mazes, tokenizer))
                    writer.write_table(pa.Table.from_pylist(table, SCHEMA))
                    rows += len(table)
    return rows


def read_mazes(path: str | Path) -> MazeSet:
    """The mazes of a file that `write_mazes` wrote, or that has its columns.

    `tokens`, `key` and `offset` may be missing; one question a maze. Raises
    MazelibError, with the row, for what is no maze or no path through it.
    """
    kind = _kind(path)
    if kind == ".jsonl":
        rows = _read_json_lines(path)
    else:
        try:
            rows = pq.read_table(path).to_pylist()
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0]
            raise MazelibError(f"{path} is no Parquet file: {reason}") from None
    samples = []
    for number, row in enumerate(rows):
        try:
            samples.append(_from_row(row))
        except (MazelibError, TypeError, KeyError, IndexError, ValueError) as error:
            what = f"no column {error}" if isinstance(error, KeyError) else error
            raise MazelibError(f"{path}, row {number}: {what}") from None
    sides = sorted({sample["n"] for sample in samples})
    if len(sides) != 1:
        raise MazelibError(
            f"{path} holds mazes of sides {sides}: a file must hold mazes of one side"
        )
    return _collect(samples, sides[0])


def _kind(path: str | Path) -> str:
    suffix = Path(path).suffix
    if suffix not in (".parquet", ".jsonl"):
        raise MazelibError(
            f"cannot tell what kind of file {str(path)!r} is: end its name in .parquet "
            "or .jsonl"
        )
    return suffix


def _read_json_lines(path: str | Path) -> Iterator[dict]:
    with open(path, encoding="utf-8") as file:
        try:
            for number, line in enumerate(file):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise MazelibError(f"{path}, line {number + 1} is no JSON object")
                yield row
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise MazelibError(f"{path} is no file of JSON lines: {error}") from None


def _from_row(row: dict) -> dict:
    n = int(row["grid"])

    def cell(pair) -> int:
        r, c = pair
        if not (0 <= r < n and 0 <= c < n):
            raise MazelibError(f"cell ({r},{c}) is outside a grid of side {n}")
        return r * n + c

    edges = [[cell(a), cell(b)] for a, b in row["connections"]]
    maze = Maze.from_edges(n, np.array(edges, int).reshape(-1, 2))
    path = [cell(pair) for pair in row["path"]]
    if not path or path[0] != cell(row["origin"]) or path[-1] != cell(row["target"]):
        raise MazelibError("the path does not lead from the origin to the target")
    if len(set(path)) < len(path):
        raise MazelibError("the path visits a cell twice")
    for a, b in pairwise(path):
        if b not in maze.neighbours(a):
            raise MazelibError(f"the path steps through a wall, from cell {a} to {b}")
    key, (down, across) = int(row.get("key") or 0), row.get("offset") or (0, 0)
    if not 0 <= key < 2**64:
        raise MazelibError(f"key is {key}, but must be from 0 to 2**64 - 1")
    if not (0 <= down < 2**15 and 0 <= across < 2**15):
        raise MazelibError(f"offset is {[down, across]}, but must be at least 0")
    offset = (down, across)
    return {"n": n, "maze": maze, "path": path, "key": key, "offset": offset}


def _collect(samples: list[dict], n: int) -> MazeSet:
    paths = np.full((len(samples), 1, n * n), -1, np.int16)
    for row, sample in zip(paths, samples, strict=True):
        row[0, : len(sample["path"])] = sample["path"]
    length = (paths >= 0).sum(2).astype(np.int16)
    return MazeSet(
        np.stack([s["maze"].right for s in samples]),
        np.stack([s["maze"].down for s in samples]),
        np.array([s["key"] for s in samples], np.uint64),
        np.array([s["offset"] for s in samples], np.int16),
        paths[:, :, 0],
        np.take_along_axis(paths, length[..., None] - 1, 2)[..., 0],
        paths,
        length,
    )
