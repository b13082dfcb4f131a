import fcntl
import os
import re
import signal
import subprocess
import sys

import psutil
import pytest

from mazelib import files
from mazelib.errors import MazelibError
from mazelib.files import remove_leftovers, replacing, replacing_folder, write_json


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
    assert path.read_text() == "one"

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("two")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "deep" / "model"
    for text in ("one", "two"):
        with replacing_folder(folder) as temporary:
            (temporary / f"{text}.txt").write_text(text)
    assert [p.name for p in folder.iterdir()] == ["two.txt"]

    def fail():
        with replacing_folder(folder) as temporary:
            (temporary / "three.txt").write_text("three")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in folder.iterdir()] == ["two.txt"]
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(MazelibError, match="no folder"),
        replacing(tmp_path / "no" / "a.txt"),
    ):
        pass


def test_a_folder_that_cannot_be_renamed_leaves_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    with replacing_folder(folder) as temporary:
        (temporary / "one.txt").write_text("one")
    rename = os.replace

    def full_disk(source, target):
        if str(source).endswith(".tmp"):
            raise OSError("disk")
        rename(source, target)

    def write():
        with replacing_folder(folder) as temporary:
            (temporary / "two.txt").write_text("two")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="disk"):
        write()
    assert [p.name for p in folder.iterdir()] == ["one.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_leftovers_of_one_name_are_cleared_and_nothing_else(tmp_path):
    ours = [".run.7.tmp", ".run.12.old", "run/.00000500.json.12.tmp"]
    others = [".run.1.77.tmp", ".run-2.7.tmp", ".a.b.tmp", "run/.vimrc.tmp", "mine.old"]
    (tmp_path / "run").mkdir()
    for name in ours + others:
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path / "run")
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(others)


def test_an_old_folder_that_has_no_new_one_is_put_back(tmp_path):
    (tmp_path / ".run.12.old").mkdir()
    (tmp_path / ".run.12.old" / "one.txt").write_text("one")
    remove_leftovers(tmp_path / "run")
    assert (tmp_path / "run" / "one.txt").read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_json_is_written_whole_in_a_folder_of_its_own(tmp_path):
    path = tmp_path / "new" / "facts.json"
    write_json(path, {"b": [1], "a": None}, indent=1)
    assert path.read_text() == '{\n "b": [\n  1\n ],\n "a": null\n}\n'
    with pytest.raises(TypeError):
        write_json(path, {"b": object()})
    (tmp_path / "file").write_text("")
    with pytest.raises(MazelibError, match="cannot be written"):
        write_json(tmp_path / "file" / "facts.json", {})
    assert [p.name for p in path.parent.iterdir()] == ["facts.json"]
    assert path.read_text().startswith('{\n "b"')


KILLED = """
import os, signal, sys
from pathlib import Path
from mazelib import files
rename = os.replace
def replace(a, b):
    if sys.argv[2] == "file" or str(a).endswith(".tmp"):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(a, b)
os.replace = replace
if sys.argv[2] == "file":
    with files.replacing(sys.argv[1]) as temporary:
        temporary.write_text("half")
else:
    with files.replacing_folder(sys.argv[1]) as temporary:
        (temporary / "one.txt").write_text("half")
"""


def killed(path, kind) -> list[str]:
    """Kill a process that writes to a path; what it leaves beside."""
    code = subprocess.run([sys.executable, "-c", KILLED, path, kind]).returncode
    assert code == -signal.SIGKILL
    return sorted(p.name for p in path.parent.iterdir() if p.name[0] == ".")


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    path = tmp_path / "a.txt"
    assert len(killed(path, "file")) == 1
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    folder = tmp_path / "model"
    with replacing_folder(folder) as temporary:
        (temporary / "one.txt").write_text("whole")
    assert len(killed(folder, "folder")) == 2  # the new one and the old one

    def fail():
        with replacing_folder(folder):
            assert (folder / "one.txt").read_text() == "whole"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_what_a_process_may_still_write_is_left(tmp_path):
    """One that runs, one of another machine, one with another name."""
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("x")
        mine = temporary.name
    machine = re.search(r"[0-9a-f]{8}", mine)[0]
    parent = os.getppid()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    kept = [
        f".a.txt.{machine}-{parent}.tmp",
        f".a.txt.00000000-{gone.pid}.tmp",
        f".b.txt.{machine}-{gone.pid}.tmp",
        f".a.txt.{gone.pid}.tmp",
    ]
    cleared = f".a.txt.{machine}-{gone.pid}.tmp"
    for name in [*kept, cleared]:
        (tmp_path / name).write_text("")
    with replacing(path) as temporary:
        temporary.write_text("y")
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {*kept, "a.txt"}
    # a number that has been given to another process since
    old = psutil.Process(parent).create_time() - 2 * files.CLOCKS
    os.utime(tmp_path / kept[0], (old, old))
    with replacing(path) as temporary:
        temporary.write_text("z")
    assert {p.name for p in tmp_path.iterdir()} == left - {kept[0]}


def test_a_leftover_that_cannot_be_removed_does_not_matter(tmp_path, monkeypatch):
    killed(tmp_path / "a.txt", "file")

    def refuse(*_, **__):
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(files, "_remove", refuse)
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_files_reach_the_disk_open_for_writing(tmp_path, monkeypatch):
    """As Windows asks."""
    seen, wait = [], os.fsync

    def fsync(number):
        seen.append(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE)
        wait(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    with replacing_folder(tmp_path / "model") as temporary:
        (temporary / "one.txt").write_text("x")
    assert seen == [os.O_RDWR] * 2
