"""Mazes solved a second: mazelib's rollouts, model.generate, TransformerLens' generate.

All complete the same prompts greedily with the same network, in batches of one size,
and must print the same tokens. The prompts are of three lengths (4×4, 5×5 and 6×6
mazes): model.generate gets them padded on the left; TransformerLens once grouped by
length, as mazelib does itself, and once one by one, as its notebooks do.
"""

import argparse
import copy

import numpy as np
import torch
from rounds import compare, table
from transformer_lens.model_bridge.sources import build_bridge_from_module

from mazelib import zoo
from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset import MazeStream, StreamConfig
from mazelib.generators import MazeConfig
from mazelib.model import MazeModelConfig

BATCH = 128
BOUND = 50
"""Tokens that generate may print: 7 × 7 cells and <PATH_END>."""


def mixed_prompts(tokenizer, count: int) -> list[np.ndarray]:
    """Prompts of 4×4, 5×5 and 6×6 depth-first mazes, in turn."""
    sides = []
    for side in (4, 5, 6):
        stream = MazeStream(StreamConfig(MazeConfig("dfs", side), split="test"))
        sides.append(prompts(stream.take(0, count // 3), tokenizer))
    return [prompt for three in zip(*sides, strict=True) for prompt in three]


def until_end(rows, end: int) -> list[list[int]]:
    """Each row's tokens up to the first `end`, with it."""
    found = []
    for row in np.asarray(rows):
        stops = np.flatnonzero(row == end)
        found.append(row[: stops[0] + 1].tolist() if len(stops) else row.tolist())
    return found


def with_generate(model, asked: list[np.ndarray]) -> list[list[int]]:
    """transformers' generate, the prompts padded on the left."""
    answers = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        longest = max(map(len, part))
        ids = torch.zeros(len(part), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, prompt in enumerate(part):
            ids[i, longest - len(prompt) :] = torch.from_numpy(prompt)
            mask[i, longest - len(prompt) :] = 1
        rows = model.generate(
            ids, attention_mask=mask, max_new_tokens=BOUND, do_sample=False
        )
        answers += until_end(rows[:, longest:], model.config.eos_token_id)
    return answers


def with_lens(bridge, end: int, asked: list[np.ndarray], size: int) -> list[list[int]]:
    """TransformerLens' generate, prompts of one length together, `size` at a time."""
    answers = [None] * len(asked)
    for length in sorted(set(map(len, asked))):
        places = [i for i, prompt in enumerate(asked) if len(prompt) == length]
        for start in range(0, len(places), size):
            part = places[start : start + size]
            ids = torch.from_numpy(np.stack([asked[i] for i in part])).long()
            rows = bridge.generate(
                ids,
                max_new_tokens=BOUND,
                eos_token_id=end,
                do_sample=False,
                prepend_bos=False,
                return_type="tokens",
                verbose=False,
            )
            ended = until_end(rows[:, length:], end)
            for i, answer in zip(part, ended, strict=True):
                answers[i] = answer
    return answers


def main() -> None:
    """Check that all print the same, then measure them turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="dfs5")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=768)
    arguments = parser.parse_args()
    model, tokenizer, card = zoo.load(arguments.model)
    config = MazeModelConfig(**card["model"])
    bridge = build_bridge_from_module(
        copy.deepcopy(model),
        architecture=model.config.architectures[0],
        hf_config=model.config,
        tokenizer=None,
        device="cpu",
        model_name=arguments.model,
    ).eval()
    asked = mixed_prompts(tokenizer, arguments.count)
    few, end = asked[:24], model.config.eos_token_id
    sides = {
        "mazelib": (
            asked,
            lambda p: [a.tolist() for a in rollout(model, tokenizer, p)],
        ),
        "model.generate": (asked, lambda p: with_generate(model, p)),
        "TransformerLens, by length": (
            asked,
            lambda p: with_lens(bridge, end, p, BATCH),
        ),
        "TransformerLens, one by one": (few, lambda p: with_lens(bridge, end, p, 1)),
    }
    want = sides["mazelib"][1](asked)
    for name, (given, work) in sides.items():
        same = sum(a == b for a, b in zip(work(given), want, strict=False))
        print(f"{name}: {same} of {len(given)} answers are mazelib's own")
    with torch.no_grad():
        rates = compare(
            {k: lambda p=p, w=w: len(w(p)) for k, (p, w) in sides.items()},
            arguments.rounds,
        )
    title = f"Mazes solved by {arguments.model} ({config.layers} × {config.width})"
    print(table(title, "a second", rates, "mazelib"))


if __name__ == "__main__":
    main()
