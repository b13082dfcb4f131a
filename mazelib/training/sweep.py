"""Several training runs side by side, each in its own folder, each one resumable.

    configs = {f"seed{s}": replace(config, mazes=replace(config.mazes, seed=s)) …}
    logs = sweep(configs, "runs/seeds", jobs=2)       # {"seed0": [row, …], …}

The runs go through joblib, so whatever runs its jobs runs these. On a Dask cluster that
shares the folder:

    from dask.distributed import Client
    from joblib import parallel_config
    Client("scheduler:8786")
    with parallel_config("dask"):
        logs = sweep(configs, "runs/seeds")
"""

from pathlib import Path

import torch
from joblib import Parallel, delayed

from mazelib.training.loop import train
from mazelib.training.recipe import TrainConfig


def sweep(
    configs: dict[str, TrainConfig],
    folder: str | Path,
    jobs: int | None = None,
    threads: int = 1,
) -> dict[str, list[dict]]:
    """Train each config in FOLDER/NAME; returns each run's log, by name.

    jobs: runs at a time; None takes what joblib's backend says (1, unless
        `joblib.parallel_config` names another). threads: cores for each run.

    Started again, finished runs are only read and unfinished ones go on. Raises what
    a run raises.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs = Parallel(n_jobs=jobs)(
        delayed(_log_of)(config, folder / name, threads)
        for name, config in configs.items()
    )
    return dict(zip(configs, runs, strict=True))


def _log_of(config: TrainConfig, folder: Path, threads: int) -> list[dict]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return train(config, folder, progress=False).log
    finally:
        torch.set_num_threads(before)
