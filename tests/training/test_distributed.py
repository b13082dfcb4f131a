"""Processes that share each batch reach the weights of one that works alone.

In float32: Muon's iteration in bfloat16 makes much of the smallest difference.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from filelock import FileLock
from samples import SHORT_RUN

from mazelib.training import snapshot
from mazelib.training.loop import LOCK, state_folder, train

PLACES = [str(Path(__file__).parents[i]) for i in (0, 1)]
ARGUMENTS = [
    "launch",
    "--multi_gpu",
    "--num_processes",
    "2",
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
    "--main_process_port",
    "0",
]
SCRIPT = """
import sys
import torch
torch.cpu._is_avx512_bf16_supported = lambda: False
from test_distributed import SHARED, train
train(SHARED, sys.argv[1], progress=False)
"""
SHARED = replace(SHORT_RUN, steps=6, evaluate_every=3)


def weights(folder) -> torch.Tensor:
    tensors = snapshot.newest(state_folder(folder)).tensors
    return torch.cat([t.flatten() for k, t in tensors.items() if k.startswith("model")])


def train_in_two_processes(folder: Path, check: bool = True) -> tuple[int, str]:
    """Train `SHARED` by `accelerate launch`; the exit code, and what it says."""
    script = folder.parent / "script.py"
    script.write_text(f"import sys; sys.path[:0] = {PLACES}\n{SCRIPT}")
    accelerate = Path(sys.executable).with_name("accelerate")
    done = subprocess.run(
        [accelerate, *ARGUMENTS, script, folder],
        check=check,
        timeout=120,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def test_two_processes_reach_the_weights_of_one(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    train_in_two_processes(tmp_path / "two")
    with FileLock(state_folder(tmp_path / "two") / LOCK):  # none waits for another
        code, said = train_in_two_processes(tmp_path / "two", check=False)
    assert code != 0
    assert "two is where another process is training: wait" in said
    train(SHARED, tmp_path / "one", progress=False)
    train(replace(SHARED, batch=2), tmp_path / "half", progress=False)
    one, two, half = (weights(tmp_path / name) for name in ("one", "two", "half"))
    assert (one - two).norm() < 0.01 * (one - half).norm()


def test_a_run_of_one_process_with_helpers_goes_on_in_two(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    torch.set_num_threads(2)
    train(SHARED, tmp_path / "one", progress=False)
    torch.set_num_threads(1)
    assert snapshot.newest(state_folder(tmp_path / "one")).facts["parts"] == 2
    (state_folder(tmp_path / "one") / "00000006.json").unlink()
    (state_folder(tmp_path / "one") / "00000006.safetensors").unlink()
    train_in_two_processes(tmp_path / "one")
    state = snapshot.newest(state_folder(tmp_path / "one"))
    assert (state.step, state.facts["parts"]) == (6, 0)  # torch shares it
