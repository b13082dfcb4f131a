"""A short run of the fuzzing of mazes: refused in one line, or still mazes."""

from dataclasses import replace

import pytest
from samples import one_question

from tools import fuzz, fuzz_mazes


@pytest.mark.parametrize("kind", fuzz_mazes.MAZE_KINDS)
def test_damaged_mazes_are_refused_or_are_mazes(kind, tmp_path):
    for target in fuzz_mazes.MAZE_KINDS[kind](tmp_path):
        counts, failures = fuzz.fuzz(target, range(60))
        assert failures == []
        assert counts["refused"] > 20


def test_what_is_checked_can_fail(few):
    mazes = one_question(few)
    assert fuzz_mazes.check_mazes(mazes) == "mazes"
    path, target = mazes.path.copy(), mazes.target.copy()
    path[3, 0, 1] = path[3, 0, 0]
    target[3] = mazes.origin[3]
    for changes in ({"path": path}, {"target": target}, {"origin": target + 1}):
        with pytest.raises(AssertionError):
            fuzz_mazes.check_mazes(replace(mazes, **changes))
