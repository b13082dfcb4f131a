"""The gradient of a batch: its parts worked out side by side, one in each thread.

    gradients = Gradients(model, parts=2)
    loss = gradients(batch, count=torch.tensor(90))    # and parameters have their .grad

A small model's products are too small to be shared among cores: two threads that work
on half a batch each are faster than two that share every product of the whole.
Parts are summed in order, so the same number of parts gives the same bits.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mazelib.dataset import Batch
from mazelib.model import IGNORED, fast_dtype, inputs, labels, packed_inputs


def autocast(device: str):
    """bfloat16 where the hardware multiplies it, else a context that does nothing."""
    dtype = fast_dtype(device)
    return nullcontext() if dtype == torch.float32 else torch.autocast(device, dtype)


class Gradients:
    """Works out the gradient of a batch's loss.

    model: a causal LM, or one wrapped for several processes.
    parts: how many threads share a batch; 1 leaves it to torch.
    kind: which tokens count (see `mazelib.model.labels`).
    """

    def __init__(self, model: torch.nn.Module, parts: int = 1, kind: str = "path"):
        self.model, self.parts, self.kind = model, parts, kind
        self.parameters = list(model.parameters())
        self.device = self.parameters[0].device
        self.is_lean = self.device.type == "cpu"
        if self.is_lean:
            getattr(model, "module", model).set_attn_implementation("lean")
        self.threads = ThreadPoolExecutor(parts, initializer=_use_one_core)

    def loss(self, batch: Batch) -> Tensor:
        """The negative log-likelihood of the tokens that count: their sum, in nats."""
        targets = labels(batch, self.kind)[:, 1:].to(self.device, non_blocking=True)
        given = packed_inputs(batch) if self.is_lean else inputs(batch, self.device)
        with autocast(self.device.type):
            logits = self.model(**given).logits[:, :-1]
        return cross_entropy(
            logits.flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )

    def __call__(self, batch: Batch, count: Tensor) -> Tensor:
        """The batch's loss divided by `count`; every parameter has its gradient."""
        if self.parts == 1:
            loss = self.loss(batch) / count
            loss.backward()
            return loss.detach()
        shares = [
            Batch(*(array[i :: self.parts] for array in batch))
            for i in range(self.parts)
        ]
        losses, gradients = zip(
            *self.threads.map(lambda share: self._part(share, count), shares),
            strict=True,
        )
        for parameter, *parts in zip(self.parameters, *gradients, strict=True):
            parameter.grad = sum(parts[1:], start=parts[0])
        return sum(losses)

    def _part(self, batch: Batch, count: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        loss = self.loss(batch) / count
        return loss.detach(), torch.autograd.grad(loss, self.parameters)


def _use_one_core() -> None:
    torch.set_num_threads(1)
