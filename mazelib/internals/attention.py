"""What attention heads look at, in the maze's terms: one number a maze and head.

    scores = head_scores(lens, mazes)          # arrays [mazes, layers, heads]
    head_table(scores.walled)                  # a row a head, with an interval

Scores are shares of a token's attention, so from 0 to 1, less what is expected when the
names of the cells looked at are shuffled: a head that does not heed them scores 0. That
expectation is exact. Another cell than the own one has any of the n² - 1 names equally
often, so it is one of m related cells with m / (n² - 1); an entry of the list, which
names two of the n² cells, names the own one with 2 / n².
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.dataset import MazeSet
from mazelib.internals.ablation import Replacement, replaced
from mazelib.internals.lens import MEMORY, Lens, Site, activations, read
from mazelib.internals.roles import Roles
from mazelib.intervals import bootstrap_mean

Pattern = Float[Tensor, "batch head query key"]
Looks = Float[Tensor, "batch head some key"]
"""The rows of a pattern that belong to some of the tokens."""
Relation = Bool[np.ndarray, "batch cells cells"]
Score = Float[np.ndarray, "batch head"]
Scores = Float[np.ndarray, "mazes layers heads"]


class HeadScores(NamedTuple):
    """For each maze and head, shares of attention.

    From the tokens of the path's cells, the mean over them, less the null: walled, to
    tokens of lattice neighbours that a wall parts from the cell; joined, of those that
    a passage joins to it; entries, to all four tokens of the list's entries that name
    it. walled_each, joined_each: to one such token of a neighbour, no null taken.

    In the list: own_cells, from an entry's semicolon and second cell to its own cells;
    previous, from each token to the one before.
    """

    walled: Scores
    joined: Scores
    entries: Scores
    own_cells: Scores
    previous: Scores
    walled_each: Scores
    joined_each: Scores


def head_scores(lens: Lens, mazes: MazeSet, memory: int = MEMORY) -> HeadScores:
    """The scores of every head on mazes of one question each."""
    sites = [Site("pattern", layer) for layer in range(lens.layers)]
    parts = []
    for part in activations(lens, mazes, sites, memory):
        some = mazes[part.rows]
        layers = [scores_of(part.values[s], part.roles, some) for s in sites]
        parts.append([np.stack(score, 1) for score in zip(*layers, strict=True)])
    return HeadScores(*(np.concatenate(score) for score in zip(*parts, strict=True)))


def scores_of(pattern: Pattern, roles: Roles, mazes: MazeSet) -> HeadScores:
    """The scores of one layer's heads, [mazes, heads] each."""
    lattice, passages = relations(mazes)
    looks = rows_at(pattern, roles.path)
    walled = towards(looks, roles, lattice & ~passages)
    joined = towards(looks, roles, passages)
    return HeadScores(
        walled.mass,
        joined.mass,
        own_entries(looks, roles, mazes.n),
        own_cells(pattern, roles),
        previous_token(pattern, roles),
        walled.each,
        joined.each,
    )


def rows_at(pattern: Pattern, position: Int[np.ndarray, "batch some"]) -> Looks:
    """The attention of the tokens at some positions; nothing where one is -1."""
    at = torch.from_numpy(position)
    heads, keys = pattern.shape[1], pattern.shape[3]
    rows = at.clamp(min=0)[:, None, :, None].expand(-1, heads, -1, keys)
    return pattern.gather(2, rows) * (at >= 0)[:, None, :, None]


def relations(mazes: MazeSet) -> tuple[Relation, Relation]:
    """Which cells are neighbours in the lattice, and which a passage joins."""
    n, count = mazes.n, len(mazes)
    cells = np.arange(n * n).reshape(n, n)
    lattice, passages = np.zeros((2, count, n * n, n * n), bool)
    for a, b, is_open in (
        (cells[:, :-1].ravel(), cells[:, 1:].ravel(), mazes.right),
        (cells[:-1].ravel(), cells[1:].ravel(), mazes.down),
    ):
        for one, other in ((a, b), (b, a)):
            lattice[:, one, other] = True
            passages[:, one, other] = is_open.reshape(count, -1)
    return lattice, passages


class Towards(NamedTuple):
    """Attention to the cells that stand in some relation to that of the token that
    looks: the share of it, less the null, and what one of their tokens gets."""

    mass: Score
    each: Score


def towards(looks: Looks, roles: Roles, relation: Relation) -> Towards:
    """How the tokens of the path's cells look at the cells related to theirs."""
    own, cells = roles.cell_at(roles.path), relation.shape[1]
    related = relation[np.arange(len(own))[:, None], own] & (own >= 0)[..., None]
    names = (roles.cell[..., None] == np.arange(cells)).astype(np.float32)
    by_cell = torch.einsum("bhsk,bkc->bhsc", looks, torch.from_numpy(names)).numpy()
    mass = (by_cell * related[:, None]).sum(-1)
    is_other = own[..., None] != np.arange(cells)
    null = (by_cell * is_other[:, None]).sum(-1)
    null = null * (related.sum(-1) / (cells - 1))[:, None]
    before = np.maximum(roles.path, 0)[..., None]
    tokens = np.take_along_axis(names.cumsum(1), before, 1) * related
    each = mass.sum(-1) / np.maximum(tokens.sum((1, 2)), 1)[:, None]
    return Towards(mean_over(mass - null, own >= 0), each)


def own_entries(looks: Looks, roles: Roles, n: int) -> Score:
    """Attention from the path's cells to entries that name them, less the null."""
    own = roles.cell_at(roles.path)
    names_it = (roles.edges[:, None] == own[..., None, None]).any(-1)
    by_entry = on_entries(looks, roles)
    mass = (by_entry * names_it[:, None]).sum(-1)
    return mean_over(mass - by_entry.sum(-1) * 2 / n**2, own >= 0)


def on_entries(
    looks: Looks, roles: Roles
) -> Float[np.ndarray, "batch head some entries"]:
    """The attention that falls to each entry of the list, all four tokens of it."""
    count, entries, tokens = roles.entry.shape
    keys = torch.from_numpy(roles.entry.reshape(count, 1, 1, -1)).clamp(min=0)
    found = looks.gather(3, keys.expand(-1, *looks.shape[1:3], -1)).numpy()
    found = found.reshape(*looks.shape[:3], entries, tokens).sum(-1)
    return found * (roles.first >= 0)[:, None, None]


def own_cells(pattern: Pattern, roles: Roles) -> Score:
    """Attention within an entry: from its semicolon to both cells, from the second cell
    to the first; the mean of the two."""
    found = []
    for query, keys in (
        (roles.semicolon, (roles.first, roles.second)),
        (roles.second, (roles.first,)),
    ):
        looks = rows_at(pattern, query)
        mass = sum(at_keys(looks, key) for key in keys)
        found.append(mean_over(mass, query >= 0))
    return np.mean(found, 0)


def at_keys(looks: Looks, key: Int[np.ndarray, "batch some"]) -> np.ndarray:
    """The attention of each token that looks to one position of its own."""
    at = torch.from_numpy(key).clamp(min=0)[:, None, :, None]
    return looks.gather(3, at.expand(-1, looks.shape[1], -1, -1))[..., 0].numpy()


def previous_token(pattern: Pattern, roles: Roles) -> Score:
    """Attention from the list's tokens, the first left out, to the token before."""
    before = pattern.diagonal(-1, 2, 3).numpy()
    return mean_over(before, np.arange(before.shape[2]) < roles.list_end[:, None])


def mean_over(
    values: Float[np.ndarray, "batch head some"], counts: Bool[np.ndarray, "batch some"]
) -> Score:
    """The mean over the things that count, 0 where there is none."""
    total = (values * counts[:, None]).sum(-1)
    return total / np.maximum(counts.sum(-1), 1)[:, None]


def entry_attention(
    lens: Lens, mazes: MazeSet, head: tuple[int, int], replacement: Replacement
) -> Float[np.ndarray, "mazes"]:
    """The `entries` score of one head while something else is replaced."""
    site = Site("pattern", *head)
    found = []
    for part in activations(lens, mazes, []):
        with replaced(lens, replacement(part), part.roles):
            pattern = read(lens, part.batch, part.roles, [site])[site][:, None]
        looks = rows_at(pattern, part.roles.path)
        found.append(own_entries(looks, part.roles, mazes.n)[:, 0])
    return np.concatenate(found)


def received(
    lens: Lens, mazes: MazeSet, memory: int = MEMORY
) -> Float[np.ndarray, "mazes layers heads cells"]:
    """The attention that each cell's tokens get from the question and the path.

    The mean over the tokens that look, so that all cells together get at most 1. Only
    tokens of the list count: those that look name the origin and target themselves.
    """
    sites = [Site("pattern", layer) for layer in range(lens.layers)]
    found = []
    for part in activations(lens, mazes, sites, memory):
        roles, segment = part.roles, torch.from_numpy(part.batch.segment)
        asks = (segment == 1).float() / (segment == 1).sum(1, keepdim=True)
        names = roles.cell[..., None] == np.arange(mazes.n**2)
        names &= (part.batch.segment == 0)[..., None]
        keys = torch.from_numpy(names.astype(np.float32))
        layers = [
            torch.einsum("bq,bhqk,bkc->bhc", asks, part.values[site], keys)
            for site in sites
        ]
        found.append(torch.stack(layers, 1).numpy())
    return np.concatenate(found)


def head_table(scores: Scores) -> pd.DataFrame:
    """One row a head: its mean over mazes and the 95% bootstrap interval."""
    _, layers, heads = scores.shape
    rows = [
        {"layer": layer, "head": head, "score": values.mean()}
        | dict(zip(("from", "to"), bootstrap_mean(values), strict=True))
        for layer in range(layers)
        for head in range(heads)
        for values in [scores[:, layer, head]]
    ]
    return pd.DataFrame(rows)


def best_head(scores: Scores) -> tuple[int, int]:
    """The layer and head with the highest mean."""
    mean = scores.mean(0)
    layer, head = np.unravel_index(mean.argmax(), mean.shape)
    return int(layer), int(head)
