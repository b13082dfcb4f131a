"""Commands about mazes and solvers that do not learn: generate and baseline."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from tyro.conf import arg

from mazelib.commands.flags import (
    MazeFlags,
    check_count,
    describe,
    dumps,
    optional,
    readable,
)
from mazelib.commands.output import say
from mazelib.errors import MazelibError


@dataclass(frozen=True)
class Generate:
    """Make or take mazes with questions; print them as tokens, or write them to a file.

    Example: python -m mazelib generate --generator wilson --grid 5 --count 3
    """

    mazes: MazeFlags
    from_: Annotated[optional(str, "make new mazes", "FILE"), arg(name="from")] = None
    """file whose mazes to take: .parquet, .jsonl, maze-dataset's .zanj and .json, or
    .txt, drawings or lines of tokens"""
    count: int = 1
    """number of mazes"""
    tokens: Literal["ut", "ctt", "walls"] = "ut"
    """one token a cell, coordinate tuples, or the list of walls"""
    side: optional(int, "the mazes' own") = None
    """side of the vocabulary's grid"""
    split: Literal["train", "validation", "test", "any"] = "any"
    """only mazes whose hash puts them in this part"""
    out: optional(str, "print one maze a line", "FILE") = None
    """file to write, .parquet or .jsonl"""
    prompts: bool = False
    """print tokens up to <PATH_START> alone"""
    json: bool = False
    """print JSON lines: cells, connections and tokens"""

    def run(self) -> None:
        """Print or write `count` mazes."""
        from mazelib.dataset.storage import to_rows, write_mazes
        from mazelib.tokens.tokenizer import Tokenizer

        grid, sets = self.drawn() if self.from_ is None else self.imported()
        tokenizer = Tokenizer(self.tokens, grid if self.side is None else self.side)
        tokenizer.place(grid)
        if self.out:
            if self.prompts:
                raise MazelibError("a file holds whole paths: leave out --prompts")
            rows = write_mazes(self.out, sets, tokenizer)
            facts = {"out": self.out, "count": rows}
            say(dumps(facts) if self.json else f"{rows} mazes written to {self.out}")
            return
        for mazes in sets:
            for row in to_rows(mazes, tokenizer):
                if self.prompts:
                    before, start, _ = row["tokens"].partition("<PATH_START>")
                    row["tokens"] = before + start
                say(dumps(row) if self.json else row["tokens"])

    def drawn(self) -> tuple:
        """The side of the grid that fresh mazes lie in, and sets of them."""
        check_count(self.count)
        stream = self.mazes.stream(self.split)
        sets = (
            stream.take(start, min(1024, self.count - start))
            for start in range(0, self.count, 1024)
        )
        return stream.config.spread or stream.config.mazes.grid, sets

    def imported(self) -> tuple:
        """The side of the grid that the file's mazes lie in, and the one set of them.

        Raises MazelibError for a flag that says which mazes to make.
        """
        from mazelib.dataset.storage import read_mazes

        flags = [(self.mazes, f) for f in fields(self.mazes)]
        flags += [(self, f) for f in fields(self) if f.name in ("count", "split")]
        given = [f.name for owner, f in flags if getattr(owner, f.name) != f.default]
        if given:
            named = ", ".join("--" + name.replace("_", "-") for name in given)
            raise MazelibError(
                f"{named} says which mazes to make, but --from takes those of "
                f"{self.from_}: leave one of them out"
            )
        mazes = read_mazes(self.from_)
        return mazes.n + int(mazes.offset.max()), [mazes]


@dataclass(frozen=True)
class Baseline:
    """Score a solver that does not learn: the floor for a model's scores.

    Example: python -m mazelib baseline --solver greedy --grid 5 --json
    """

    mazes: MazeFlags
    solver: Literal["random", "greedy", "wary", "wall"] = "random"
    """random among open unvisited cells; the one nearest to the target; that, but into
    no dead end; or with the right hand on the wall"""
    count: int = 1000
    """number of mazes"""
    split: Literal["validation", "test", "any"] = "test"
    """only mazes whose hash puts them in this part"""
    json: bool = False
    """print one JSON object"""

    def run(self) -> None:
        """Print the solver's chances in closed form, and a simulation beside them."""
        from mazelib.behaviour.baselines import floor

        check_count(self.count)
        stream = self.mazes.stream(self.split)
        scores = floor(stream.take(0, self.count), self.solver, self.mazes.seed)
        facts = {"solver": self.solver, **describe(stream), **scores}
        say(dumps(facts) if self.json else readable(facts))
