"""Networks of a given shape, their folders on disk, and the trained ones by name.

In: a `MazeModelConfig`, or a name. Out: a Hugging Face model with its tokenizer and
card; checkpoints are safetensors.

    model = build(MazeModelConfig(side=5, layers=8, width=96), seed=1)
    trained = zoo.load("dfs5")
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["zoo"],
    submod_attrs={
        "model": ["IGNORED", "MazeModelConfig", "build", "inputs", "labels"],
        "mask": ["attention_mask"],
        "checkpoint": ["TrainedModel"],
    },
)
