"""Working ahead in threads without reordering.

for square in ordered_map(lambda x: x * x, range(10), workers=2): ...
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """function(item) for each item, in order, worked out by threads that keep ahead."""
    if workers <= 0:
        yield from map(function, items)
        return
    items = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(function, item) for item in islice(items, 2 * workers)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(function, item) for item in islice(items, 1)]
