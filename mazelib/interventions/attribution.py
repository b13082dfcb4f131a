"""Direct logit attribution: who writes the next token's lead over the best other one.

    found = attribute(network, mazes, "fork")
    found.table                          # a row a part: what it writes, on average
    found.written.sum(1)                 # = found.difference, to rounding
    found.by_kind[:, 3, 1]               # what L3H1 writes, by the token it is read off

The residual stream after the last layer is a sum of what the embedding, each head and
each MLP have written. With the last LayerNorm's scale held as it is, so is the
difference of two logits (Elhage et al., "A mathematical framework for transformer
circuits", 2021). A head's part is again a sum over the tokens it attends to.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.internals.plans import PathSteps, cell_at, path_steps
from mazelib.internals.roles import KINDS, Roles, roles_of
from mazelib.internals.ways import token_of
from mazelib.interventions.network import Network, Prompts, Run
from mazelib.models.blocks import last_norm

TASKS = {"origin": "start", "corridor": "corridor", "fork": "fork", "end": "end"}
"""What is to be printed, and at which kind of step: the origin, at <PATH_START>; the
only way on; the right one of several ways on; <PATH_END>, at the target."""
MOST = 64
"""Mazes that are run at a time."""


class Attribution(NamedTuple):
    """What each part of a network writes to the lead of the right next token.

    steps: where it is printed. right, wrong: the tokens whose logits are compared.
    parts: a row a part, with its `component` ("embedding", "position", "head",
    "attention bias", "mlp", "bias"), `layer` and `head`; -1 where it has none. written:
    what each adds to the difference of the two logits. by_kind: of the heads alone, by
    the kind of the token they attend to (`mazelib.internals.roles.KINDS`). difference:
    the right token's logit less the wrong one's.
    """

    steps: PathSteps
    right: Int[np.ndarray, "steps"]
    wrong: Int[np.ndarray, "steps"]
    parts: pd.DataFrame
    written: Float[np.ndarray, "steps parts"]
    by_kind: Float[np.ndarray, "steps layers heads kinds"]
    difference: Float[np.ndarray, "steps"]

    @property
    def table(self) -> pd.DataFrame:
        """A row a part, the largest first: its mean, and its share of the whole."""
        mean = self.written.mean(0)
        share = self.written.sum(0) / self.difference.sum()
        found = self.parts.assign(mean=mean, share=share)
        return found.sort_values("mean", ascending=False, ignore_index=True)


def attribute(network: Network, mazes: MazeSet, task: str) -> Attribution:
    """Who writes the right token's lead at all steps of a task (`TASKS`).

    The wrong token is the likeliest of the other legal ways on; where there is none,
    of all other tokens. Raises MazelibError for another task, or if there is no step.
    """
    steps = steps_of(mazes, task)
    found, bounds = [], range(0, len(mazes), MOST)
    for start in bounds:
        inside = slice(*np.searchsorted(steps.maze, (start, start + MOST)))
        rows = PathSteps(steps.maze[inside] - start, steps.step[inside])
        if len(rows.maze):
            found.append(attribute_some(network, mazes[start : start + MOST], rows))
    right, wrong, written, by_kind, difference = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    parts = parts_of(network)
    return Attribution(steps, right, wrong, parts, written, by_kind, difference)


def steps_of(mazes: MazeSet, task: str) -> PathSteps:
    """The steps of a task, in order."""
    if task not in TASKS:
        raise MazelibError(f"no task {task!r}: take one of {', '.join(TASKS)}")
    if task == "end":
        return PathSteps(np.arange(len(mazes)), mazes.length[:, 0].astype(int) - 1)
    steps = path_steps(mazes, TASKS[task])
    if not len(steps.maze):
        raise MazelibError(f"no step of the task {task!r} in {len(mazes)} mazes")
    return steps


def parts_of(network: Network) -> pd.DataFrame:
    """All parts that write, in the order of `Attribution.written`."""
    rows = [("embedding", -1, -1)]
    rows += [("position", -1, -1)] if network.is_learned else []
    for layer in range(network.layers):
        rows += [("head", layer, head) for head in range(network.heads)]
        rows += [("attention bias", layer, -1), ("mlp", layer, -1)]
    return pd.DataFrame(
        [*rows, ("bias", -1, -1)], columns=["component", "layer", "head"]
    )


class Asked(NamedTuple):
    """Steps of mazes that are run together, and what is compared at each.

    along: the direction whose product with the last stream is the difference of the
    two logits, but for `rest`, which the biases make.
    """

    run: Run
    roles: Roles
    row: Int[np.ndarray, "steps"]
    column: Int[np.ndarray, "steps"]
    right: Int[np.ndarray, "steps"]
    wrong: Int[np.ndarray, "steps"]
    difference: Float[Tensor, "steps"]
    along: Float[Tensor, "steps width"]
    rest: Float[Tensor, "steps"]


@torch.no_grad()
def asked_at(network: Network, mazes: MazeSet, steps: PathSteps) -> Asked:
    """Steps of some mazes, and what is compared at each."""
    batch = mazes.encode(network.tokenizer)
    roles = roles_of(batch, mazes, network.tokenizer)
    row, column = steps.maze, roles.path_start[steps.maze] + 1 + steps.step
    run = network.run(Prompts(batch.ids, np.full(len(mazes), batch.ids.shape[1] - 1)))
    ended, each = run.streams[-1][row, column], torch.arange(len(row))
    logits = network.unembedded(ended)
    right, wrong = tokens_compared(network, mazes, steps, logits)
    difference = logits[each, right] - logits[each, wrong]
    compared = direction(network, ended, right, wrong)
    return Asked(run, roles, row, column, right, wrong, difference, *compared)


@torch.no_grad()
def attribute_some(network: Network, mazes: MazeSet, steps: PathSteps) -> tuple:
    """What is known of steps of mazes that are run together (see `Attribution`)."""
    asked = asked_at(network, mazes, steps)
    row, column, along = asked.row, asked.column, asked.along
    kind = asked.roles.kind[row][:, :, None] == np.arange(len(KINDS))
    by_kind = by_source(network, asked, torch.from_numpy(kind).float())
    ids = asked.run.prompts.ids[row, column]
    written = embedded_parts(network, ids, column, along)
    for layer, block in enumerate(network.blocks):
        added = asked.run.mlps[layer][row, column]
        written += list(by_kind[:, layer].sum(-1).unbind(1))
        written += [along @ block.output.bias, (added * along).sum(1)]
    written = torch.stack([*written, asked.rest], 1)
    found = (written, by_kind, asked.difference)
    return asked.right, asked.wrong, *(part.numpy() for part in found)


@torch.no_grad()
def read_off(
    network: Network, mazes: MazeSet, steps: PathSteps
) -> Float[np.ndarray, "steps layers heads pos"]:
    """What each head writes to the right token's lead, by the token it attends to.

    At steps of a few mazes; all that it attends to add up to what it writes.
    """
    asked = asked_at(network, mazes, steps)
    columns = asked.run.prompts.ids.shape[1]
    each = torch.eye(columns).expand(len(asked.row), -1, -1)
    return by_source(network, asked, each).numpy()


def tokens_compared(
    network: Network, mazes: MazeSet, steps: PathSteps, logits: Tensor
) -> tuple[Int[np.ndarray, "steps"], Int[np.ndarray, "steps"]]:
    """The right next token of each step, and the likeliest wrong one."""
    tokenizer, end = network.tokenizer, network.model.config.eos_token_id
    onward = cell_at(mazes, steps, 1)
    right = token_of(mazes, steps.maze, np.maximum(onward, 0), tokenizer)
    right = np.where(onward >= 0, right, end)
    allowed = np.zeros(logits.shape, bool)
    for at, (maze, step) in enumerate(np.stack(steps, 1).tolist()):
        sample = mazes[maze]
        if step < 0:
            continue
        ways = np.array(ways_on(sample.maze, sample.path.tolist(), step), int)
        of = np.full(len(ways), maze)
        allowed[at, token_of(mazes, of, ways, tokenizer)] = True
    each = np.arange(len(right))
    allowed[each, right] = False
    allowed |= ~allowed.any(1, keepdims=True)
    allowed[each, right] = False
    wrong = logits.masked_fill(torch.from_numpy(~allowed), -torch.inf).argmax(1)
    return right, wrong.numpy()


def direction(
    network: Network,
    ended: Float[Tensor, "steps width"],
    right: Int[np.ndarray, "steps"],
    wrong: Int[np.ndarray, "steps"],
) -> tuple[Float[Tensor, "steps width"], Float[Tensor, "steps"]]:
    """The direction whose product with the last stream is the difference, and the rest.

    The last LayerNorm's scale is that of the stream itself.
    """
    norm, out = last_norm(network.model), network.model.get_output_embeddings()
    unembedding = out.weight[right] - out.weight[wrong]
    rest = unembedding @ norm.bias
    if out.bias is not None:
        rest = rest + out.bias[right] - out.bias[wrong]
    along = unembedding * norm.weight
    along = along - along.mean(1, keepdim=True)
    scale = (ended.var(1, correction=0, keepdim=True) + norm.eps).sqrt()
    return along / scale, rest


def embedded_parts(
    network: Network, ids: np.ndarray, column: np.ndarray, along: Tensor
) -> list[Float[Tensor, "steps"]]:
    """What the token's embedding writes, and its position's where it is learned."""
    parts = [network.model.get_input_embeddings()(torch.from_numpy(ids).long())]
    if network.is_learned:
        parts.append(network.model.transformer.wpe(torch.from_numpy(column)))
    return [(part * along).sum(1) for part in parts]


@torch.no_grad()
def by_source(
    network: Network, asked: Asked, sources: Float[Tensor, "steps pos sources"]
) -> Float[Tensor, "steps layers heads sources"]:
    """What each head writes to the difference, by what it is read off.

    sources: how much of each source a token is.
    """
    run, row, column = asked.run, asked.row, asked.column
    found = []
    for layer in range(network.layers):
        query, key = run.queries[layer][row, :, column], run.keys[layer][row]
        scores = (key @ query[..., None])[..., 0] * query.shape[-1] ** -0.5
        hidden = torch.arange(key.shape[2]) > torch.from_numpy(column)[:, None, None]
        weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
        matrix = network.output_matrix(layer)
        wanted = torch.einsum("hew,sw->she", matrix, asked.along)
        worth = (run.values[layer][row] @ wanted[..., None])[..., 0]
        found.append((weights * worth) @ sources)
    return torch.stack(found, 1)
