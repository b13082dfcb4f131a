"""Files that are either whole or not there, and what tells that they are."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from mazelib.errors import MazelibError


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn the disk's errors into a MazelibError that names `path` and the remedy."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MazelibError(
            f"{path} cannot be written ({reason}): what was there before is untouched; "
            "make room, or name another place, and start the same command again"
        ) from None


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place when all went well.

        with replacing("scores.json") as temporary:
            temporary.write_text("{}")

    The file reaches the disk before it is renamed. When the block raises, the
    temporary file is removed and what stood at `path` is untouched. Raises MazelibError
    if the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise MazelibError(f"there is no folder {path.parent} to write to: make it")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, facts: object, indent: int | None = None) -> None:
    """Write facts as JSON, whole or not at all, in a folder that is made if need be.

    Without an indent there are no spaces in it: tables of numbers are long. Raises
    MazelibError if the disk refuses.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    path, text = Path(path), json.dumps(facts, indent=indent, separators=separators)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """As `replacing`, for a folder: the new one stands there whole, or the old one.

    Killed between its two renamings, it leaves the old one beside, as .NAME.PID.old,
    which `remove_leftovers` puts back.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for written in filter(Path.is_file, temporary.rglob("*")):
            with open(written, "rb") as file:
                os.fsync(file.fileno())
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(temporary, path)
        except OSError:
            if old.exists():
                os.replace(old, path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(path: str | Path) -> None:
    """Clear what killed processes left of their writing to `path` or a file in it.

    A folder of which only the old one is left is put back. Only for what no other
    process is writing to.
    """
    path = Path(path)
    beside = re.compile(rf"\.{re.escape(path.name)}\.\d+\.(tmp|old)")
    inside = re.compile(r"\..+\.\d+\.(tmp|old)")
    for folder, name in ((path.parent, beside), (path, inside)):
        found = folder.iterdir() if folder.is_dir() else ()
        for left in [entry for entry in found if name.fullmatch(entry.name)]:
            if folder == path.parent and left.suffix == ".old" and not path.exists():
                os.replace(left, path)
            else:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
