"""Mazes and questions as Parquet or JSON lines, one row a question, and back.

Files of the maze-dataset library, drawings and lines of tokens are read as well.

    write_mazes("mazes.parquet", [mazes], Tokenizer("ut", 6))
    mazes = read_mazes("mazes.parquet")

Columns: `grid`, the side; `origin` and `target`, [row, col]; `path`, a list of those;
`connections`, the joined pairs of cells, [[row, col], [row, col]]; `tokens`, the whole
sequence as text; `key` and `offset`, which order the edge list and place the maze in
the vocabulary's grid. pandas.read_parquet and Hugging Face's
load_dataset("parquet", data_files=…) read the first as it is. JSON lines hold the key,
a number of 64 bits, as a text, "0x00000000000004d2": readers that take every number for
a float (JavaScript, pandas, which does so with digits in quotes too) cannot round it.
"""

import json
import re
import string
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mazelib.dataset import importing, importing_text
from mazelib.dataset.checking import (
    BOM,
    Question,
    cell,
    entry,
    integer,
    parse_json,
    question,
    sequence,
    side,
)
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.files import replacing, writing
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import MAX_SIDE, Tokenizer

KEY = re.compile("0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,19}")
"""A key as a text, in hexadecimal as it is written, or in decimal."""
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
    """One dict a question, its keys the columns above, of values that JSON keeps."""

    def cells(array) -> list:
        return np.stack(np.divmod(array, mazes.n), -1).tolist()

    for i in range(len(mazes)):
        key, offset = int(mazes.key[i]), tuple(mazes.offset[i].tolist())
        for asked in range(mazes.origin.shape[1]):
            sample = mazes.sample(i, asked)
            ids = tokenizer.encode(*sample, key=key, offset=offset)
            yield {
                "grid": mazes.n,
                "origin": cells(sample.origin),
                "target": cells(sample.target),
                "path": cells(sample.path),
                "connections": cells(sample.maze.edges()),
                "tokens": tokenizer.to_text(ids),
                "key": f"0x{key:016x}",
                "offset": list(offset),
            }


def write_mazes(path: str | Path, sets: Iterable[MazeSet], tokenizer: Tokenizer) -> int:
    """Write sets of mazes, one after the other, to a file; return the rows written.

    The name's ending, .parquet or .jsonl, says which kind of file. The file is written
    under another name and renamed, so it is never there in part. Raises MazelibError
    for another ending.
    """
    kind = _kind(path, (".parquet", ".jsonl"))
    rows = 0
    with writing(path), replacing(path) as temporary:
        if kind == ".jsonl":
            with open(temporary, "w", encoding="utf-8") as file:
                for mazes in sets:
                    for row in to_rows(mazes, tokenizer):
                        file.write(json.dumps(row, separators=(",", ":")) + "\n")
                        rows += 1
        else:
            with pq.ParquetWriter(
                temporary, SCHEMA, write_page_checksum=True
            ) as writer:
                for mazes in sets:
                    table = [
                        row | {"key": int(row["key"], 0)}
                        for row in to_rows(mazes, tokenizer)
                    ]
                    writer.write_table(pa.Table.from_pylist(table, SCHEMA))
                    rows += len(table)
    return rows


def read_mazes(path: str | Path) -> MazeSet:
    """The mazes of a file, one question each; its ending says how it is read.

    .parquet, .jsonl: what `write_mazes` writes, or other files with its columns, of
    which `tokens` is not read, `key` and `offset` may be missing, and so may `path`: it
    is then the first of the shortest paths. .json, .zanj: see
    `mazelib.dataset.importing`; .txt: see `mazelib.dataset.importing_text`. Raises
    MazelibError of one line, with the row, for what is no such file, no maze, or no
    path through it.
    """
    questions = list(_questions(path))
    sides = sorted({found.sample.maze.n for found in questions})
    if not sides:
        raise MazelibError(f"{path} holds no mazes")
    if len(sides) != 1:
        raise MazelibError(
            f"{path} holds mazes of sides {sides}: a file must hold mazes of one side"
        )
    return _collect(questions, sides[0])


def _questions(path: str | Path) -> Iterator[Question]:
    pieces, question_of = READERS[_kind(path, READERS)]
    place = str(path)
    try:
        for where, piece in pieces(path):
            place = f"{path}, {where}"
            yield question_of(piece)
            place = str(path)
    except MazelibError as error:
        raise MazelibError(f"{place}: {error}") from None
    except OSError as error:
        raise MazelibError(
            f"{path} cannot be read: {error.strerror or error}"
        ) from None
    except MemoryError:
        raise MazelibError(f"{place}: there is no memory for all of it") from None


def _kind(path: str | Path, known: Collection[str]) -> str:
    suffix = Path(path).suffix
    if suffix not in known:
        *others, last = known
        raise MazelibError(
            f"cannot tell what kind of file {str(path)!r} is: end its name in "
            f"{', '.join(others)} or {last}"
        )
    return suffix


def _json_lines(path: str | Path) -> Iterator[tuple[str, bytes]]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip(BOM + string.whitespace.encode()):
                yield f"line {number}", line


def _parquet_rows(path: str | Path) -> Iterator[tuple[str, dict]]:
    with open(path, "rb") as file:
        number = 0
        try:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            names = [name for name in parquet.schema_arrow.names if name in READ]
            for batch in parquet.iter_batches(64, columns=names, use_threads=False):
                batch.validate(full=True)
                # before lists of Python are made of it, which take ten times as much;
                # pyarrow ends the process if asked for a damaged column's own count
                if batch.nbytes > MOST_BYTES * len(batch):
                    raise ValueError(f"more numbers than mazes of side {MAX_SIDE} have")
                for row in batch.to_pylist():
                    yield f"row {number}", row
                    number += 1
        except Exception as error:  # Arrow raises many kinds for damaged bytes
            said = (str(error) or type(error).__name__).splitlines()[0]
            raise MazelibError(
                f"no Parquet file, or damaged after row {number}: {said}"
            ) from None


def _from_row(row: object) -> Question:
    n = side(entry(row, "grid"))

    def cells(name: str) -> list[int]:
        return [cell(pair, n) for pair in sequence(name, entry(row, name))]

    edges = [
        [cell(end, n) for end in sequence("a connection", pair, 2)]
        for pair in sequence("connections", entry(row, "connections"))
    ]
    return question(
        Maze.from_edges(n, np.array(edges, int).reshape(-1, 2)),
        cell(entry(row, "origin"), n),
        cell(entry(row, "target"), n),
        None if row.get("path") is None else cells("path"),
        _key(row.get("key")),
        _offset(row.get("offset"), n),
    )


def _key(key: object) -> int:
    if isinstance(key, str) and KEY.fullmatch(key):
        key = int(key, 0)
    if key is None:
        return 0
    if type(key) is not int or not 0 <= key < 2**64:
        raise MazelibError(
            f"key is {shortened(key)}, but must be from 0 to 2**64 - 1, as a text in "
            "hexadecimal, 0x…, or a whole number"
        )
    return key


def _offset(offset: object, n: int) -> tuple[int, int]:
    if offset is None:
        return 0, 0
    down, across = sequence("offset", offset, 2)
    most = MAX_SIDE - n
    return integer("offset", down, 0, most), integer("offset", across, 0, most)


MOST_BYTES = 2**19
"""More than a row of the largest maze takes, in 64-bit numbers."""
READ = ("grid", "origin", "target", "path", "connections", "key", "offset")
"""The columns that are read."""
READERS = {
    ".parquet": (_parquet_rows, _from_row),
    ".jsonl": (_json_lines, lambda line: _from_row(parse_json(line))),
    ".json": (importing.serialized_mazes, importing.question_of),
    ".zanj": (importing.archived_mazes, importing.question_of),
    ".txt": (importing_text.pieces, importing_text.question_of),
}
"""For each ending, what parts a file into mazes and what makes a question of one."""


def _collect(questions: list[Question], n: int) -> MazeSet:
    samples = [found.sample for found in questions]
    paths = np.full((len(samples), 1, n * n), -1, np.int16)
    for row, sample in zip(paths, samples, strict=True):
        row[0, : len(sample.path)] = sample.path
    length = (paths >= 0).sum(2).astype(np.int16)
    return MazeSet(
        np.stack([sample.maze.right for sample in samples]),
        np.stack([sample.maze.down for sample in samples]),
        np.array([found.key for found in questions], np.uint64),
        np.array([found.offset for found in questions], np.int16),
        paths[:, :, 0],
        np.take_along_axis(paths, length[..., None] - 1, 2)[..., 0],
        paths,
        length,
    )
