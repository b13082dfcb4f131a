"""The grammar of a token sequence, read with an error for everything that strays.

In: tokens as strings. Out: the list's pairs, the origin, the target and the path as
cells of a grid, or a `TokenError` that says where, what was found and what was due.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from mazelib.errors import MazelibError

CELL = re.compile(r"\(([0-9]{1,9}),([0-9]{1,9})\)")


class TokenError(MazelibError):
    """A token sequence that is none: where, what stands there, what was expected.

    `position` counts tokens from 0, padding before the sequence not counted.
    """

    def __init__(self, position: int, token: str, expected: str):
        self.position = position
        self.token = token
        self.expected = expected
        shown = token if len(token) <= 40 else token[:40] + "…"
        super().__init__(f"token {position}: found {shown!r}, expected {expected}")


class ParsedTokens(NamedTuple):
    """What a sequence says, in cells numbered row * n + col."""

    edges: list[tuple[int, int]]
    origin: int
    target: int
    path: list[int] | None


class TokenReader:
    """A place in a token sequence, which moves on as tokens are taken."""

    def __init__(self, tokens: Sequence[str], n: int, offset: tuple[int, int]):
        self.tokens = tokens
        self.n = n
        self.offset = offset
        self.at = 0

    @property
    def token(self) -> str:
        """The next token; "end of input" after the last."""
        return self.tokens[self.at] if self.at < len(self.tokens) else "end of input"

    def fail(self, expected: str):
        """Raise a TokenError about the next token."""
        raise TokenError(self.at, self.token, expected)

    def take(self, *expected: str) -> str:
        """Take the next token, which must be one of those expected."""
        token = self.token
        if self.at == len(self.tokens) or token not in expected:
            self.fail(" or ".join(expected))
        self.at += 1
        return token

    def cell(self, or_else: str = "") -> int:
        """Take a cell, of one token or five; return its number in the maze's grid."""
        start = self.at
        if self.token == "(" and self.at < len(self.tokens):
            name = "".join(self.tokens[self.at : self.at + 5])
            width = 5
        else:
            name, width = self.token, 1
        match = CELL.fullmatch(name)
        if not match or self.at + width > len(self.tokens):
            self.fail("a cell, as (0,1)" + or_else)
        row, col = int(match[1]) - self.offset[0], int(match[2]) - self.offset[1]
        if not (0 <= row < self.n and 0 <= col < self.n):
            low, high = self.offset, [o + self.n - 1 for o in self.offset]
            raise TokenError(
                start,
                name,
                f"a cell inside the grid, ({low[0]},{low[1]}) to ({high[0]},{high[1]})",
            )
        self.at += width
        return row * self.n + col

    def edge(self, connector: str) -> tuple[int, int]:
        """Take a pair of neighbouring cells and the semicolon after them."""
        a = self.cell(" or <ADJLIST_END>")
        self.take(connector)
        start = self.at
        b = self.cell()
        (row, col), (row_b, col_b) = divmod(a, self.n), divmod(b, self.n)
        if abs(row - row_b) + abs(col - col_b) != 1:
            found = "".join(self.tokens[start : self.at])
            raise TokenError(start, found, "a neighbour of the cell before it")
        self.take(";")
        return a, b


def parse_tokens(
    tokens: Sequence[str], walls: bool, n: int, offset: tuple[int, int]
) -> ParsedTokens:
    """Read a whole sequence, or a prompt that stops after <PATH_START>."""
    reader = TokenReader(tokens, n, offset)
    reader.take("<ADJLIST_START>")
    edges = []
    while reader.token != "<ADJLIST_END>":
        edges.append(reader.edge("<XX>" if walls else "<-->"))
    reader.take("<ADJLIST_END>")
    reader.take("<ORIGIN_START>")
    origin = reader.cell()
    reader.take("<ORIGIN_END>")
    reader.take("<TARGET_START>")
    target = reader.cell()
    reader.take("<TARGET_END>")
    reader.take("<PATH_START>")
    if reader.at == len(tokens):
        return ParsedTokens(edges, origin, target, None)
    path = parse_path(reader, origin)
    return ParsedTokens(edges, origin, target, path)


def parse_path(reader: TokenReader, origin: int) -> list[int]:
    """Read a path from the origin to <PATH_END>, after which nothing may follow."""
    start = reader.at
    path = [reader.cell()]
    if path[0] != origin:
        found = "".join(reader.tokens[start : reader.at])
        raise TokenError(start, found, "the origin, where a path starts")
    while reader.token != "<PATH_END>":
        path.append(reader.cell(" or <PATH_END>"))
    reader.take("<PATH_END>")
    if reader.at < len(reader.tokens):
        reader.fail("nothing after <PATH_END>")
    return path
