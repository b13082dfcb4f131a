"""The gradient of a batch: its parts worked out side by side, each in its own process.

    gradients = Gradients(LeanLoss(model), parts=2)
    loss = gradients(batch, count=torch.tensor(90))    # and parameters have their .grad

A small model's products are too small to be shared among cores, and threads wait for
each other between them: two processes that work on half a batch each are faster. The
helpers see the parameters, and write their gradients, in memory that all share. A part
of long sequences is worked out in pieces of at most `PIECE` tokens. All are summed in
order, so the same number of parts gives the same bits.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor, nn

from mazelib.dataset.stream import Batch
from mazelib.errors import MazelibError

PIECE = 4096
"""Tokens worked on at once. Of more, what a layer makes is too large for the caches,
and is memory that the system takes back and clears each time."""


class Gradients:
    """Works out the gradient of a batch's loss.

    loss: a module that gives it, or one wrapped for several processes.
    parts: how many processes share a batch, a core each, this one among them; 0 leaves
        it to torch. For two and more the parameters move to memory that they share.
    """

    def __init__(self, loss: nn.Module, parts: int = 1):
        self.loss, self.parts = loss, parts
        self.parameters = list(loss.parameters())
        self.helpers = None

    def __call__(self, batch: Batch, count: Tensor) -> Tensor:
        """The batch's loss divided by `count`; every parameter has its gradient."""
        if self.parts == 0:
            loss = self.loss(batch) / count
            loss.backward()
            return loss.detach()
        mine, *others = (
            Batch(*(array[i :: self.parts] for array in batch))
            for i in range(self.parts)
        )
        if others:
            self.helpers = self.helpers or Helpers(self.loss, len(others))
            self.helpers.begin(others, count.item())
        with one_core():
            total, gradients = of_part(self.loss, mine, count, self.parameters)
        if others:
            losses = self.helpers.losses()
            for share, found in zip(losses, self.helpers.gradients, strict=True):
                total += share
                torch._foreach_add_(gradients, found)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        return total


def of_part(
    loss: nn.Module, part: Batch, count: Tensor | float, parameters: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """The loss of a part of a batch divided by `count`, and its gradients."""
    rows = max(1, PIECE // part.ids.shape[1])
    total, gradients = torch.zeros(()), [torch.zeros_like(p) for p in parameters]
    for at in range(0, len(part.ids), rows):
        share = loss(Batch(*(array[at : at + rows] for array in part))) / count
        torch._foreach_add_(gradients, torch.autograd.grad(share, parameters))
        total += share.detach()
    return total, gradients


class Helpers:
    """Processes that work out the gradients of parts of batches, a core each.

    gradients: what each has found last, tensors like the parameters.
    """

    def __init__(self, loss: nn.Module, count: int):
        parameters = list(loss.parameters())
        with tempfile.TemporaryDirectory(prefix="mazelib-") as folder:
            paths = [Path(folder, str(i)) for i in range(1 + count)]
            weights, *self.gradients = (shared_like(parameters, path) for path in paths)
            started = [start_helper() for _ in range(count)]
            self.pipes, self.processes = zip(*started, strict=True)
            weakref.finalize(self, end, self.processes)
            with someone_at_the_other_end():
                for pipe, path in zip(self.pipes, paths[1:], strict=True):
                    # torch would teach `send` to pass the memory of tensors on
                    pipe.send_bytes(pickle.dumps((loss, paths[0], path)))
            self.losses()  # none yet: all have opened their files
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.data = weight.copy_(parameter.data)

    def begin(self, batches: list[Batch], count: float) -> None:
        """Start on a batch for each helper. Raises MazelibError if one is gone."""
        with someone_at_the_other_end():
            for pipe, batch in zip(self.pipes, batches, strict=True):
                pipe.send((batch, count))

    def losses(self) -> list[float]:
        """The losses of what was begun, once it is done.

        Raises MazelibError if a helper is gone.
        """
        with someone_at_the_other_end():
            return [pipe.recv() for pipe in self.pipes]


@contextmanager
def someone_at_the_other_end() -> Iterator[None]:
    """A pipe whose other end is closed raises MazelibError within."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise MazelibError(
            "a process that helped this one with its batches was stopped: start the "
            "run again, it goes on from its last validation"
        ) from None


def start_helper() -> tuple[Connection, subprocess.Popen]:
    """Start a process that runs `help_out`; this end of a pipe to it, and itself.

    It ends with the process that holds this end. A child of multiprocessing would run
    the caller's script again.
    """
    mine, its = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "mazelib.training.gradients", str(its.fileno())],
        pass_fds=[its.fileno()],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,  # an interrupt is for the one that was started
    )
    its.close()
    return mine, process


def end(processes: tuple[subprocess.Popen, ...]) -> None:
    """End processes that have nothing to lose."""
    for process in processes:
        process.kill()
        process.wait()


def shared_like(tensors: list[Tensor], path: Path) -> list[Tensor]:
    """Tensors of the same shapes that lie in a file, for all who open it."""
    sizes = [tensor.numel() for tensor in tensors]
    whole = torch.from_file(str(path), shared=True, size=sum(sizes))
    parts = zip(whole.split(sizes), tensors, strict=True)
    return [part.view(tensor.shape) for part, tensor in parts]


@contextmanager
def one_core() -> Iterator[None]:
    """Torch works on one core within, on as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def help_out(pipe: Connection) -> None:
    """Answer each batch and its count with the loss; the gradients go to a file.

    What comes first is the loss as a module, and the files of weights and gradients,
    which are answered with a 0 when they are open.
    """
    torch.set_num_threads(1)
    loss, *paths = pipe.recv()
    parameters = list(loss.parameters())
    weights, gradients = (shared_like(parameters, path) for path in paths)
    for parameter, weight in zip(parameters, weights, strict=True):
        parameter.data = weight
    with suppress(EOFError, ConnectionError):
        pipe.send(0.0)
        while True:
            batch, count = pipe.recv()
            share, found = of_part(loss, batch, count, parameters)
            torch._foreach_copy_(gradients, found)
            pipe.send(share.item())


if __name__ == "__main__":
    help_out(Connection(int(sys.argv[1])))
