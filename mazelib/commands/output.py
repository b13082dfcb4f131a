"""What commands print, on standard streams that may be closed, full or in ASCII.

`say` is how a command prints: an error of standard output is an `OutputError`, which
tells it from an error of any other file.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from mazelib.errors import MazelibError


class OutputError(MazelibError):
    """Standard output that cannot be written; `is_unread` where its reader has gone."""

    def __init__(self, error: OSError):
        self.is_unread = isinstance(error, BrokenPipeError)
        super().__init__(f"standard output cannot be written ({error.strerror})")


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Turn an OSError of what is printed inside into an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(error) from None


def say(*lines: str) -> None:
    """Print lines on standard output. Raises OutputError."""
    with standard_output():
        for line in lines:
            print(line)


def flush() -> None:
    """Write out what is printed. Raises OutputError."""
    with standard_output():
        sys.stdout.flush()


def prepare_streams() -> None:
    """Make the standard streams such that printing to them fails in one way only.

    One that was closed at the start gets a descriptor again, or else the next file
    opened would take its number, and print would write nothing, in silence. A sign that
    an encoding has not is written as \\u and its number.
    """
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:  # read only: what is printed is an error
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Drop what a stream still holds, and what comes, which would fail again."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = stream.fileno()
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), descriptor)


def complain(message: str) -> None:
    """Print one line on standard error, after all that is printed on standard output.

    Nothing is raised where one of them cannot be written.
    """
    try:
        flush()
    except OutputError:
        silence(sys.stdout)
    try:
        print("mazelib:", " ".join(message.splitlines()), file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def is_watched() -> bool:
    """Does a person see standard error, and nothing but it? Then progress is shown."""
    return sys.stderr.isatty() and not sys.stdout.isatty()
