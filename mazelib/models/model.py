"""A model's shape → a Hugging Face causal LM; batches → its inputs.

    config = MazeModelConfig(layers=4, width=64)
    model = build(config, seed=0)                     # GPTNeoXForCausalLM, untrained
    logits = model(**inputs(mazes.encode(config.tokenizer))).logits   # [batch, pos, id]

Learned positions make a GPT2LMHeadModel, rotary ones (Su et al., arXiv 2104.09864) a
GPTNeoXForCausalLM with sequential residuals. Both have LayerNorm, a GELU MLP, untied
embeddings and no dropout, so the tools for those classes work on them as they are.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
)

from mazelib.dataset.stream import Batch
from mazelib.errors import MazelibError, check_fields
from mazelib.models.mask import attention_mask
from mazelib.tokens.encoding import LIST_SEGMENT
from mazelib.tokens.tokenizer import Tokenizer

POSITIONS = ("rotary", "learned")
IGNORED = -100
"""The label of a token that the loss leaves out (torch's default)."""
MYOPIC = ("myopic", "myopic-path")
"""Losses whose gradient does not go back to earlier tokens, or to those of the path:
what a token is for later ones is then not learned (Wu, Morris and Levine, "Do language
models plan ahead for future tokens?", arXiv 2404.00859)."""


@dataclass(frozen=True)
class MazeModelConfig:
    """The shape of a model.

    scheme, side: its vocabulary (see `Tokenizer`); side is that of the largest grid.
    layers, width, heads: transformer blocks, residual width, attention heads a block.
    positions: "rotary" or "learned".
    max_positions: longest sequence, in tokens.

    Raises MazelibError for a value out of range.
    """

    scheme: str = "ut"
    side: int = 7
    layers: int = 6
    width: int = 128
    heads: int = 4
    positions: str = "rotary"
    max_positions: int = 512

    def __post_init__(self):
        checks = [
            ("layers", self.layers >= 1, "at least 1"),
            ("heads", self.heads >= 1, "at least 1"),
            (
                "width",
                self.width >= 2 and self.width % (2 * max(self.heads, 1)) == 0,
                f"a multiple of twice the heads, {2 * self.heads}",
            ),
            (
                "positions",
                self.positions in POSITIONS,
                f"one of {', '.join(POSITIONS)}",
            ),
            ("max_positions", self.max_positions >= 1, "at least 1"),
        ]
        check_fields(self, checks)
        assert self.tokenizer  # its own checks

    @property
    def tokenizer(self) -> Tokenizer:
        """The vocabulary that the model is made for."""
        return Tokenizer(self.scheme, self.side)

    def to_hugging_face(self) -> GPT2Config | GPTNeoXConfig:
        """The same shape as a Hugging Face config."""
        vocabulary = self.tokenizer.vocabulary
        ids = {
            "vocab_size": len(vocabulary),
            "pad_token_id": None,  # else every forward without a mask warns
            "bos_token_id": None,
            "eos_token_id": vocabulary.index("<PATH_END>"),
            "tie_word_embeddings": False,
        }
        if self.positions == "learned":
            return GPT2Config(
                n_layer=self.layers,
                n_embd=self.width,
                n_head=self.heads,
                n_positions=self.max_positions,
                activation_function="gelu",
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                **ids,
            )
        return GPTNeoXConfig(
            num_hidden_layers=self.layers,
            hidden_size=self.width,
            num_attention_heads=self.heads,
            intermediate_size=4 * self.width,
            max_position_embeddings=self.max_positions,
            use_parallel_residual=False,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 1.0,
            },
            **ids,
        )


def has_learned_positions(model: PreTrainedModel) -> bool:
    """Is it a GPT2LMHeadModel? Else it is a GPTNeoXForCausalLM, with rotary ones."""
    return model.config.model_type == "gpt2"


def network_class(config: MazeModelConfig) -> type[PreTrainedModel]:
    """The class of a model of this shape."""
    return GPT2LMHeadModel if config.positions == "learned" else GPTNeoXForCausalLM


def build(config: MazeModelConfig, seed: int = 0) -> PreTrainedModel:
    """An untrained model; the same seed gives the same weights. It is in eval mode."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = network_class(config)(config.to_hugging_face()).eval()
    model.generation_config.pad_token_id = 0
    return model


def fast_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, else float32."""
    if torch.device(device).type == "cuda":
        is_fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        is_fast = torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if is_fast else torch.float32


def inputs(batch: Batch, device: str | torch.device = "cpu") -> dict[str, Tensor]:
    """A batch as the keyword arguments of a model's forward.

    Sequences of one question need no mask: the model's own causal one is the same.
    """
    arguments = {
        "input_ids": torch.from_numpy(batch.ids).long().to(device),
        "position_ids": torch.from_numpy(batch.position).long().to(device),
    }
    if batch.segment.max(initial=0) > LIST_SEGMENT + 1:
        segment = torch.from_numpy(batch.segment).to(device)
        arguments["attention_mask"] = attention_mask(segment)
    return arguments


def labels(batch: Batch, loss: str = "path") -> Int[Tensor, "batch pos"]:
    """Each position's own token where the loss is to count it, else `IGNORED`.

    loss: "path" counts the path's cells and <PATH_END>, and so do the losses of
    `MYOPIC`; "sequence" every token but a sequence's first and those that open a packed
    question, which the token before them cannot know of.
    """
    if loss == "path" or loss in MYOPIC:
        counted = torch.from_numpy(batch.answer)
    elif loss == "sequence":
        segment = torch.from_numpy(batch.segment)
        opens = torch.ones_like(segment, dtype=torch.bool)
        opens[:, 1:] = (segment[:, 1:] != segment[:, :-1]) & (segment[:, 1:] > 1)
        counted = (segment >= LIST_SEGMENT) & ~opens
    else:
        known = ", ".join(("path", "sequence", *MYOPIC))
        raise MazelibError(f"loss is {loss!r}: choose from {known}")
    return torch.from_numpy(batch.ids).long().masked_fill(~counted, IGNORED)


class Predictions(NamedTuple):
    """The likeliest id at each position, given the true ones before; its probability.

    Position 0, which nothing comes before, holds 0.
    """

    ids: Int[Tensor, "batch pos"]
    probability: Float[Tensor, "batch pos"]


@torch.no_grad()
def predictions(model: PreTrainedModel, batch: Batch) -> Predictions:
    """What a model predicts at each position of a batch of sequences.

    Raises MazelibError for a sequence
    longer than a model with learned positions can take.
    """
    longest = int(batch.position.max(initial=0)) + 1
    if has_learned_positions(model) and longest > model.config.n_positions:
        raise MazelibError(
            f"a sequence of {longest} tokens is too long for the model, which has "
            f"learned {model.config.n_positions} positions"
        )
    logits = model(**inputs(batch, model.device)).logits
    probability, ids = logits[:, :-1].float().softmax(-1).max(-1)
    return Predictions(*(pad(x.cpu(), (1, 0)) for x in (ids, probability)))
