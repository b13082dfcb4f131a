"""Completion of prompts: token ids up to <PATH_START> in, a path's tokens out.

    answers = rollout(model, tokenizer, [tokenizer.encode(maze, origin, target)])
    tokenizer.leading_cells(answers[0])

The likeliest tokens, or drawn ones. The same as `model.generate` gives, without its
overhead: prompts of one length run together, keys and values are kept, and sequences
that have ended leave the batch.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm
from transformers import DynamicCache, PreTrainedModel

from mazelib.errors import MazelibError
from mazelib.models.model import has_learned_positions
from mazelib.tokens.tokenizer import Tokenizer


def rollout(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    prompts: Sequence[Int[np.ndarray, "_"]],
    size: int = 128,
    progress: bool = False,
    temperature: float = 0.0,
    seed: int = 0,
    within: Callable[[list[int]], AbstractContextManager] = lambda _: nullcontext(),
) -> list[Int[np.ndarray, "_"]]:
    """Each prompt's likeliest next tokens, one after the other, with <PATH_END>.

    temperature: above 0, tokens are drawn, from `seed`, by the softmax of the logits
    over it. within: a context for the prompts of these numbers, which run together; it
    gives None, or a function that is told which rows go on when others have ended.

    An answer stops at <PATH_END>, else after as many tokens as the longest path without
    revisits can have, or where the model's learned positions end. `size` prompts run at
    a time. Raises MazelibError for a prompt with no position left to answer in, or a
    temperature below 0.
    """
    if temperature < 0:
        raise MazelibError(f"temperature is {temperature}, but must be at least 0")
    generator = torch.Generator(model.device).manual_seed(seed)
    by_length = defaultdict(list)
    for index, prompt in enumerate(prompts):
        by_length[len(prompt)].append(index)
    answers: list = [None] * len(prompts)
    with tqdm(total=len(prompts), unit="maze", disable=not progress) as bar:
        for length, indices in by_length.items():
            bound = answer_bound(model, tokenizer, length)
            for start in range(0, len(indices), size):
                part = indices[start : start + size]
                ids = torch.from_numpy(np.stack([prompts[i] for i in part])).long()
                ids = ids.to(model.device)
                with within(part) as kept:
                    rows = complete(model, ids, bound, temperature, generator, kept)
                for index, row in zip(part, rows, strict=True):
                    answers[index] = row
                bar.update(len(part))
    return answers


def answer_bound(model: PreTrainedModel, tokenizer: Tokenizer, length: int) -> int:
    """The most tokens that answer a prompt of so many tokens.

    Raises MazelibError where learned positions leave none.
    """
    bound = tokenizer.side**2 * tokenizer.cell_width + 1
    if has_learned_positions(model):
        bound = min(bound, model.config.n_positions - length)
    if bound < 1:
        raise MazelibError(
            f"a prompt of {length} tokens leaves no room for an answer: the model has "
            f"{model.config.n_positions} positions"
        )
    return bound


@torch.no_grad()
def complete(
    model: PreTrainedModel,
    ids: Int[Tensor, "batch pos"],
    bound: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    kept: Callable[[Tensor], None] | None = None,
) -> list[Int[np.ndarray, "_"]]:
    """At most `bound` tokens after each prompt, all of one length (see `rollout`)."""
    end = model.config.eos_token_id
    cache = DynamicCache(config=model.config)
    printed = torch.zeros(len(ids), bound, dtype=torch.long, device=ids.device)
    running = torch.arange(len(ids), device=ids.device)  # rows still in the batch
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for step in range(bound):
        output = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = output.logits[:, -1]
        if temperature:
            chances = (logits / temperature).softmax(-1)
            ids = torch.multinomial(chances, 1, generator=generator)
        else:
            ids = logits.argmax(-1, keepdim=True)
        printed[running, step] = ids[:, 0]
        ended |= ids[:, 0] == end
        if ended.all():
            break
        if ended.float().mean() >= 0.25:  # selecting copies the cache: not each step
            keep = torch.nonzero(~ended)[:, 0]
            cache.batch_select_indices(keep)
            ids, running, ended = ids[keep], running[keep], ended[keep]
            if kept is not None:
                kept(keep)
    return [_until(row, end) for row in printed.cpu().numpy()]


def _until(row: Int[np.ndarray, "bound"], end: int) -> Int[np.ndarray, "answer"]:
    ends = np.flatnonzero(row == end)
    return row[: ends[0] + 1] if len(ends) else row
