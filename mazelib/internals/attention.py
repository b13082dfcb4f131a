"""What attention heads look at, in the maze's terms: one number a maze and head.

    scores = head_scores(lens, mazes)          # arrays [mazes, layers, heads]
    best_head(scores.entries)                  # the layer and head with the most

Scores are shares of a token's attention, so from 0 to 1. Where they say to which cells
it goes, what is expected when the names of the cells looked at are shuffled is taken
off. That is known exactly: another cell than the own one has any of the n² - 1 names
equally often, so it is one of m related cells with m / (n² - 1); an entry of the list,
which names two of the n² cells, names the own one with 2 / n². Even attention does not
score 0 for that, since some cells are named oftener than others, but nearly.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.dataset.stream import MazeSet
from mazelib.internals.ablation import Head, Replacement, replaced
from mazelib.internals.lens import MEMORY, Lens, Site, activations, read
from mazelib.internals.roles import Roles

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
    a passage joins to it (the cell before on the path is one); entries, to all four
    tokens of the list's entries that name it. previous_cell, to the path's token
    before, and walled_each, joined_each, to one such token of a neighbour on average:
    no null taken.

    walled_from_list, walled_from_ends: as walled, from the list's cells, and from the
    origin and target that the question names.

    In the list, the mean over its entries: from an entry's semicolon to its first cell,
    to its second and to its connector, and from its second cell to its first and to its
    connector. previous, the mean over the list's tokens: to the token before.
    """

    walled: Scores
    joined: Scores
    entries: Scores
    previous_cell: Scores
    walled_each: Scores
    joined_each: Scores
    walled_from_list: Scores
    walled_from_ends: Scores
    semicolon_to_first: Scores
    semicolon_to_second: Scores
    second_to_first: Scores
    semicolon_to_connector: Scores
    second_to_connector: Scores
    previous: Scores

    @property
    def lattice(self) -> Scores:
        """To the tokens of lattice neighbours, passage or wall, less the null."""
        return self.walled + self.joined

    @property
    def own_cells(self) -> Float[np.ndarray, "mazes *heads"]:
        """From an entry's semicolon to both cells and from the second cell to the
        first: the mean of the two."""
        semicolon = self.semicolon_to_first + self.semicolon_to_second
        return (semicolon + self.second_to_first) / 2


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
    walls, path = lattice & ~passages, roles.path
    walled = towards(pattern, roles, path, walls)
    joined = towards(pattern, roles, path, passages)
    listed = np.concatenate([roles.first, roles.second], 1)
    ends = np.stack([roles.origin, roles.target], 1)
    return HeadScores(
        walled.mass,
        joined.mass,
        own_entries(rows_at(pattern, path), roles, mazes.n),
        one_to_one(pattern, path[:, 1:], path[:, :-1]),
        walled.each,
        joined.each,
        towards(pattern, roles, listed, walls).mass,
        towards(pattern, roles, ends, walls).mass,
        one_to_one(pattern, roles.semicolon, roles.first),
        one_to_one(pattern, roles.semicolon, roles.second),
        one_to_one(pattern, roles.second, roles.first),
        one_to_one(pattern, roles.semicolon, roles.connector),
        one_to_one(pattern, roles.second, roles.connector),
        previous_token(pattern, roles),
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


def towards(
    pattern: Pattern,
    roles: Roles,
    query: Int[np.ndarray, "batch some"],
    relation: Relation,
) -> Towards:
    """How tokens that name cells, at some positions, look at the cells related to
    theirs."""
    own, cells = roles.cell_at(query), relation.shape[1]
    related = relation[np.arange(len(own))[:, None], own] & (own >= 0)[..., None]
    names = (roles.cell[..., None] == np.arange(cells)).astype(np.float32)
    looks = rows_at(pattern, query)
    by_cell = torch.einsum("bhsk,bkc->bhsc", looks, torch.from_numpy(names)).numpy()
    mass = (by_cell * related[:, None]).sum(-1)
    is_other = own[..., None] != np.arange(cells)
    null = (by_cell * is_other[:, None]).sum(-1)
    null = null * (related.sum(-1) / (cells - 1))[:, None]
    before = np.maximum(query, 0)[..., None]
    tokens = np.take_along_axis(names.cumsum(1), before, 1) * related
    each = mass.sum(-1) / np.maximum(tokens.sum((1, 2)), 1)[:, None]
    return Towards(mean_over(mass - null, own >= 0), each)


def own_entries(looks: Looks, roles: Roles, n: int) -> Score:
    """Attention from the path's cells to entries that name them, less the null."""
    own = roles.cell_at(roles.path)
    names_it = (roles.edges[:, None] == own[..., None, None]).any(-1)
    by_entry = on_entries(looks, roles).sum(-1)
    mass = (by_entry * names_it[:, None]).sum(-1)
    return mean_over(mass - by_entry.sum(-1) * 2 / n**2, own >= 0)


def on_entries(
    looks: Looks, roles: Roles
) -> Float[np.ndarray, "batch head some entries 4"]:
    """The attention that falls to each of the four tokens of each entry."""
    count, entries, tokens = roles.entry.shape
    keys = torch.from_numpy(roles.entry.reshape(count, 1, 1, -1)).clamp(min=0)
    found = looks.gather(3, keys.expand(-1, *looks.shape[1:3], -1)).numpy()
    found = found.reshape(*looks.shape[:3], entries, tokens)
    return found * (roles.first >= 0)[:, None, None, :, None]


def on_own_entries(looks: Looks, roles: Roles) -> Float[np.ndarray, "batch head 2 4"]:
    """Attention from the path's cells to the tokens of entries that name them.

    By whether an entry names the cell first or second, and by its four tokens.
    """
    own = roles.cell_at(roles.path)
    is_side = (roles.edges[:, None] == own[..., None, None]) & (own >= 0)[
        ..., None, None
    ]
    by_token = on_entries(looks, roles)
    total = np.einsum("bhset,bsew->bhwt", by_token, is_side.astype(np.float32))
    return total / (own >= 0).sum(1)[:, None, None, None]


def one_to_one(
    pattern: Pattern,
    query: Int[np.ndarray, "batch some"],
    key: Int[np.ndarray, "batch some"],
) -> Score:
    """Attention from tokens to one token each, such as one of the same entry."""
    looks, at = rows_at(pattern, query), torch.from_numpy(key).clamp(min=0)
    at = at[:, None, :, None].expand(-1, looks.shape[1], -1, -1)
    return mean_over(looks.gather(3, at)[..., 0].numpy(), query >= 0)


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
    lens: Lens, mazes: MazeSet, head: Head, replacement: Replacement
) -> tuple[Float[np.ndarray, "mazes"], Float[np.ndarray, "mazes 2 4"]]:
    """How one head looks at entries while something else in the network is replaced.

    Its `entries` score, and by which token (see `on_own_entries`).
    """
    site, scores, tokens = Site("pattern", *head), [], []
    for part in activations(lens, mazes, []):
        with replaced(lens, replacement(part), part.roles):
            pattern = read(lens, part.batch, part.roles, [site])[site][:, None]
        looks = rows_at(pattern, part.roles.path)
        scores.append(own_entries(looks, part.roles, mazes.n)[:, 0])
        tokens.append(on_own_entries(looks, part.roles)[:, 0])
    return np.concatenate(scores), np.concatenate(tokens)


def best_head(scores: Scores) -> Head:
    """The layer and head with the highest mean."""
    mean = scores.mean(0)
    layer, head = np.unravel_index(mean.argmax(), mean.shape)
    return int(layer), int(head)
