"""What models do: their paths, scored; forks, baselines, and mazes of other kinds.

In: a model, its tokenizer and a `MazeSet`. Out: paths, and tables with a row for each
question, fork or step. Nothing here looks inside a network.

    rows = evaluate(trained.model, trained.tokenizer, mazes)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["contrasts", "horizons", "metrics", "shifts", "stored"],
    submod_attrs={
        "evaluation": [
            "evaluate",
            "next_cells",
            "predicted_paths",
            "prompts",
            "summary",
        ],
        "forks": ["fork_table"],
        "baselines": ["SOLVERS", "fork_chances", "shortest_probability"],
    },
)
