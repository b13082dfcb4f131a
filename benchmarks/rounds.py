"""Two or more sides measured turn by turn in one run, reported as ratios."""

import statistics
import time
from collections.abc import Callable


def timed(work: Callable[[], int]) -> float:
    """How many pieces of work a second: `work` does some and says how many."""
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)


def compare(sides: dict[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Each side's rates, one a round; the sides take turns, after one unmeasured."""
    for work in sides.values():
        work()
    rates = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            rates[name].append(timed(work))
    return rates


def ratios(rates: dict[str, list[float]], to: str) -> dict[str, tuple[float, ...]]:
    """For every other side: the median of `to`'s rate over its, least and most."""
    found = {}
    for name in rates:
        if name != to:
            each = [a / b for a, b in zip(rates[to], rates[name], strict=True)]
            found[name] = (statistics.median(each), min(each), max(each))
    return found


def table(title: str, unit: str, rates: dict[str, list[float]], to: str) -> str:
    """The rates and the ratios as text."""
    lines = [title]
    found = ratios(rates, to)
    for name, each in rates.items():
        line = f"  {name:<34} {statistics.median(each):>9,.1f} {unit}"
        if name in found:
            middle, low, high = found[name]
            line += f"   ×{middle:.1f} ({low:.1f} to {high:.1f})"
        lines.append(line)
    return "\n".join(lines)
