"""Memory that was freed is kept for what comes next.

    keep_freed_memory()     # once in a process that makes large arrays over and over

glibc asks the system for every array of more than 32 MiB, and gives it back when it is
freed, as it does with what is free at the end of its heap; the system clears each page
before it is used again. Without that a gradient takes about a tenth less time, and
TransformerLens on many mazes half (benchmarks/memory.py).
"""

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of mallopt, as malloc.h numbers them (man 3 mallopt)."""


def keep_freed_memory() -> bool:
    """Keep, from now on, what this process frees; False where there is no mallopt.

    The process then never takes less memory than it has taken at most.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library than glibc
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, -1)])
