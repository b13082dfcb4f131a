"""One thread for a process, so that numbers are the same on any machine."""

import os

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
"""The environment of a process that computes with one thread: see `one_thread`."""


def one_thread() -> None:
    """Let this process compute with one thread, whatever the machine has.

    Sums are rounded otherwise with two threads than with one, and two processes that
    each use both cores slow each other many times over. For chapters, experiments and
    tests; training shares its work among processes instead.
    """
    import torch
    from threadpoolctl import threadpool_limits

    os.environ.update(ONE_THREAD)  # for libraries that are loaded later
    torch.set_num_threads(1)
    threadpool_limits(1)
