"""A run that is killed, or whose disk fails, continues to the same weights."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from samples import SHORT_RUN

from mazelib.errors import MazelibError
from mazelib.models import checkpoint
from mazelib.training import snapshot
from mazelib.training.loop import state_folder, train

KILLED_AT_RENAMING = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import torch
from samples import SHORT_RUN
from mazelib.training import train
torch.set_num_threads(2)
left, rename = int(sys.argv[3]), os.replace
def replace(*names):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*names)
os.replace = replace
train(SHORT_RUN, sys.argv[2], progress=False)
"""


def tensors(folder) -> dict:
    return snapshot.newest(state_folder(folder)).tensors


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two threads that nothing interrupts."""
    torch.set_num_threads(2)
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(SHORT_RUN, folder, progress=False)
    torch.set_num_threads(1)
    return folder


def same_log(a, b) -> bool:
    rows = [
        [
            {k: v for k, v in json.loads(line).items() if k != "seconds"}
            for line in lines
        ]
        for lines in ((f / "log.jsonl").read_text().splitlines() for f in (a, b))
    ]
    return rows[0] == rows[1]


def test_killed_at_any_renaming_it_ends_in_the_same_bits(whole, tmp_path):
    folder, kills = tmp_path / "run", 0
    for renamings in (2, 4, 5, 7, 3, 10**6):
        arguments = [str(Path(__file__).parents[1]), str(folder), str(renamings)]
        code = subprocess.run([sys.executable, "-c", KILLED_AT_RENAMING, *arguments])
        kills += code.returncode == -signal.SIGKILL
    assert (kills, code.returncode) == (5, 0)
    want, got = tensors(whole), tensors(folder)
    assert want.keys() == got.keys()
    assert all(torch.equal(want[name], got[name]) for name in want)
    assert same_log(whole, folder)
    for name in (".", *(f"ladder/{step:06}" for step in SHORT_RUN.rungs)):
        cards = [checkpoint.read_card(f / name) for f in (whole, folder)]
        assert cards[0]["sha256"] == cards[1]["sha256"]
        checkpoint.load(folder / name)
    leftovers = [p.name for p in tmp_path.iterdir()]
    assert sorted(leftovers) == ["run", "run.state"]


def test_a_finished_run_started_again_is_left_as_it_is(whole):
    before = tensors(whole)
    seen = []
    model, log = train(SHORT_RUN, whole, lambda *row: seen.append(row), progress=False)
    assert not seen
    assert log[-1]["step"] == SHORT_RUN.steps
    shutil.rmtree(whole)
    train(SHORT_RUN, whole, progress=False)
    assert checkpoint.read_card(whole)["steps"] == SHORT_RUN.steps
    after = dict(model.state_dict())
    assert all(torch.equal(after[k], before[f"averaged.{k}"]) for k in after)


def damage(path, how: str) -> None:
    content = path.read_bytes()
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    else:
        path.unlink()


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
@pytest.mark.parametrize("how", ["truncated", "flipped", "removed"])
def test_a_damaged_state_is_named_and_the_one_before_used(tmp_path, suffix, how):
    for step in (1, 2, 3):
        snapshot.write(tmp_path, step, {"x": torch.full((9,), step)}, {"done": step})
    assert len(list(tmp_path.iterdir())) == 2 * snapshot.KEPT
    damage(tmp_path / f"00000003.{suffix}", how)
    if (suffix, how) == ("safetensors", "removed"):
        found = snapshot.newest(tmp_path)
    else:
        with pytest.warns(UserWarning, match=r"00000003\.safetensors is damaged"):
            found = snapshot.newest(tmp_path)
    assert found.step == found.facts["done"] == 2
    assert found.tensors["x"].tolist() == [2] * 9


def test_damaged_states_of_later_steps_do_not_outlive_new_ones(tmp_path):
    for step in (8, 12):
        snapshot.write(tmp_path, step, {"x": torch.ones(3)}, {"done": step})
        damage(tmp_path / f"{step:08}.safetensors", "truncated")
    for step in (0, 4):
        snapshot.write(tmp_path, step, {"x": torch.ones(3)}, {"done": step})
        assert snapshot.newest(tmp_path).step == step


def test_a_run_goes_on_without_the_model_it_began_with(tmp_path):
    train(SHORT_RUN, tmp_path / "first", progress=False)
    second = replace(SHORT_RUN, weights=str(tmp_path / "first"))
    short = replace(second, mazes=replace(SHORT_RUN.mazes, seed=1))
    log = train(short, tmp_path / "second", progress=False).log
    folder = state_folder(tmp_path / "second")
    (folder / f"{SHORT_RUN.steps:08}.json").unlink()
    shutil.rmtree(tmp_path / "first")
    with pytest.warns(UserWarning, match="is damaged"):
        again = train(short, tmp_path / "second", progress=False).log
    assert len(again) == len(log)
    for name in ("step", "questions", "loss"):
        assert [row[name] for row in again] == [row[name] for row in log]


TRAINS = """
import sys
sys.path.insert(0, sys.argv[1])
from samples import SHORT_RUN
from mazelib.training import train
def wait(*row):
    print("begun", flush=True)
    sys.stdin.read()
train(SHORT_RUN, sys.argv[2], wait, progress=False)
"""


def test_a_second_training_into_one_folder_is_told(tmp_path):
    folder = tmp_path / "run"
    arguments = [str(Path(__file__).parents[1]), str(folder)]
    first = subprocess.Popen(
        [sys.executable, "-c", TRAINS, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with first:
        assert first.stdout.readline() == b"begun\n"
        with pytest.raises(MazelibError, match="another process is training"):
            train(SHORT_RUN, folder, progress=False)
        first.kill()
    short = replace(SHORT_RUN, steps=4, ladder=0)
    with pytest.raises(MazelibError, match="holds a run with steps = 13, not 4"):
        train(short, folder, progress=False)  # the lock of a killed one is free
    train(SHORT_RUN, folder, progress=False)
    assert checkpoint.load(folder).card["steps"] == SHORT_RUN.steps


def test_a_training_that_cannot_begin_leaves_nothing(tmp_path):
    (tmp_path / "full").mkdir()
    with pytest.raises(MazelibError, match="full exists: name another"):
        train(SHORT_RUN, tmp_path / "full", progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(MazelibError, match="file/run cannot be written: make room"):
        train(SHORT_RUN, tmp_path / "file" / "run", progress=False)
    (tmp_path / "file").unlink()
    unknown = replace(SHORT_RUN, weights="no such model")
    with pytest.raises(MazelibError, match="no model 'no such model'"):
        train(unknown, tmp_path / "run", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_state_that_is_none_of_a_run_is_one_line(tmp_path):
    folder = state_folder(tmp_path / "run")
    facts = {"config": asdict(SHORT_RUN)}
    snapshot.write(folder, 1, {"x.y": torch.ones(3)}, facts)
    with pytest.raises(MazelibError, match="not one of this run"):
        train(SHORT_RUN, tmp_path / "run", progress=False)
    snapshot.write(folder, 2, {"x.y": torch.ones(3)}, {})
    with pytest.raises(MazelibError, match="holds a run with steps"):
        train(SHORT_RUN, tmp_path / "run", progress=False)
    (folder / "notes.safetensors").write_text("mine")
    assert snapshot.newest(folder).step == 2
    snapshot.write(folder, 3, {"x.y": torch.ones(3)}, {})
    assert (folder / "notes.safetensors").exists()


@pytest.mark.parametrize("note", ["[" * 9000, "[]", "3", '{"sha256": 1}', "\ud800"])
def test_a_damaged_note_of_a_state_is_passed_over(tmp_path, note):
    for step in (1, 2):
        snapshot.write(tmp_path, step, {"x": torch.ones(3)}, {"done": step})
    path = tmp_path / "00000002.json"
    path.write_bytes(note.encode("utf-8", "surrogatepass"))
    with pytest.warns(UserWarning, match="is damaged"):
        assert snapshot.newest(tmp_path).step == 1


def test_another_config_is_named_and_nothing_lost(tmp_path):
    train(SHORT_RUN, tmp_path / "run", progress=False)
    before = tensors(tmp_path / "run")
    model = replace(SHORT_RUN.model, layers=3)
    with pytest.raises(MazelibError, match=r"model.layers = 2, not 3: give the same"):
        train(replace(SHORT_RUN, model=model), tmp_path / "run", progress=False)
    after = tensors(tmp_path / "run")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_full_disk_is_named_and_the_state_before_kept(tmp_path):
    folder = tmp_path / "run"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    train(replace(SHORT_RUN, steps=4), folder, progress=False)
    before = tensors(folder)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))
        with pytest.raises(MazelibError, match=r"cannot be written .*make room"):
            snapshot.write(state_folder(folder), 9, before, {})
        with pytest.raises(MazelibError, match=r"cannot be written .*make room"):
            checkpoint.save(folder, checkpoint.load(folder).model, SHORT_RUN.model, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    after = tensors(folder)
    assert all(torch.equal(before[name], after[name]) for name in before)
    checkpoint.load(folder)
