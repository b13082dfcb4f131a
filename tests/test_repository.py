"""What is committed: one environment in two files, chapters without outputs."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
MODULES = sorted((ROOT / "mazelib").rglob("*.py"))
SCRIPTS = [p for name in ("tools", "benchmarks") for p in (ROOT / name).glob("*.py")]


def pins() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_environment_for_conda_is_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][-1]["pip"] == pins()


def test_lock_pins_every_package_exactly_and_all_that_the_project_names():
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins())
    locked = {pin.split("==")[0].lower().replace("_", "-") for pin in pins()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["book"], *extras["dev"]]
    names = {re.split(r"[<>=]", name)[0].lower() for name in wanted}
    assert names <= locked


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_have_no_outputs_and_short_cells(chapter):
    cells = json.loads(chapter.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in code)
    assert all(cell["execution_count"] is None for cell in code)
    lengths = [len("".join(cell["source"]).splitlines()) for cell in code]
    assert max(lengths) <= 15


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_tags_are_such_as_the_book_knows(chapter):
    cells = json.loads(chapter.read_text())["cells"]
    tags = {tag for cell in cells for tag in cell["metadata"].get("tags", [])}
    assert tags <= {"hide-input", "hide-output", "remove-input", "remove-cell"}


def test_no_figure_of_two_chapters_has_the_same_name():
    cells = [c for path in CHAPTERS for c in json.loads(path.read_text())["cells"]]
    figures = [c["metadata"].get("mystnb", {}).get("figure") for c in cells]
    names = [figure["name"] for figure in figures if figure]
    assert sorted(names) == sorted(set(names))


def test_every_chapter_is_in_the_table_of_contents():
    toc = (ROOT / "book" / "_toc.yml").read_text()
    assert all(f"file: {chapter.stem}" in toc for chapter in CHAPTERS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_modules_are_short_and_say_what_they_are(module):
    text = module.read_text()
    assert text.startswith('"""')
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES + SCRIPTS, ids=lambda path: path.stem)
def test_functions_are_short(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            said = ast.get_docstring(node) is not None
            first = node.body[1] if said and node.body[1:] else node.body[0]
            heading = node.body[0].lineno - node.lineno
            length = node.end_lineno - first.lineno + 1 + heading
            assert length <= 40, node.name


def test_no_pickle_is_committed():
    files = [p for p in (ROOT / "data").rglob("*") if p.is_file()]
    endings = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}
    assert not {p.suffix for p in files} & endings
