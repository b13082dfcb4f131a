"""Commands about models: train, evaluate and models."""

import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from mazelib.commands.flags import (
    MazeFlags,
    ModelName,
    check_count,
    describe,
    dumps,
    optional,
    readable,
)
from mazelib.commands.output import complain, say
from mazelib.errors import MazelibError
from mazelib.training.schedule import Schedule


@dataclass(frozen=True)
class Train:
    """Train a model and save it as a folder; started again, go on where it stopped.

    Example: python -m mazelib train --out runs/dfs4 --grid 4 --layers 4 --width 64
    """

    mazes: MazeFlags
    schedule: Schedule
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
    questions: int = 8
    """questions asked about each maze"""
    weights: optional(str, "new ones", "MODEL") = None
    """name or folder of a model of the same shape to begin with; give another --seed"""
    json: bool = False
    """print the model's card as JSON"""

    def run(self) -> None:
        """Train, save, and print how well the model does."""
        from accelerate import PartialState

        from mazelib.models.checkpoint import read_card
        from mazelib.models.model import MazeModelConfig
        from mazelib.training.loop import train
        from mazelib.training.recipe import TrainConfig

        stream = self.mazes.stream("train", self.questions)
        grid = stream.config.spread or stream.config.mazes.grid
        flags = {"scheme": self.tokens, **vars(self)}
        flags["side"] = grid if self.side is None else self.side
        names = (field.name for field in fields(MazeModelConfig))
        model = MazeModelConfig(**{name: flags[name] for name in names})
        schedule, start = asdict(self.schedule), self.weights
        config = TrainConfig(stream.config, model, start, **schedule)
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
        say(dumps(card) if self.json else text)


@dataclass(frozen=True)
class Evaluate:
    """Score a model on mazes that no training run sees.

    Example: python -m mazelib evaluate runs/dfs4 --count 1000 --json
    """

    model: ModelName
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
        from mazelib.models.zoo import load, trained_on

        check_count(self.count)
        trained = load(self.model)
        stream = self.mazes.stream(self.split, like=asdict(trained_on(self.model)))
        mazes = stream.take(0, self.count)
        table = evaluate(trained.model, trained.tokenizer, mazes, sys.stderr.isatty())
        facts = {"model": self.model, **describe(stream), **summary(table)}
        say(dumps(facts) if self.json else readable(facts))


@dataclass(frozen=True)
class Models:
    """List the trained models of data/models with their scores.

    Example: python -m mazelib models --json
    """

    json: bool = False
    """print a JSON list of the models' cards"""

    def run(self) -> None:
        """Print a line a model; then raise MazelibError for those that are damaged."""
        from mazelib.models.zoo import read_cards

        cards, damaged = read_cards()
        if self.json:
            say(dumps([{"name": name, **card} for name, card in cards.items()]))
        else:
            say(*(self.line(name, card) for name, card in cards.items()))
        if damaged:
            raise MazelibError("; ".join(map(str, damaged)))
        if not cards and not self.json:
            complain("no models yet: see python -m mazelib train --help")

    def line(self, name: str, card: dict) -> str:
        """A model's name, score and size."""
        score = card["metrics"]
        low, high = score["exact_ci"]
        exact = f"exact {score['exact']:.3f} [{low:.3f}, {high:.3f}]"
        return f"{name:<22} {exact}  {card['parameters']} parameters"
