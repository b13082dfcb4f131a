"""What follows when a model is changed inside: patching, circuits, steering.

In: a `Network` on a trained model, and minimal pairs made of mazes. Out: arrays by
layer, head and kind of token, and tables made of them. Nothing here draws.

    network = Network(zoo.load("dfs5"))
    pairs = targets_moved(mazes, network.tokenizer, rng)
    sweep(network, pairs, pairs.places()).recovery("stream", "target")
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "network": ["Network", "Prompts", "Run"],
        "pairs": [
            "Pairs",
            "lists_reordered",
            "origins_swapped",
            "targets_moved",
        ],
        "passages": ["edges_swapped", "passages_added", "passages_removed"],
        "patching": ["Effects", "sweep"],
        "paths": ["Sender", "paths_from"],
        "circuits": ["Graph", "circuit_effects", "edge_scores", "faithfulness"],
        "steering": ["Change", "steered", "steered_rollout"],
        "subspaces": ["Spot", "fit_subspace", "swapped"],
        "attribution": ["Attribution", "attribute", "read_off"],
    },
)
