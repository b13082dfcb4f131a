"""Files that are either whole or not there, and what tells that they are."""

import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from safetensors import SafetensorError

from mazelib.errors import MazelibError

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder, which has the models, the results and the hypotheses."""


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
    temporary file is removed and what stood at `path` is untouched. What a killed
    process left of its own writing to `path` is removed first. Raises MazelibError if
    the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise MazelibError(f"there is no folder {path.parent} to write to: make it")
    temporary = _beside(path, "tmp")
    _remove_dead(path)
    try:
        yield temporary
        _reach_disk(temporary)
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

    Killed between its two renamings, it leaves the old one beside, which the next
    writing to `path`, or `remove_leftovers`, puts back.
    """
    path = Path(path)
    temporary, old = _beside(path, "tmp"), _beside(path, "old")
    _remove_dead(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for written in filter(Path.is_file, temporary.rglob("*")):
            _reach_disk(written)
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
    process is writing to, on whatever machine.
    """
    path = Path(path)
    inside = re.compile(rf"\..+\.{WRITER}\.(tmp|old)")
    found = path.iterdir() if path.is_dir() else ()
    _remove(path, [*_leftovers(path), *(p for p in found if inside.fullmatch(p.name))])


def _remove(path: Path, leftovers: list[Path]) -> None:
    """Remove leftovers; put `path` back if an old one of it is all that there is."""
    for left in sorted(leftovers):  # .old before .tmp
        if left.parent == path.parent and left.suffix == ".old" and not path.exists():
            os.replace(left, path)
        else:
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def _reach_disk(path: Path) -> None:
    """Wait until a file is on the disk; Windows asks that it be open for writing."""
    with open(path, "rb+" if os.access(path, os.W_OK) else "rb") as file:
        os.fsync(file.fileno())


# ── who writes ──

WRITER = r"(?:([0-9a-f]{8})-)?(\d+)"
"""How a temporary name says which process writes it: the machine, and its number."""
CLOCKS = 24 * 3600
"""Seconds by which a disk's clock and a machine's may differ, after a change of one."""


@cache
def _machine() -> str:
    """Where numbers of processes mean the same: this machine, or this container."""
    known = [platform.node()]
    with suppress(OSError):
        known.append(Path("/etc/machine-id").read_text())
    with suppress(OSError):
        known.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256(" ".join(known).encode()).hexdigest()[:8]


def _beside(path: Path, ending: str) -> Path:
    """The name under which this process writes what is to be at `path`."""
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}.{ending}")


def _leftovers(path: Path) -> Iterator[Path]:
    """What lies beside `path` under temporary names for it, of whichever process."""
    beside = re.compile(rf"\.{re.escape(path.name)}\.{WRITER}\.(tmp|old)")
    if path.parent.is_dir():
        yield from (p for p in path.parent.iterdir() if beside.fullmatch(p.name))


def _remove_dead(path: Path) -> None:
    """Clear what processes of this machine that run no more left beside `path`."""
    with suppress(OSError):  # another user's, say: no reason not to write
        _remove(path, [left for left in _leftovers(path) if not _may_be_written(left)])


def _may_be_written(left: Path) -> bool:
    """May the process still run that writes to this temporary name?

    Of other machines nothing is known. A process of that number that was started long
    after the last change is another one.
    """
    machine, number = re.search(rf"\.{WRITER}\.\w+$", left.name).groups()
    if machine != _machine():
        return True
    if int(number) == os.getpid():
        return False  # what is about to be written
    import psutil

    try:
        started = psutil.Process(int(number)).create_time()
        return started <= left.stat().st_mtime + CLOCKS
    except (psutil.NoSuchProcess, FileNotFoundError, OverflowError):
        return False
    except (psutil.Error, OSError):
        return True
