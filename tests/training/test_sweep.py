from dataclasses import replace

import pytest
from samples import SHORT_RUN

from mazelib.errors import MazelibError
from mazelib.training.loop import train
from mazelib.training.sweep import sweep


def without_times(log: list[dict]) -> list[dict]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in log]


def test_a_sweep_gives_each_config_the_log_of_its_own_run(tmp_path):
    short = replace(SHORT_RUN, steps=4)
    configs = {
        f"seed{seed}": replace(short, mazes=replace(short.mazes, seed=seed))
        for seed in (0, 1)
    }
    logs = sweep(configs, tmp_path / "runs", jobs=2)
    for name, config in configs.items():
        alone = train(config, progress=False).log
        assert without_times(logs[name]) == without_times(alone)
    assert sweep(configs, tmp_path / "runs") == logs


def test_a_sweep_says_what_a_run_raises(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(MazelibError, match="taken exists"):
        sweep({"taken": SHORT_RUN}, tmp_path)
