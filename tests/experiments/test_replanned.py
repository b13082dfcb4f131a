"""The plan's direction goes from the cells of the right way to those of the other."""

import numpy as np
from samples import held_back

from experiments import pushes, replanned


def test_directions_go_from_the_right_cells_to_the_others():
    asked = pushes.asked_of(held_back(4, 80), leads=False)
    cells = asked.mazes.n**2
    weights = np.eye(cells)[None]  # a probe a cell, each along an axis of its own
    found = replanned.along(asked, weights)[0]
    for (sample, step, other), direction in zip(asked, found, strict=True):
        assert direction[other] == 1
        assert direction[sample.path[step + 1]] == -1
        assert direction[sample.path[: step + 1]].tolist() == [0] * (step + 1)
    np.testing.assert_allclose(np.linalg.norm(pushes.unit(found), axis=1), 1)
