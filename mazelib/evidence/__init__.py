"""Hypotheses, what was measured for them, intervals, and the numbers that texts say.

In: numbers. Out: verdicts by thresholds that were set beforehand (book/hypotheses.yml),
records and tables in data/results, and a check that a chapter's text says what its run
gave.

    low, high = wilson(950, 1000)
    record("solves", 0.95, 1000, (low, high), control=0.56)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["intervals"],
    submod_attrs={
        "hypotheses": ["hypothesis"],
        "ledger": ["ledger"],
        "records": ["RESULTS", "record", "results", "verdict"],
        "tables": ["read_table", "replace_rows", "rows_of"],
        "threads": ["one_thread"],
        "intervals": [
            "as_text",
            "bootstrap_groups",
            "bootstrap_mean",
            "student",
            "wilson",
        ],
        "numbers": ["Numbers", "expect"],
        "verdicts": ["verdict_table"],
    },
)
