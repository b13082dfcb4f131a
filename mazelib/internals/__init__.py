"""What the weights and activations hold: attention, heads, geometry, clusters, probes.

In: a `Lens` on a model, and mazes. Out: arrays by layer, head and token position, and
tables made of them. Nothing here draws.

    lens = open_lens(zoo.load("dfs5"))
    for part in activations(lens, mazes, [Site("pattern", 3)]):
        part.values[Site("pattern", 3)]       # [batch, head, pos, pos]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "attention",
        "clusters",
        "geometry",
        "logit_lens",
        "plans",
        "probes",
        "weights",
    ],
    submod_attrs={
        "lens": ["Lens", "Site", "activations", "open_lens"],
        "roles": ["ENTRY", "Roles", "roles_of"],
        "ablation": ["Head", "Replacement", "replaced"],
        "streams": ["at_role", "at_steps", "streams_at"],
        "ways": ["Forks"],
    },
)
