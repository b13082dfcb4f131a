"""The command that answers prompts: solve."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from mazelib.commands.flags import MazeFlags, ModelName, dumps
from mazelib.commands.output import flush, is_watched, say
from mazelib.errors import MazelibError


@dataclass(frozen=True)
class Solve:
    """Complete prompts with a model's paths; without input, solve a generated maze.

    Prompts come on standard input, one a line, up to <PATH_START> or with a path, to
    which --json and --draw compare the answer; blank lines are skipped. Answers go to
    standard output, one a line, as they are ready. A line that is no prompt ends it,
    with exit code 2, after the answers to the lines before. If standard input is a
    terminal or the null device, the flags say which maze is solved.

    A prompt's maze has side --grid; without it, that of the square whose cells the
    prompt names. If it leaves some out, as a list of walls does, the side is that of
    the grid in training if this has the cells named, else the least that has them.

    Example: python -m mazelib solve runs/dfs4 --draw
    """

    model: ModelName
    """a folder that train wrote, or a name in data/models"""
    mazes: MazeFlags
    draw: bool = False
    """show each maze with the model's path (+) and the given one as text"""
    json: bool = False
    """print a JSON object a line: tokens, path as [row, col], valid, shortest, and
    whether it is the path given, if one was"""

    def run(self) -> None:
        """Answer prompts as they come."""
        from tqdm import tqdm

        from mazelib.behaviour.rollout import rollout
        from mazelib.models.zoo import load

        trained = load(self.model)
        self.check_grid(trained.tokenizer.side)
        with tqdm(unit="maze", disable=not is_watched()) as bar:
            for questions in self.questions(trained):
                prompts = [question.ids for question in questions]
                answers = rollout(trained.model, trained.tokenizer, prompts)
                for question, answer in zip(questions, answers, strict=True):
                    self.show(question.sample, answer, trained.tokenizer)
                flush()
                bar.update(len(questions))

    def check_grid(self, side: int) -> None:
        """Raise MazelibError for a grid that the model has no tokens for."""
        grid = self.mazes.grid
        if grid is not None and not 2 <= grid <= side:
            raise MazelibError(
                f"grid is {grid}, but {self.model} has names for the cells of grids of "
                f"side 2 to {side}"
            )

    def questions(self, trained) -> Iterator[list]:
        """Batches of questions from standard input, or one that is generated."""
        from mazelib.commands.prompts import PromptReader, is_absent
        from mazelib.models.zoo import trained_on

        if is_absent(sys.stdin):
            yield [self.own_question(trained.tokenizer)]
            return
        try:
            mazes = trained_on(self.model)
        except MazelibError:  # a card that does not say
            mazes = None
        reader = PromptReader(trained, self.mazes.grid, mazes)
        yield from reader.batches(sys.stdin.buffer)

    def own_question(self, tokenizer):
        """The question that the flags ask for."""
        import numpy as np

        from mazelib.behaviour.evaluation import prompts
        from mazelib.commands.prompts import Question
        from mazelib.models.zoo import trained_on

        stream = self.mazes.stream("test", like=asdict(trained_on(self.model)))
        mazes = replace(stream.take(0, 1), offset=np.zeros((1, 2), np.int16))
        return Question(prompts(mazes, tokenizer)[0], mazes[0]._replace(path=None))

    def show(self, sample, answer, tokenizer) -> None:
        """Print an answer."""
        from mazelib.behaviour.evaluation import answered_cells

        path = answered_cells(answer, tokenizer, sample.maze.n)
        tokens = tokenizer.to_text(answer)
        say(dumps(self.facts(sample, path, tokens)) if self.json else tokens)
        if self.draw:
            say(sample.draw(path).text_in(sys.stdout.encoding))

    def facts(self, sample, path: list[int], tokens: str) -> dict:
        """What --json prints of one answer."""
        from mazelib.behaviour.metrics import cells_of, is_exact, is_shortest, is_valid

        n = sample.maze.n
        cells = [divmod(cell, n) if cell >= 0 else None for cell in cells_of(path)]
        return {
            "tokens": tokens,
            "path": cells,
            "valid": is_valid(sample, path),
            "shortest": is_shortest(sample, path),
            "given": None if sample.path is None else is_exact(sample, path),
        }
