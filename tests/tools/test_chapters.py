"""A chapter is run once, and again when something that it reads has changed."""

import json
import shutil

import pytest

from tools import chapters

CHAPTER = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "one",
            "metadata": {},
            "outputs": [],
            "source": ["import mazelib, os\n", "print(os.environ['OMP_NUM_THREADS'])"],
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "p", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def write(path, notebook=CHAPTER):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def project(checkout):
    """Two chapters, a module, a table, and a hypothesis with its record."""
    write(checkout / "book/01_one.ipynb")
    write(checkout / "book/02_two.ipynb")
    toc = "chapters:\n- file: 01_one\n- file: 02_two\n"
    (checkout / "book/_toc.yml").write_text(toc)
    entry = {"id": "bold", "chapter": "01_one", "seeds": [], "kind": "outcome"}
    texts = ("says", "asks", "metric", "model", "mazes", "control", "why")
    entry |= dict.fromkeys(texts, "-")
    entry |= {"supported": {"at_least": 0.8}, "refuted": {"at_most": 0.2}}
    (checkout / "book/hypotheses.yml").write_text(json.dumps([entry]))
    (checkout / "mazelib/mazes").mkdir()
    (checkout / "mazelib/mazes/maze.py").write_text("ONE = 1\n")
    for name in ("table", "bold"):
        (checkout / f"data/results/{name}.json").write_text("{}")
    return checkout


@pytest.fixture
def ran(monkeypatch, project):
    """Run chapters, without a kernel; the names of those that were run."""
    names = []

    def execute(name):
        names.append(name)
        write(project / f"_build/executed/{name}.ipynb")
        known = {"key": chapters.key(name), "records": chapters.records(name)}
        (project / f"_build/executed/{name}.json").write_text(json.dumps(known))
        return chapters.Run(1.0, 1.0, "")

    monkeypatch.setattr(chapters, "execute", execute)

    def run(*asked, **options):
        names.clear()
        chapters.shared_key.cache_clear()
        chapters.run(asked, **options)
        return sorted(names)

    return run


def test_a_chapter_is_run_under_nbmake_and_its_outputs_are_kept(project):
    run = chapters.execute("01_one")
    assert run.error == ""
    assert run.processor > 0
    made = json.loads((project / "_build/executed/01_one.ipynb").read_text())
    assert "".join(made["cells"][0]["outputs"][0]["text"]) == "1\n"
    assert chapters.last_run("01_one")["key"] == chapters.key("01_one")
    source = json.loads((project / "book/01_one.ipynb").read_text())
    assert source["cells"][0]["outputs"] == []


def test_a_chapter_that_fails_ends_with_its_error_and_is_not_kept(project, capsys):
    broken = json.loads(json.dumps(CHAPTER))
    broken["cells"][0]["source"] = ["1 / 0"]
    write(project / "book/01_one.ipynb", broken)
    with pytest.raises(SystemExit, match="ZeroDivisionError"):
        chapters.run(["01_one"])
    assert "01_one failed after" in capsys.readouterr().out
    assert chapters.last_run("01_one") == {}


def test_what_was_run_is_not_run_again(ran, capsys):
    assert ran() == ["01_one", "02_two"]
    assert ran() == []
    assert "0 run in 0 s, 2 as they were run before" in capsys.readouterr().out
    assert ran("02_two", force=True) == ["02_two"]


@pytest.mark.parametrize(
    "name",
    [
        "mazelib/mazes/maze.py",
        "data/results/table.json",
        "requirements.lock",
        "book/hypotheses.yml",
    ],
)
def test_what_every_chapter_reads_makes_all_run_again(ran, project, name):
    ran()
    with open(project / name, "a") as file:
        file.write(" \n")
    assert ran() == ["01_one", "02_two"]
    assert ran() == []


def test_a_new_file_makes_all_run_again_but_no_hidden_one(ran, project):
    ran()
    (project / "data/.table.json.1.tmp").write_text("")
    assert ran() == []
    (project / "mazelib/more.py").write_text("")
    assert ran() == ["01_one", "02_two"]


def test_a_changed_cell_makes_its_chapter_run_again(ran, project):
    ran()
    changed = json.loads(json.dumps(CHAPTER))
    changed["cells"][0]["source"] = ["2"]
    write(project / "book/02_two.ipynb", changed)
    assert ran() == ["02_two"]


def test_outputs_that_a_reader_saved_do_not(ran, project):
    ran()
    saved = json.loads(json.dumps(CHAPTER))
    saved["cells"][0] |= {
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
    }
    write(project / "book/02_two.ipynb", saved)
    assert ran() == []


def test_a_record_that_is_not_as_its_chapter_left_it_makes_that_run_again(ran, project):
    ran()
    (project / "data/results/bold.json").write_text('{"value": 1}')
    assert ran() == ["01_one"]
    (project / "data/results/bold.json").unlink()
    assert ran() == ["01_one"]


def test_the_chapter_that_collects_is_run_last_and_again_for_a_record(
    ran, project, monkeypatch
):
    monkeypatch.setattr(chapters, "COLLECTS", "01_one")
    entry = json.loads((project / "book/hypotheses.yml").read_text())[0]
    text = json.dumps([entry | {"chapter": "02_two"}])
    (project / "book/hypotheses.yml").write_text(text)
    order = []
    execute = chapters.execute

    def noted(name):
        order.append(name)
        return execute(name)

    monkeypatch.setattr(chapters, "execute", noted)
    ran()
    assert order == ["02_two", "01_one"]
    assert ran() == []
    (project / "data/results/bold.json").write_text('{"value": 1}')
    assert ran() == ["01_one", "02_two"]


@pytest.mark.parametrize("left", ["{", "[]", '{"key": 1}', None])
def test_a_damaged_or_lost_run_is_none(ran, project, left):
    ran()
    if left is None:
        (project / "_build/executed/01_one.ipynb").unlink()
    else:
        (project / "_build/executed/01_one.json").write_text(left)
    assert ran() == ["01_one"]


def test_without_the_build_folder_all_are_run(ran, project):
    ran()
    shutil.rmtree(project / "_build")
    assert ran() == ["01_one", "02_two"]
