"""Commands about models: train, evaluate, solve and models."""

import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from mazelib.commands.flags import (
    MazeFlags,
    check_count,
    describe,
    dumps,
    optional,
    readable,
)
from mazelib.errors import MazelibError


@dataclass(frozen=True)
class Train:
    """Train a model and save it as a folder; started again, go on where it stopped.

    Example: python -m mazelib train --out runs/dfs4 --grid 4 --layers 4 --width 64
    """

    mazes: MazeFlags
    out: str
    """folder to write; what a later start needs to continue lies in OUT.state"""
    tokens: Literal["ut", "ctt", "walls"] = "ut"
    """one token a cell, coordinate tuples, or the list of walls"""
    side: optional(int, "the mazes' own") = None
    """side of the vocabulary's grid"""
    layers: int = 6
    """transformer blocks"""
    width: int = 128
    """width of the residual stream"""
    heads: int = 4
    """attention heads a block"""
    positions: Literal["rotary", "learned"] = "rotary"
    """rotary (GPT-NeoX) or learned (GPT-2) positions"""
    max_positions: int = 512
    """longest sequence, in tokens"""
    steps: int = 2000
    """updates"""
    batch: int = 16
    """mazes in an update"""
    questions: int = 8
    """questions asked about each maze"""
    muon_lr: float = 0.01
    """peak learning rate of the hidden matrices; 0 leaves them to AdamW"""
    adamw_lr: float = 3e-3
    """peak learning rate of everything else"""
    warmup: int = 50
    """steps of linear warm-up"""
    decay: float = 1.0
    """share of the steps, at the end, over which the rates fall to nothing"""
    average: float = 0.0
    """above 0, average the weights with a memory of 1 / (1 - average) steps"""
    loss: Literal["path", "sequence"] = "path"
    """score the path's tokens, or the whole sequence"""
    evaluate_every: int = 250
    """steps between validations, at which the folder is written"""
    validation: int = 512
    """mazes in a validation"""
    ladder: int = 0
    """checkpoints kept on the way, at logarithmically spaced steps"""
    weights: optional(str, "new ones", "MODEL") = None
    """name or folder of a model of the same shape to begin with; give another --seed"""
    json: bool = False
    """print the model's card as JSON"""

    def run(self) -> None:
        """Train, save, and print how well the model does."""
        from accelerate import PartialState

        from mazelib.checkpoint import read_card
        from mazelib.model import MazeModelConfig
        from mazelib.recipe import TrainConfig
        from mazelib.training import train

        stream = self.mazes.stream("train", self.questions)
        grid = stream.config.spread or stream.config.mazes.grid
        model = {
            "scheme": self.tokens,
            "side": grid if self.side is None else self.side,
        }
        model = MazeModelConfig(**{**self.flags_of(MazeModelConfig), **model})
        data = {"mazes": stream.config, "model": model}
        config = TrainConfig(**{**self.flags_of(TrainConfig), **data})
        train(config, self.out)
        if not PartialState().is_main_process:
            return
        card = read_card(Path(self.out))
        score = card["metrics"]
        low, high = score["exact_ci"]
        text = (
            f"{self.out}: exact {score['exact']:.3f} [{low:.3f}, {high:.3f}] on "
            f"{score['n']} validation mazes, {card['parameters']} parameters"
        )
        print(dumps(card) if self.json else text)

    def flags_of(self, kind: type) -> dict:
        """The flags that are named as fields of a config."""
        names = [field.name for field in fields(kind)]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}


@dataclass(frozen=True)
class Evaluate:
    """Score a model on mazes that no training run sees.

    Example: python -m mazelib evaluate runs/dfs4 --count 1000 --json
    """

    model: Positional[str]
    """a folder that train wrote, or a name in data/models"""
    mazes: MazeFlags
    count: int = 1000
    """number of mazes"""
    split: Literal["validation", "test", "any"] = "test"
    """only mazes whose hash puts them in this part"""
    json: bool = False
    """print one JSON object"""

    def run(self) -> None:
        """Roll the model out on `count` mazes and print the means of its scores."""
        from mazelib.behaviour.evaluation import evaluate, summary
        from mazelib.zoo import load, trained_on

        check_count(self.count)
        trained = load(self.model)
        stream = self.mazes.stream(self.split, like=asdict(trained_on(self.model)))
        mazes = stream.take(0, self.count)
        table = evaluate(trained.model, trained.tokenizer, mazes, sys.stderr.isatty())
        facts = {"model": self.model, **describe(stream), **summary(table)}
        print(dumps(facts) if self.json else readable(facts))


@dataclass(frozen=True)
class Solve:
    """Complete prompts with a model's paths; without input, solve a generated maze.

    Prompts come on standard input, one a line, up to <PATH_START>; the answers go to
    standard output, one a line. Mazes are read as filling the vocabulary's grid; give
    --grid for smaller ones.

    Example: python -m mazelib solve runs/dfs4 --draw
    """

    model: Positional[str]
    """a folder that train wrote, or a name in data/models"""
    mazes: MazeFlags
    draw: bool = False
    """show each maze with the model's path (+) as text"""
    json: bool = False
    """print a JSON object a line: tokens, path as [row, col], valid, shortest"""

    def run(self) -> None:
        """Read all prompts, then print each answer."""
        from mazelib.behaviour.evaluation import answered_cells
        from mazelib.behaviour.rollout import rollout
        from mazelib.zoo import load

        trained = load(self.model)
        tokenizer = trained.tokenizer
        questions = self.questions(trained)
        answers = rollout(trained.model, tokenizer, [ids for ids, _ in questions])
        for (_, sample), answer in zip(questions, answers, strict=True):
            path = answered_cells(answer, tokenizer, sample.maze.n)
            if self.json:
                print(dumps(self.facts(sample, path, tokenizer.to_text(answer))))
            else:
                print(tokenizer.to_text(answer))
            if self.draw:
                print(sample.draw(path).text)

    def questions(self, trained) -> list:
        """Pairs of a prompt's ids and its sample: from standard input, or generated."""
        import numpy as np

        from mazelib.behaviour.evaluation import prompts
        from mazelib.zoo import trained_on

        tokenizer = trained.tokenizer
        grid = tokenizer.side if self.mazes.grid is None else self.mazes.grid
        pairs = []
        lines = [] if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer
        for number, line in enumerate(lines, 1):
            try:
                ids = tokenizer.from_text(line)
                sample = tokenizer.decode(ids, grid)
            except MazelibError as error:
                raise MazelibError(f"line {number}: {error}") from None
            if sample.path is not None:
                raise MazelibError(
                    f"line {number}: the prompt has a path already: end it after "
                    "<PATH_START>"
                )
            pairs.append((ids, sample))
        if not pairs:
            stream = self.mazes.stream("test", like=asdict(trained_on(self.model)))
            mazes = replace(stream.take(0, 1), offset=np.zeros((1, 2), np.int16))
            pairs = [(prompts(mazes, tokenizer)[0], mazes[0]._replace(path=None))]
        return pairs

    def facts(self, sample, path: list[int], tokens: str) -> dict:
        """What --json prints of one answer."""
        from mazelib.behaviour.metrics import NO_END, is_shortest, is_valid

        n, cells = sample.maze.n, [cell for cell in path if cell != NO_END]
        return {
            "tokens": tokens,
            "path": [divmod(cell, n) if cell >= 0 else None for cell in cells],
            "valid": is_valid(sample, path),
            "shortest": is_shortest(sample, path),
        }


@dataclass(frozen=True)
class Models:
    """List the trained models of data/models with their scores.

    Example: python -m mazelib models --json
    """

    json: bool = False
    """print a JSON list of the models' cards"""

    def run(self) -> None:
        """Print a line a model."""
        from mazelib.zoo import read_cards

        cards, damaged = read_cards()
        self.show(cards)
        for error in damaged[1:]:
            print(f"mazelib: error: {error}", file=sys.stderr)
        if damaged:
            raise damaged[0]

    def show(self, cards: dict[str, dict]) -> None:
        """Print the cards by name."""
        if self.json:
            print(dumps([{"name": name, **card} for name, card in cards.items()]))
            return
        for name, card in cards.items():
            score = card["metrics"]
            low, high = score["exact_ci"]
            exact = f"exact {score['exact']:.3f} [{low:.3f}, {high:.3f}]"
            print(f"{name:<22} {exact}  {card['parameters']} parameters")
        if not cards:
            print("no models yet: python -m mazelib train --help", file=sys.stderr)
