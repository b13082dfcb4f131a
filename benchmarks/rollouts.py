"""Mazes solved a second: mazelib's rollouts, model.generate, TransformerLens' generate.

All complete the same prompts greedily with the same network, in batches of one size,
and must print the same tokens. The prompts are of three lengths (4×4, 5×5 and 6×6
mazes): model.generate gets them padded on the left; TransformerLens once grouped by
length, as mazelib does itself, and once one by one, as its notebooks do. Where the true
paths are known, as when a model is scored, mazelib tries them first and completes only
the prompts whose likeliest answer is another: a side of its own. So is the residual
stream moved by nothing at every token that is printed.
"""

import argparse
import copy

import numpy as np
import torch
from rounds import compare, table
from transformer_lens.model_bridge.sources import build_bridge_from_module

from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.interventions import Change, steered_rollout
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.model import MazeModelConfig
from mazelib.training.validation import teacher_forced

BATCH = 128
FIRST = "mazelib, true paths first"
BOUND = 50
"""Tokens that generate may print: 7 × 7 cells and <PATH_END>."""


def mazes_of_three_sides(count: int) -> list[MazeSet]:
    """4×4, 5×5 and 6×6 depth-first mazes, a third of each."""
    return [
        MazeStream(StreamConfig(MazeConfig("dfs", side), split="test")).take(
            0, count // 3
        )
        for side in (4, 5, 6)
    ]


def true_paths_first(model, tokenizer, sets: list[MazeSet]) -> list[list[int]]:
    """Each prompt's completion; the true path's tokens where all are the likeliest."""
    answers = []
    for mazes in sets:
        right = teacher_forced(model, tokenizer, mazes).right
        wrong = np.flatnonzero(~right)
        rolled = rollout(model, tokenizer, prompts(mazes[wrong], tokenizer))
        batch = mazes.encode(tokenizer)
        found = [ids[is_answer] for ids, is_answer in zip(*batch[::3], strict=True)]
        for index, answer in zip(wrong, rolled, strict=True):
            found[index] = answer
        answers += [answer.tolist() for answer in found]
    return answers


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


def sides(name: str, count: int) -> dict[str, tuple]:
    """For each way of completing prompts: the prompts, and what completes them."""
    trained = zoo.load(name)
    model, tokenizer, _ = trained
    nothing = Change(1, add=torch.zeros(model.config.hidden_size))
    bridge = build_bridge_from_module(
        copy.deepcopy(model),
        architecture=type(model).__name__,
        hf_config=model.config,
        tokenizer=None,
        device="cpu",
        model_name=name,
    ).eval()
    sets, end = mazes_of_three_sides(count), model.config.eos_token_id
    asked = [prompt for mazes in sets for prompt in prompts(mazes, tokenizer)]
    few = asked[:: len(asked) // 24]

    def lists(given):
        return [answer.tolist() for answer in rollout(model, tokenizer, given)]

    def moved(given):
        answers = steered_rollout(trained, given, [nothing])
        return [answer.tolist() for answer in answers]

    return {
        FIRST: (asked, lambda _: true_paths_first(model, tokenizer, sets)),
        "mazelib": (asked, lists),
        "mazelib, steered by nothing": (asked, moved),
        "model.generate": (asked, lambda p: with_generate(model, p)),
        "TransformerLens, by length": (
            asked,
            lambda p: with_lens(bridge, end, p, BATCH),
        ),
        "TransformerLens, one by one": (few, lambda p: with_lens(bridge, end, p, 1)),
    }


def main() -> None:
    """Check that all print the same, then measure them turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="dfs5")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=768)
    arguments = parser.parse_args()
    known = sides(arguments.model, arguments.count)
    asked, complete = known["mazelib"]
    want = dict(zip(map(tuple, asked), complete(asked), strict=True))
    for name, (given, work) in known.items():
        pairs = zip(given, work(given), strict=True)
        same = sum(want[tuple(prompt)] == answer for prompt, answer in pairs)
        print(f"{name}: {same} of {len(given)} answers are mazelib's own")
        if same < len(given):
            raise SystemExit(f"{name} answers otherwise: there is nothing to compare")
    with torch.no_grad():
        rates = compare(
            {k: lambda p=p, w=w: len(w(p)) for k, (p, w) in known.items()},
            arguments.rounds,
        )
    config = MazeModelConfig(**zoo.read_card(arguments.model)["model"])
    title = f"Mazes solved by {arguments.model} ({config.layers} × {config.width})"
    print(table(title, "a second", rates, "mazelib"))
    print(table("The same", "a second", rates, FIRST))


if __name__ == "__main__":
    main()
