import time

from mazelib.dataset.prefetch import ordered_map


def test_ordered_map_keeps_order_and_works_ahead():
    started = []

    def slow(item: int) -> int:
        started.append(item)
        time.sleep(0.02 if item % 2 else 0)
        return item * item

    results = ordered_map(slow, range(20), workers=3)
    assert next(results) == 0
    time.sleep(0.1)
    assert len(started) > 1
    assert list(results) == [i * i for i in range(1, 20)]
