"""The loss that a model is trained on, in the form that its device is fastest with.

    loss = loss_for(model, "path")
    loss(batch)                            # in nats, summed over the tokens that count

`LeanLoss` for CPUs and `DenseLoss` for GPUs are the mathematics of `PlainLoss`, the
model's own forward; tests hold them equal.
"""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch
from mazelib.errors import MazelibError
from mazelib.models.model import IGNORED, MYOPIC, fast_dtype, inputs, labels
from mazelib.training.dense import DenseLoss
from mazelib.training.lean import LeanLoss


def loss_for(model: PreTrainedModel, kind: str = "path") -> nn.Module:
    """The loss for the device that a model is on.

    kind: which tokens count (see `mazelib.models.model.labels`).
    """
    form = LeanLoss if model.device.type == "cpu" else DenseLoss
    return form(model, kind)


def autocast(device: str):
    """bfloat16 where the hardware multiplies it, else a context that does nothing."""
    dtype = fast_dtype(device)
    return nullcontext() if dtype == torch.float32 else torch.autocast(device, dtype)


class PlainLoss(nn.Module):
    """The negative log-likelihood of the tokens that count: their sum, in nats.

    By the model's own forward, on any device. kind: which tokens count (see
    `mazelib.models.model.labels`). Raises MazelibError for a loss of `MYOPIC`: this
    forward's gradient goes back to all tokens.
    """

    def __init__(self, model: PreTrainedModel, kind: str = "path"):
        super().__init__()
        if kind in MYOPIC:
            raise MazelibError(f"loss is {kind!r}: take LeanLoss or DenseLoss for it")
        self.model, self.kind = model, kind

    def forward(self, batch: Batch) -> Tensor:
        """The batch's loss."""
        device = self.model.device
        targets = labels(batch, self.kind)[:, 1:].to(device, non_blocking=True)
        with autocast(device.type):
            logits = self.model(**inputs(batch, device)).logits[:, :-1]
        return cross_entropy(
            logits.flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
