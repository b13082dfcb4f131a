"""A model's forward pass in parts: any part can be read, changed, and gone on from.

    network = Network(zoo.load("dfs5"))
    run = network.run(prompts)                    # all that is inside
    run.streams[3], run.mlps[3]                   # before layer 3; what its MLP writes
    network.written(3, run.read[3])               # what each of its heads writes
    network.resume(run, 3, 120, changed)          # logits, from layer 3 and column 120

A change at one token leaves all tokens before it as they were, in every layer, and all
layers before it. So `resume` works out the rest alone, with the keys and values that
the first run left behind. Weights are those of the model itself, in float32; a test
holds the logits equal to its own forward pass.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mazelib.errors import MazelibError
from mazelib.models.blocks import affine, blocks, last_norm, mlp, norm
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.model import has_learned_positions

DTYPE = torch.float32


class Prompts(NamedTuple):
    """Token sequences, padded on the right, each up to the token that is asked.

    ids: the tokens. end: the column of each sequence's last token, off which the next
    one is read.
    """

    ids: Int[np.ndarray, "batch pos"]
    end: Int[np.ndarray, "batch"]

    def those(self, some) -> "Prompts":
        """Some of them, without columns that none of them needs."""
        end = self.end[some]
        return Prompts(self.ids[some, : end.max(initial=0) + 1], end)


class Run(NamedTuple):
    """What is inside a network while it reads prompts, a list by layer.

    streams: the residual stream before each layer, and after the last. queries, keys,
    values: of each head, turned by their position where positions are rotary. read:
    what each head takes in by attention, before its output matrix ("z"). mlps: what
    each MLP writes. logits: of the token after each prompt.
    """

    prompts: Prompts
    streams: list[Float[Tensor, "batch pos width"]]
    queries: list[Float[Tensor, "batch head pos each"]]
    keys: list[Float[Tensor, "batch head pos each"]]
    values: list[Float[Tensor, "batch head pos each"]]
    read: list[Float[Tensor, "batch head pos each"]]
    mlps: list[Float[Tensor, "batch pos width"]]
    logits: Float[Tensor, "batch id"]

    def those(self, rows: Int[Tensor, "some"]) -> "Run":
        """That of some of the prompts, with the columns of all."""
        prompts = Prompts(*(part[rows.numpy()] for part in self.prompts))
        parts = ([part[rows] for part in each] for each in self[1:-1])
        return Run(prompts, *parts, self.logits[rows])


class Network:
    """A trained model, taken apart. Raises MazelibError for one in training mode."""

    def __init__(self, trained: TrainedModel):
        self.model, self.tokenizer = trained.model, trained.tokenizer
        if self.model.training:
            raise MazelibError(
                "the model is in training mode: call model.eval() before intervening"
            )
        self.blocks = list(blocks(self.model))
        self.heads = self.model.config.num_attention_heads
        self.width = self.model.config.hidden_size
        self.is_learned = has_learned_positions(self.model)

    @property
    def layers(self) -> int:
        """How many blocks it has."""
        return len(self.blocks)

    @property
    def each(self) -> int:
        """The width of a head."""
        return self.width // self.heads

    @torch.no_grad()
    def run(self, prompts: Prompts) -> Run:
        """Everything inside, for prompts.

        Raises MazelibError where learned positions end before a prompt does.
        """
        x, found = self.embedded(prompts), Run(prompts, [], [], [], [], [], [], None)
        for layer, block in enumerate(self.blocks):
            query, key, value = self.attention_inputs(layer, x)
            read = attended(query, key, value)
            middle = x + self.attention_output(layer, read)
            added = mlp(block, middle, DTYPE)
            parts = (x, query, key, value, read, added)
            for kept, part in zip(found[1:-1], parts, strict=True):
                kept.append(part)
            x = middle + added
        found.streams.append(x)
        at_end = x[torch.arange(len(x)), torch.from_numpy(prompts.end)]
        return found._replace(logits=self.unembedded(at_end))

    def embedded(self, prompts: Prompts) -> Float[Tensor, "batch pos width"]:
        """The residual stream before the first layer."""
        ids = torch.from_numpy(prompts.ids).long()
        x = self.model.get_input_embeddings()(ids)
        if not self.is_learned:
            return x
        most = self.model.config.n_positions
        if ids.shape[1] > most:
            raise MazelibError(
                f"a prompt of {ids.shape[1]} tokens is too long for the model, which "
                f"has learned {most} positions"
            )
        return x + self.model.transformer.wpe(torch.arange(ids.shape[1]))

    def attention_inputs(
        self, layer: int, x: Float[Tensor, "*batch pos width"], start: int = 0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of a layer, `[*batch, head, pos, each]`.

        x: the residual stream before it, from column `start` on.
        """
        block = self.blocks[layer]
        qkv = affine(block.qkv, norm(block.attention_norm, x, DTYPE))
        if self.is_learned:
            parts = qkv.unflatten(-1, (3, self.heads, self.each)).unbind(-3)
        else:
            parts = qkv.unflatten(-1, (self.heads, 3, self.each)).unbind(-2)
        query, key, value = (part.transpose(-2, -3) for part in parts)
        if self.is_learned:
            return query, key, value
        return self.turned(query, start), self.turned(key, start), value

    def split_attention_inputs(
        self,
        layer: int,
        x: Float[Tensor, "3 head batch pos width"],
        start: int = 0,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same where a head's queries, keys and values see a stream each.

        Each `[batch, head, pos, each]`.
        """
        block = self.blocks[layer]
        weight, bias = block.qkv.weight, block.qkv.bias
        if self.is_learned:
            weight = weight.unflatten(1, (3, self.heads, self.each)).movedim(0, 2)
            bias = bias.unflatten(0, (3, self.heads, self.each))
        else:
            weight = weight.unflatten(0, (self.heads, 3, self.each)).movedim(1, 0)
            weight = weight.mT
            bias = bias.unflatten(0, (self.heads, 3, self.each)).transpose(0, 1)
        normed = norm(block.attention_norm, x, DTYPE)
        found = torch.einsum("ihbpw,ihwe->ibhpe", normed, weight)
        query, key, value = found + bias[:, None, :, None]
        if self.is_learned:
            return query, key, value
        return self.turned(query, start), self.turned(key, start), value

    def turned(
        self, x: Float[Tensor, "*batch pos each"], start: int = 0
    ) -> Float[Tensor, "*batch pos each"]:
        """Turned by position, from column `start` on (Su et al., arXiv 2104.09864)."""
        position = torch.arange(start, start + x.shape[-2])
        angle = position[:, None] * self.model.gpt_neox.rotary_emb.inv_freq
        cos, sin = (torch.cat([f(angle)] * 2, 1) for f in (torch.cos, torch.sin))
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin

    def output_matrix(self, layer: int) -> Float[Tensor, "head each width"]:
        """What turns what each head has read into what it writes."""
        module = self.blocks[layer].output
        weight = module.weight if self.is_learned else module.weight.mT
        return weight.unflatten(0, (self.heads, self.each))

    def written(
        self, layer: int, read: Float[Tensor, "*batch head pos each"]
    ) -> Float[Tensor, "*batch head pos width"]:
        """What each head writes to the residual stream, without the layer's bias."""
        return read @ self.output_matrix(layer)

    def attention_output(
        self, layer: int, read: Float[Tensor, "*batch head pos each"]
    ) -> Float[Tensor, "*batch pos width"]:
        """What the heads of a layer write together, with its bias."""
        return affine(self.blocks[layer].output, read.transpose(-2, -3).flatten(-2))

    def unembedded(
        self, x: Float[Tensor, "*batch width"]
    ) -> Float[Tensor, "*batch id"]:
        """The logits that are read off the residual stream after the last layer."""
        x = norm(last_norm(self.model), x, DTYPE)
        return affine(self.model.get_output_embeddings(), x)

    def resume(
        self,
        run: Run,
        layer: int,
        start: int,
        streams: Float[Tensor, "variant batch suffix width"],
    ) -> Float[Tensor, "variant batch id"]:
        """The logits after each prompt, when the residual stream is changed.

        streams: how it stands before `layer`, or after the last where `layer` is their
        number, from column `start` on, in several variants. Columns before `start`
        stay as they were in `run`.
        """
        x, end = streams, torch.from_numpy(run.prompts.end)
        row, asked = torch.arange(len(end)), end - start
        for number in range(layer, self.layers):
            query, key, value = self.attention_inputs(number, x, start)
            visible = None
            if number == self.layers - 1:  # nothing else is read off
                x = x[:, row, asked][:, :, None]
                query = query.transpose(2, 3)[:, row, asked].unsqueeze(-2)
                own = torch.arange(key.shape[-2])
                visible = (own <= asked[:, None])[:, None, None]
            kept = (part[number][:, :, :start] for part in (run.keys, run.values))
            read = attended_on(query, *kept, key, value, visible)
            x = x + self.attention_output(number, read)
            x = x + mlp(self.blocks[number], x, DTYPE)
        at_end = x[:, row, asked] if layer == self.layers else x[:, :, 0]
        return self.unembedded(at_end)


def attended(
    query: Float[Tensor, "*batch head query each"],
    key: Float[Tensor, "*batch head pos each"],
    value: Float[Tensor, "*batch head pos each"],
    end: Int[Tensor, "batch"] | None = None,
) -> Float[Tensor, "*batch head query each"]:
    """What each head reads: values by attention, each token seeing those before it.

    The queries are those of all columns; or one a sequence, of the column `end`.
    """
    if end is None:
        return scaled_dot_product_attention(query, key, value, is_causal=True)
    visible = (torch.arange(key.shape[-2]) <= end[:, None])[:, None, None]
    return scaled_dot_product_attention(query, key, value, visible)


def attended_on(
    query: Float[Tensor, "variant batch head query each"],
    kept_key: Float[Tensor, "batch head kept each"],
    kept_value: Float[Tensor, "batch head kept each"],
    key: Float[Tensor, "variant batch head own each"],
    value: Float[Tensor, "variant batch head own each"],
    visible: Bool[Tensor, "*any query own"] | None = None,
) -> Float[Tensor, "variant batch head query each"]:
    """The same of some last tokens, in variants that share all tokens before them.

    kept_key, kept_value: of those shared, all of which are seen. visible: which of the
    others each query sees; unless said, those before it. Nothing that is shared is
    copied.
    """
    if visible is None:
        column = torch.arange(key.shape[-2])
        visible = column <= column[:, None]
    scaled = query.movedim(0, 2) * query.shape[-1] ** -0.5  # batch, head, variant
    before = scaled.flatten(2, 3) @ kept_key.mT
    here = (scaled @ key.movedim(0, 2).mT).movedim(2, 0)
    here = here.masked_fill(~visible, -torch.inf).movedim(0, 2)
    scores = torch.cat([before.unflatten(2, scaled.shape[2:4]), here], -1)
    weights = scores.softmax(-1)
    seen, own = weights.split([kept_key.shape[-2], key.shape[-2]], -1)
    read = (seen.flatten(2, 3) @ kept_value).unflatten(2, scaled.shape[2:4])
    return (read + own @ value.movedim(0, 2)).movedim(2, 0)
