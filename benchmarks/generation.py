"""Mazes generated, solved and turned into token ids a second: mazelib and maze-dataset.

    make benchmark

Both make 6×6 randomized depth-first mazes, draw two random cells, find the shortest
path between them and encode everything as token ids, one token a cell. They run on one
core, turn by turn, in one go. maze-dataset lives in an environment of its own
(_build/maze-dataset), which the first run makes.
"""

import argparse
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from itertools import count as count_from
from pathlib import Path

from rounds import compare, table

from mazelib.dataset.stream import CHUNK, MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.tokens.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "_build" / "maze-dataset"
PEER_PACKAGES = ["maze-dataset==1.4.2", "muutils<0.9"]

PEER_CODE = """
import sys
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
    print(len(work(count, seed)), flush=True)
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


def own(count: int) -> Callable[[], int]:
    """Work for `compare`: mazes drawn from the stream and encoded, in chunks."""
    config = StreamConfig(MazeConfig("dfs", 6), split="any")
    stream, tokenizer = MazeStream(config), Tokenizer("ut", 6)
    indices = count_from()

    def work() -> int:
        chunks = count // CHUNK
        for _ in range(chunks):
            stream.draw_chunk(next(indices)).encode(tokenizer)
        return chunks * CHUNK

    return work


def theirs(peer: subprocess.Popen, count: int) -> Callable[[], int]:
    """Work for `compare`: mazes made by the other process."""
    seeds = count_from()

    def work() -> int:
        print(count, next(seeds), file=peer.stdin, flush=True)
        return int(peer.stdout.readline())

    return work


def main() -> None:
    """Run both sides turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=200_000, help="mazes of ours")
    parser.add_argument("--peer-count", type=int, default=300, help="mazes of theirs")
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
    with peer:
        sides = {
            "mazelib": own(arguments.count),
            "maze-dataset": theirs(peer, arguments.peer_count),
        }
        rates = compare(sides, arguments.rounds)
    title = "6×6 depth-first mazes generated, solved and encoded, on one core"
    print(table(title, "a second", rates, "mazelib"))


if __name__ == "__main__":
    main()
