"""Mazes generated, solved and turned into token ids a second: mazelib and maze-dataset.

    make benchmark

Both make 6×6 randomized depth-first mazes, draw two random cells, find the shortest
path between them and encode everything as token ids, one token a cell. They run on one
core, turn by turn, in one go; the result is the ratio of their rates, with its range
over the rounds. maze-dataset lives in an environment of its own (_build/maze-dataset),
which the first run makes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "_build" / "maze-dataset"
PEER_PACKAGES = ["maze-dataset==1.4.2", "muutils<0.9"]

PEER_CODE = """
import json, sys, time
from maze_dataset import MazeDataset, MazeDatasetConfig
from maze_dataset.generation import LatticeMazeGenerators
from maze_dataset.tokenization import MazeTokenizer, TokenizationMode

tokenizer = MazeTokenizer(
    tokenization_mode=TokenizationMode.AOTP_UT_uniform, max_grid_size=6
)

def work(count, seed):
    config = MazeDatasetConfig(
        name="benchmark", grid_n=6, n_mazes=count, seed=seed,
        maze_ctor=LatticeMazeGenerators.gen_dfs,
    )
    mazes = MazeDataset.generate(config, gen_parallel=False, verbose=False)
    return [tokenizer.encode(maze.as_tokens(tokenizer)) for maze in mazes]

work(10, 0)
for line in sys.stdin:
    count, seed = map(int, line.split())
    started = time.perf_counter()
    made = work(count, seed)
    print(json.dumps(len(made) / (time.perf_counter() - started)), flush=True)
"""


def peer_python() -> Path:
    """The interpreter of maze-dataset's environment, made if it is not there."""
    python = PEER / "bin" / "python"
    ready = PEER / "ready"
    if not ready.exists():
        print(f"installing {' '.join(PEER_PACKAGES)} into {PEER}", file=sys.stderr)
        venv.create(PEER, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-qq", *PEER_PACKAGES]
        subprocess.run(command, check=True)
        ready.touch()
    return python


def own_rate(count: int, seed: int) -> float:
    """Mazes a second with mazelib: drawn from the stream, encoded, in chunks."""
    from mazelib.dataset import CHUNK, MazeStream, StreamConfig
    from mazelib.generators import MazeConfig
    from mazelib.tokenizer import Tokenizer

    config = StreamConfig(MazeConfig("dfs", 6), split="any", seed=seed)
    stream, tokenizer = MazeStream(config), Tokenizer("ut", 6)
    stream.draw_chunk(0).encode(tokenizer)
    chunks = count // CHUNK
    started = time.perf_counter()
    for index in range(chunks):
        stream.draw_chunk(index).encode(tokenizer)
    return chunks * CHUNK / (time.perf_counter() - started)


def main() -> None:
    """Run both sides turn by turn and print the ratio of their rates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=200_000, help="mazes of ours")
    parser.add_argument("--peer-count", type=int, default=300, help="mazes of theirs")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    python = peer_python()
    if hasattr(os, "sched_setaffinity"):  # both sides inherit the one core
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    peer = subprocess.Popen(
        [python, "-c", PEER_CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    own, theirs = [], []
    for seed in range(arguments.rounds):
        own.append(own_rate(arguments.count, seed))
        print(arguments.peer_count, seed, file=peer.stdin, flush=True)
        theirs.append(json.loads(peer.stdout.readline()))
    peer.stdin.close()
    ratios = [a / b for a, b in zip(own, theirs, strict=True)]
    facts = {
        "mazelib_per_second": round(statistics.median(own)),
        "maze_dataset_per_second": round(statistics.median(theirs)),
        "ratio": round(statistics.median(ratios)),
        "ratio_range": [round(min(ratios)), round(max(ratios))],
        "rounds": arguments.rounds,
    }
    if arguments.json:
        print(json.dumps(facts))
        return
    print("6×6 depth-first mazes generated, solved and encoded, on one core")
    print(f"  mazelib       {facts['mazelib_per_second']:>9,} a second")
    print(f"  maze-dataset  {facts['maze_dataset_per_second']:>9,} a second")
    low, high = facts["ratio_range"]
    print(f"  ratio         {facts['ratio']:>9,} (from {low:,} to {high:,})")


if __name__ == "__main__":
    main()
