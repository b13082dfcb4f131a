"""What packing, the path's loss, bfloat16 and Muon buy over a plain loop.

Both train the same shape (4 layers × 64, rotary) on the same stream of 4×4 depth-first
mazes and are scored on the same held-out ones. The plain loop is what one would write
first with TransformerLens: its native model in float32, AdamW, one question a sequence,
loss on the whole sequence. Measured: questions learned from a second, and the questions
and the training time until half of the held-out mazes are solved exactly.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import torch
from rounds import compare, table
from torch.nn.functional import cross_entropy
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge.sources.native import boot

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import IGNORED, MazeModelConfig, labels
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import TrainingRun
from mazelib.training.validation import teacher_forced

CONFIG = TrainConfig(
    StreamConfig(MazeConfig("dfs", 4), questions=8),
    MazeModelConfig(side=4, layers=4, width=64, max_positions=256),
    steps=100_000,
    decay=0,
    average=0.98,
    validation=1000,
)
PER_STEP = CONFIG.batch * CONFIG.mazes.questions
PLAIN_LR = 1e-3
GOAL = 0.5
LOOK_EVERY = 6400
"""Questions between two looks at the held-out mazes."""


class PlainLoop:
    """The same shape and data, trained the way one would begin."""

    def __init__(self, config: TrainConfig):
        shape = config.model
        self.config, self.tokenizer = config, shape.tokenizer
        native = TransformerBridgeConfig(
            d_model=shape.width,
            n_layers=shape.layers,
            n_heads=shape.heads,
            d_head=shape.width // shape.heads,
            d_mlp=4 * shape.width,
            d_vocab=len(self.tokenizer.vocabulary),
            n_ctx=shape.max_positions,
            act_fn="gelu",
            normalization_type="LN",
            positional_embedding_type="rotary",
            rotary_dim=shape.width // shape.heads,
            architecture="TransformerLensNative",
            seed=config.mazes.seed,
        )
        self.model = boot(native, device="cpu")
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=PLAIN_LR)
        single = MazeStream(replace(config.mazes, questions=1))
        self.batches = single.batches(PER_STEP, self.tokenizer)

    def step(self) -> None:
        """One update on as many questions as a step of ours asks."""
        batch = next(self.batches)
        logits = self.model(torch.from_numpy(batch.ids).long())[:, :-1]
        targets = labels(batch, "sequence")[:, 1:]
        loss = cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED
        )
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    @torch.no_grad()
    def exact(self, mazes) -> float:
        """The share of mazes whose path is the likeliest, token by token."""
        right = []
        for start in range(0, len(mazes), 128):
            batch = mazes[start : start + 128].encode(self.tokenizer)
            likeliest = self.model(torch.from_numpy(batch.ids).long()).argmax(-1)
            wrong = likeliest[:, :-1].numpy() != batch.ids[:, 1:]
            right.append(~(wrong & batch.answer[:, 1:]).any(1))
        return float(np.concatenate(right).mean())


def steps_of(step: Callable[[], None], steps: int) -> Callable[[], int]:
    """Work for `compare`: so many steps; counts questions."""

    def work() -> int:
        for _ in range(steps):
            step()
        return steps * PER_STEP

    return work


def until_goal(step: Callable, exact: Callable[[], float], limit: float) -> str:
    """Train until half the held-out mazes are solved, or `limit` seconds are over."""
    seconds = 0.0
    for done in count(1):
        started = time.perf_counter()
        step()
        seconds += time.perf_counter() - started
        if done * PER_STEP % LOOK_EVERY == 0 or seconds > limit:
            share = exact()
            if share >= GOAL or seconds > limit:
                break
    reached = "reached" if share >= GOAL else "not reached"
    return f"{reached} at {done * PER_STEP:,} questions, {seconds:.0f} s ({share:.3f})"


def main() -> None:
    """Measure the rates turn by turn, then train each to the goal."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=400, help="seconds a side")
    arguments = parser.parse_args()
    own, plain = TrainingRun(CONFIG), PlainLoop(CONFIG)
    sides = {"mazelib": steps_of(own.step, 8), "plain loop": steps_of(plain.step, 2)}
    rates = compare(sides, arguments.rounds)
    print(table("Questions learned from, 4×4", "a second", rates, "mazelib"))
    print(f"Half of {CONFIG.validation} held-out 4×4 mazes solved exactly:")
    own, plain = TrainingRun(CONFIG), PlainLoop(CONFIG)
    mazes = own.validation
    sides = {
        "mazelib": (
            own.step,
            lambda: teacher_forced(own.averaged, plain.tokenizer, mazes).right.mean(),
        ),
        "plain loop": (plain.step, lambda: plain.exact(mazes)),
    }
    for name, (step, exact) in sides.items():
        print(f"  {name:<12} {until_goal(step, exact, arguments.limit)}", flush=True)


if __name__ == "__main__":
    main()
