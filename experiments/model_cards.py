"""The README of a model's folder: how to open it, how it was made, how well it does.

    text = model_card("dfs5", stages, card, table)

stages: the runs of its recipe. table: `mazelib.behaviour.evaluation.evaluate` of it.
"""

import textwrap

import pandas as pd
import torch

from experiments.recipes import NOTES
from mazelib.training.recipe import TrainConfig

Stages = tuple[TrainConfig, ...]
TOKENS = {
    "ut": "one a cell; the list names the passages",
    "ctt": "five a cell, `(` `0` `,` `1` `)`; the list names the passages",
    "walls": "one a cell; the list names the walls",
}
LENGTHS = (0, 4, 8, 12, 16, 20, 30, 50, 100)
"""Path lengths, in steps, between which a model card divides the mazes."""


def stored_as(card: dict) -> torch.dtype:
    """float16, unless that is known to change an answer: then float32."""
    return torch.float32 if card["rounding"]["changed"] else torch.float16


def training_text(name: str, stages: Stages, card: dict) -> str:
    """How a model was trained, as a list."""
    recipe, shape = stages[0], card["model"]
    mazes, pool = recipe.mazes.mazes, recipe.mazes.pool
    begun = f"the weights of `{recipe.weights}`" if recipe.weights else "random weights"
    place = "anywhere" if recipe.mazes.spread else "in the corner"
    planned = "; then ".join(
        f"{stage.steps:,} in which the rates fall from {stage.muon_lr} for Muon and "
        f"{stage.adamw_lr} for AdamW to nothing"
        for stage in stages
    )
    took = f"{card['seconds'] / 3600:.1f} hours"
    if card["seconds"] < 3600:
        took = f"{card['seconds'] / 60:.0f} minutes"
    note = textwrap.fill(NOTES.get(name, ""), 84, subsequent_indent="  ")
    return f"""\
- Begun with {begun}, seed {card["seed"]}.
- Mazes: {mazes.generator}, {mazes.grid}×{mazes.grid}, {place} of a vocabulary of side
  {shape["side"]}{f", {pool} of them again and again" if pool else ""}; origin and
  target uniform over the cells.
- Tokens: {TOKENS[shape["scheme"]]} (`{shape["scheme"]}`).
- Shape: {shape["layers"]} layers, width {shape["width"]}, {shape["heads"]} heads,
  {shape["positions"]} positions.
- {card["questions"]:,} questions in {card["steps"]:,} steps of {recipe.batch} mazes and
  {took} ({card["hardware"]}); loss on the {recipe.loss}.
- Steps planned: {planned}.
- Again from nothing: `make train MODEL={name}`.{note and chr(10) + "- " + note}"""


def is_done(stages: Stages, card: dict) -> bool:
    """Has a model done all steps of its recipe?"""
    return card["steps"] == sum(stage.steps for stage in stages)


def rounding_text(stages: Stages, card: dict) -> str:
    """How a model's weights are stored, and what it changes."""
    changed, n = card["rounding"].values()
    dtype = str(stored_as(card)).removeprefix("torch.")
    if not is_done(stages, card):
        return f"It is on its way; its weights are stored, and were scored, in {dtype}."
    if not n:
        return f"Its weights came, and were scored, in {dtype}."
    return f"""\
Rounding the weights to float16 changes the answer to {changed} of {n:,} mazes; they are
stored in {dtype}."""


def scores_text(stages: Stages, card: dict, table: pd.DataFrame) -> str:
    """How well a model does on its test mazes, and where it fails."""
    metrics = card["metrics"]
    low, high = metrics["exact_ci"]
    lines = [
        f"| {bin.left + 1} to {bin.right} | {len(rows)} | {rows['exact'].mean():.3f} |"
        for bin, rows in table.groupby(pd.cut(table["steps"], LENGTHS), observed=True)
    ]
    wrong = table[~table["exact"]]
    kinds = wrong["outcome"].value_counts()
    failures = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    return f"""\
On {metrics["n"]:,} test mazes, none of which, nor a turn or mirror image, can be in any
training set: exact {metrics["exact"]:.4f} (95% interval {low:.4f} to {high:.4f}), valid
{metrics["valid"]:.4f}, target reached {metrics["reached_target"]:.4f}, right at
{metrics["fork_accuracy"]:.4f} of {metrics["forks"]:,} forks.
{rounding_text(stages, card)}

| steps in the path | mazes | exact |
|---|---|---|
{chr(10).join(lines)}

## Where it fails

Of {len(wrong)} mazes not solved exactly, how many end how: {failures}. Mazes of
another kind or size, and edge lists in another order than a random one, are outside its
training.
"""


def usage(name: str) -> str:
    """How to open a model, with mazelib and without."""
    return f"""\
    from mazelib.models import zoo
    trained = zoo.load("{name}")

Without mazelib, `AutoModelForCausalLM.from_pretrained` opens this folder, and
`AutoTokenizer.from_pretrained` its vocabulary. A sequence has no token in front of
`<ADJLIST_START>`. TransformerLens puts one there, `<PATH_END>`, before text that it is
given; tell it not to:

    from transformer_lens.model_bridge import TransformerBridge
    bridge = TransformerBridge.boot_transformers("data/models/{name}")
    bridge.cfg.default_prepend_bos = False
    logits = bridge(trained.tokenizer.to_text(ids))"""


def model_card(name: str, stages: Stages, card: dict, table: pd.DataFrame) -> str:
    """The model's README: what it is for, how it was made, how well it does."""
    purpose = "asking whether such a model searches"
    if stages[0].mazes.pool:
        purpose = "showing what it looks like to have memorized one's mazes"
    return f"""---
library_name: transformers
license: mit
---
# {name}

A transformer of {card["parameters"]:,} parameters that prints the shortest path through
a maze given as tokens. It is made for {purpose}, and for
nothing else.

{usage(name)}

## How it was trained

{training_text(name, stages, card)}

## How well it does

{scores_text(stages, card, table)}"""
