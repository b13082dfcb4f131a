"""Muon for a small transformer: equal-shaped matrices are orthogonalized as one batch.

    optimizers = make_optimizers(model, muon_lr=0.02, adamw_lr=3e-3)

Muon (K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024)
steps along the orthogonalized momentum of each hidden matrix. `torch.optim.Muon` does
so matrix by matrix, and on a CPU the many small products cost more than the model.
Here the matrices of one shape are stacked; a test holds the step equal to torch's.
"""

import math
from collections import defaultdict

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel

from mazelib.models.model import fast_dtype

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration, as in torch.optim.Muon."""


def orthogonalize(
    matrices: Float[Tensor, "batch rows cols"], steps: int = 5
) -> Float[Tensor, "batch rows cols"]:
    """Each matrix with its singular values near 1, by Newton–Schulz in `fast_dtype`."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.to(fast_dtype(matrices.device))
    is_tall = x.shape[1] > x.shape[2]
    if is_tall:
        x = x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(
            x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a
        )
    return x.mT if is_tall else x


class StackedMuon(torch.optim.Optimizer):
    """Muon with Nesterov momentum, batched over the matrices of one shape."""

    def __init__(self, params, lr: float = 0.02, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape[matrix.shape].append(matrix)
            for shape, matrices in by_shape.items():
                self._step_stack(matrices, shape, group["lr"], group["momentum"])

    def _step_stack(self, matrices, shape, lr: float, momentum: float) -> None:
        for matrix in matrices:
            if not self.state[matrix]:
                self.state[matrix]["momentum"] = torch.zeros_like(matrix)
        moments = [self.state[matrix]["momentum"] for matrix in matrices]
        gradients = [matrix.grad for matrix in matrices]
        torch._foreach_lerp_(moments, gradients, 1 - momentum)
        updates = torch._foreach_lerp(gradients, moments, momentum)
        directions = orthogonalize(torch.stack(updates)).to(matrices[0].dtype)
        scale = lr * math.sqrt(max(1, shape[0] / shape[1]))
        torch._foreach_add_(matrices, list(directions.unbind()), alpha=-scale)


def hidden_matrices(model: PreTrainedModel) -> list[torch.nn.Parameter]:
    """The weight matrices inside the transformer blocks."""
    blocks = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList))
    return [p for p in blocks.parameters() if p.ndim == 2]


def make_optimizers(
    model: PreTrainedModel, muon_lr: float, adamw_lr: float
) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, norms and biases.

    A Muon rate of 0 leaves everything to AdamW.
    """
    hidden = hidden_matrices(model) if muon_lr else []
    taken = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if id(p) not in taken]
    options = {"betas": (0.9, 0.98), "weight_decay": 0.0}
    fused = model.device.type == "cuda"  # one kernel for all
    adamw = torch.optim.AdamW(rest, lr=adamw_lr, fused=fused, **options)
    return [StackedMuon(hidden, lr=muon_lr), adamw] if hidden else [adamw]
