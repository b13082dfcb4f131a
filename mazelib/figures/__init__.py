"""Drawings of what the other rooms return; only chapters import them.

In: arrays, tables and an Axes. Out: figures in one palette, keyed by role, readable in
light and in dark.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["diagrams", "plots"],
    submod_attrs={
        "viewers": ["AttentionViewer", "LiveMaze"],
    },
)
