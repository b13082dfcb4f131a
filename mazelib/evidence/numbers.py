"""What a chapter's text says, held to what its run gave."""

import os
import traceback

from mazelib.evidence.records import BOOK


def expect(holds: bool) -> None:
    """Hold a chapter to its words: what its text says has to be so in this run.

    In the book's build a false one is an AssertionError. In a reader's run, of another
    model or other mazes, it is a line that says what is not so there, and the run goes
    on.
    """
    if holds:
        return
    lines = [frame.line or "" for frame in traceback.extract_stack()[:-1]]
    claim = [line for line in lines if f"{expect.__name__}(" in line][-1]
    if BOOK in os.environ:
        raise AssertionError(f"the text says otherwise: {claim}")
    print(f"not in this run, as the text says: {claim}")
