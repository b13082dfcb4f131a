"""What the loss for GPUs buys over the model's own forward, on a GPU.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --quick --json measured.json

Whole training steps (data, gradient, optimizers, average), the sides turn by turn: the
model's own forward; `mazelib.training.dense` not compiled, compiled, and compiled with
the GPU's launches recorded (CUDA graphs). Then the share of the time in which the GPU
computes anything, and what a step takes of the processor. Sixteen questions a maze.
Without a GPU it says so and measures the first two sides on the CPU, on fewer mazes:
that shows that it runs, and nothing else.
"""

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from rounds import compare, table
from torch.profiler import ProfilerActivity, profile

from mazelib.dataset.stream import StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig
from mazelib.training.dense import COMPILED, DenseLoss
from mazelib.training.gradients import Gradients
from mazelib.training.losses import PlainLoss
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import TrainingRun

IS_GPU = torch.cuda.is_available()
QUESTIONS = 16
SIX = TrainConfig(
    StreamConfig(MazeConfig("dfs", 6), questions=QUESTIONS),
    MazeModelConfig(layers=8, width=96, positions="learned"),
    steps=10**6,
    evaluate_every=10**6,
    average=0.998,
    validation=1,
)
TEN = replace(
    SIX,
    mazes=replace(SIX.mazes, mazes=MazeConfig("dfs", 10)),
    model=replace(SIX.model, side=10, layers=12),
)
CASES = {
    "6×6, 8 × 96, 10 mazes a step": replace(SIX, batch=10),
    "6×6, 8 × 96, 128 mazes a step": replace(SIX, batch=128),
    "6×6, 8 × 96 rotary, 128 mazes a step": replace(
        SIX, batch=128, model=replace(SIX.model, positions="rotary")
    ),
    "10×10, 12 × 96, 128 mazes a step": replace(TEN, batch=128),
}
OWN = "the model's own forward"
SIDES = {
    OWN: PlainLoss,
    "dense, not compiled": partial(DenseLoss, compiled=None),
    "dense, compiled": DenseLoss,
    "dense, compiled, launches recorded": partial(
        DenseLoss, compiled=partial(COMPILED, mode="reduce-overhead")
    ),
}


def wait() -> None:
    """Until the GPU has done what it was told."""
    if IS_GPU:
        torch.cuda.synchronize()


def steps(run: TrainingRun, count: int) -> int:
    """Take so many steps to the end; how many questions they were."""
    for _ in range(count):
        run.step()
    wait()
    return count * run.config.batch * QUESTIONS


def prepared(config: TrainConfig, loss) -> TrainingRun:
    """A run with a loss, warm, whatever it compiles compiled."""
    run = TrainingRun(config)
    run.gradients = Gradients(loss(run.model, config.loss), parts=0)
    steps(run, 5)
    return run


def busy(run: TrainingRun, count: int) -> tuple[float, float]:
    """The share of the time that the GPU computes, and seconds of processor a step."""
    steps(run, 2)
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        started, used = time.perf_counter(), time.process_time()
        steps(run, count)
        wall, used = time.perf_counter() - started, time.process_time() - used
    kernels = sum(event.device_time_total for event in profiler.key_averages())
    return kernels / 1e6 / wall, used / count


def measured(config: TrainConfig, sides: dict, rounds: int, count: int) -> dict:
    """Questions a second of each side, one rate a round, and how busy the GPU is."""
    runs = {name: prepared(config, loss) for name, loss in sides.items()}
    work = {name: partial(steps, run, count) for name, run in runs.items()}
    found = {"rates": compare(work, rounds)}
    if IS_GPU:
        found["busy"] = {name: busy(run, count) for name, run in runs.items()}
    return found


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="the first two cases")
    parser.add_argument("--json", type=Path, help="write what was measured here, too")
    arguments = parser.parse_args()
    cases, sides, count = CASES, SIDES, 30
    if not IS_GPU:
        print("no GPU here: two sides on the CPU, to see that it runs")
        tiny = replace(SIX.model, layers=2, width=32)
        cases = {"6×6, 2 × 32, 4 mazes a step": replace(SIX, batch=4, model=tiny)}
        sides, count = dict(list(SIDES.items())[:2]), 2
    found = {}
    for name, config in list(cases.items())[: 2 if arguments.quick else None]:
        found[name] = measured(config, sides, arguments.rounds, count)
        rates = found[name]["rates"]
        print(table(name, "questions/s", rates, to=list(sides)[-1]), flush=True)
        for side, (share, seconds) in found[name].get("busy", {}).items():
            print(
                f"  {side:<34} busy {share:4.0%}, {seconds * 1e3:.1f} ms of processor"
            )
    if arguments.json:
        where = torch.cuda.get_device_name() if IS_GPU else "CPU"
        text = json.dumps({"machine": where, **found}, indent=1, ensure_ascii=False)
        arguments.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
