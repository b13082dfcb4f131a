"""How a model is trained: recipe, loop, optimizers, gradients, and how runs resume.

In: a `TrainConfig` and a folder. Out: the trained model and its log, in that folder;
a run that was stopped goes on when it is started again, to the same weights.

    trained = train(TrainConfig(steps=500), "runs/mine")
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "recipe": ["TrainConfig"],
        "loop": ["train"],
        "sweep": ["sweep"],
        "validation": ["teacher_forced", "validation_mazes"],
    },
)
