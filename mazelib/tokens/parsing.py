"""The grammar of a token sequence, read with an error for everything that strays.

In: tokens as strings. Out: the list's pairs, the origin, the target and the path as
cells of a grid, or a `TokenError` that says where, what was found and what was due. A
token that a vocabulary has not may tell that the text is of another one: `stray_token`
names it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from mazelib.errors import MazelibError

CELL = re.compile(r"\(([0-9]{1,9}),([0-9]{1,9})\)")
WALL, PASSAGE = "<XX>", "<-->"
KINDS = {
    "ut": "one token a cell",
    "ctt": "coordinate tuples",
    "walls": "a list of walls",
}
"""What a text of each scheme looks like."""


class TokenError(MazelibError):
    """A token sequence that is none: where, what stands there, what was expected.

    `position` counts tokens from 0, padding before the sequence not counted.
    `vocabulary`: where the whole text tells, the scheme and the least side that it is
    written in, which are not the reader's.
    """

    def __init__(
        self,
        position: int,
        token: str,
        expected: str,
        vocabulary: tuple[str, int] | None = None,
    ):
        self.position = position
        self.token = token
        self.expected = expected
        self.vocabulary = vocabulary
        shown = token if len(token) <= 40 else token[:40] + "…"
        super().__init__(f"token {position}: found {shown!r}, expected {expected}")


def schemes_of(tokens: Collection[str]) -> list[str]:
    """The schemes that a text's tokens may be written in; none where they are mixed."""
    names_cells = any(map(CELL.fullmatch, tokens))
    if names_cells == ("(" in tokens):
        return []
    if not names_cells:
        return [] if WALL in tokens else ["ctt"]
    if WALL in tokens:
        return [] if PASSAGE in tokens else ["walls"]
    return ["ut"] if PASSAGE in tokens else ["ut", "walls"]


def least_side(tokens: Iterable[str], scheme: str) -> int:
    """The side of the smallest grid that has every cell that a text's tokens name."""
    if scheme == "ctt":
        numbers = [int(t) for t in tokens if t.isdecimal() and len(t) < 10]
    else:
        cells = filter(None, map(CELL.fullmatch, tokens))
        numbers = [int(number) for cell in cells for number in cell.groups()]
    return max(1, *numbers) + 1 if numbers else 2


def stray_token(
    tokens: Sequence[str], at: int, scheme: str, side: int, most: int
) -> TokenError:
    """The error about a token that the vocabulary of a scheme and side has not.

    most: the largest side of any vocabulary.
    """
    token, last = tokens[at], side - 1
    expected = f"a token of the {scheme!r} vocabulary of side {side}"
    schemes = schemes_of(set(tokens))
    if schemes and scheme not in schemes:
        needed = least_side(tokens, schemes[0])
        expected += f": this looks like {KINDS[schemes[0]]} ({schemes[0]!r})"
    else:
        schemes = [scheme]
        needed = least_side(tokens, scheme)
        if scheme != "ctt" and CELL.fullmatch(token):
            expected = f"a cell inside the grid, (0,0) to ({last},{last})"
        elif scheme == "ctt" and token.isdecimal():
            expected = f"a coordinate from 0 to {last}"
        else:
            return TokenError(at, token, expected)
    fits = needed <= most
    return TokenError(at, token, expected, (schemes[0], needed) if fits else None)


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
        edges.append(reader.edge(WALL if walls else PASSAGE))
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
