"""What is committed: one environment in two files, chapters without outputs."""

import ast
import json
import re
import tomllib
from datetime import date
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import chapters

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
MODULES = sorted((ROOT / "mazelib").rglob("*.py"))
SCRIPTS = [p for name in ("tools", "benchmarks") for p in (ROOT / name).glob("*.py")]


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OLDEST = {"python_full_version": "3.11.0", "python_version": "3.11"}


def lines(name: str) -> list[str]:
    texts = (ROOT / name).read_text().splitlines()
    return [line for line in texts if not line.startswith("#")]


def pins(name: str = "requirements.lock") -> list[Requirement]:
    return [Requirement(line) for line in lines(name) if not line.startswith("-c ")]


def pinned(pin: Requirement) -> tuple[str, str]:
    return canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")


def test_environment_for_conda_is_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, _, packages = environment["dependencies"]
    assert packages["pip"] == lines("requirements.lock")
    promised = SpecifierSet(PROJECT["requires-python"])
    assert SpecifierSet(python.removeprefix("python")) == promised


@pytest.mark.parametrize("name", ["requirements.lock", "constraints-cuda.lock"])
def test_every_pin_is_exact(name):
    exact = re.compile(r"==[\w.]+")
    assert all(exact.fullmatch(str(pin.specifier)) for pin in pins(name))


def test_no_package_is_pinned_twice_for_one_system():
    both = pins() + pins("constraints-cuda.lock")
    for python in ("3.11.0", "3.11.5", "3.12.0", "3.13.0", "3.14.0"):
        minor = python.rpartition(".")[0]
        here = {"python_full_version": python, "python_version": minor}
        valid = [p for p in both if not p.marker or p.marker.evaluate(here)]
        assert len({pinned(pin)[0] for pin in valid}) == len(valid)


def test_lock_has_all_that_the_project_names_at_a_version_that_it_admits():
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(name for names in extras for name in names)]
    locked = dict(pinned(pin) for pin in pins())
    for need in map(Requirement, wanted):
        assert locked[canonicalize_name(need.name)] in need.specifier, need


def test_what_is_installed_can_be_installed_with_the_oldest_python():
    """But for what the lock pins for newer ones alone, beside another version."""
    valid = {pinned(p) for p in pins() if not p.marker or p.marker.evaluate(OLDEST)}
    installed = {(canonicalize_name(d.name), d.version): d for d in distributions()}
    needs = {pin: d.metadata["Requires-Python"] for pin, d in installed.items()}
    refused = {
        pin
        for pin in valid & needs.keys()
        if not SpecifierSet(needs[pin] or "").contains(OLDEST["python_full_version"])
    }
    assert len(valid & needs.keys()) > 100
    assert refused == set()


def test_citation_has_what_it_must_and_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"]
    assert all(author.get("name") for author in citation["authors"])
    assert isinstance(citation["date-released"], date)
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_the_container_has_a_python_that_is_promised_a_browser_and_the_set_up():
    file = ROOT / ".devcontainer" / "devcontainer.json"
    container = json.loads(file.read_text())
    version = re.fullmatch(r"python:(\d\.\d+)-\w+", container["image"])[1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")
    *_, browser, set_up = container["postCreateCommand"].split(" && ")
    assert browser.split()[-1] == "chromium-headless-shell"
    assert set_up == "make setup"
    assert re.search("^setup:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def commands() -> list[str]:
    """What pre-commit and the workflows run."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    found = [hook["entry"] for repo in hooks for hook in repo["hooks"]]
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(file.read_text())["jobs"].values()
        found += [step.get("run", "") for job in jobs for step in job["steps"]]
    return found


def test_what_hooks_and_workflows_run_is_there():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = "\n".join([*commands(), (ROOT / ".ci" / "run").read_text()])
    made = re.findall(r"^\s*make ([\w -]+)$", text, flags=re.MULTILINE)
    assert {"book", "test", "check-lock", "check-links"} <= set(" ".join(made).split())
    assert set(" ".join(made).split()) <= set(targets)
    files = re.findall(r"(?:tools|tests|\.ci)/[\w/.]+", text)
    assert files
    assert all((ROOT / file).exists() for file in files)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_have_no_outputs_and_short_cells(chapter):
    cells = json.loads(chapter.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in code)
    assert all(cell["execution_count"] is None for cell in code)
    *texts, checks = ["".join(cell["source"]) for cell in code]
    lengths = [len(t.splitlines()) for t in texts if not only_imports(t)]
    assert max(lengths) <= 15
    assert checks.endswith("numbers.check()")
    assert code[-1]["metadata"]["tags"] == ["hide-input"]  # folded in the book
    assert code[-1]["metadata"]["jupyter"] == {"source_hidden": True}  # and in Lab


def only_imports(text: str) -> bool:
    """Is it the one cell of imports, and nothing else?"""
    return all(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.parse(text).body)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_tags_are_such_as_the_book_knows(chapter):
    cells = json.loads(chapter.read_text())["cells"]
    tags = {tag for cell in cells for tag in cell["metadata"].get("tags", [])}
    assert tags <= {"hide-input", "hide-output", "remove-input"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_figure_shows_stands_below_it_where_everyone_sees_it(chapter):
    """Captions in metadata are seen in the book alone; figures are counted in order."""
    cells = json.loads(chapter.read_text())["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    drawn = [
        i for i, c in enumerate(cells) if "image" in c["metadata"].get("mystnb", {})
    ]
    assert not [c for c in cells if "figure" in c["metadata"].get("mystnb", {})]
    for number, place in enumerate(drawn, 1):
        heading = f'<span class="figure">**Figure {number}.**</span> '
        assert texts[place + 1].startswith(heading)
    assert sum('class="figure"' in text for text in texts) == len(drawn)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_lab_and_github_show_all_of_the_text(chapter):
    """No role but terms, which Lab shows as they are: others it cannot resolve."""
    cells = json.loads(chapter.read_text())["cells"]
    text = "\n".join(
        "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"
    )
    assert set(re.findall(r"\{([\w:-]+)\}`", text)) <= {"term"}
    assert not re.search(r"^\([\w-]+\)=$", text, flags=re.MULTILINE)


def test_every_chapter_is_in_the_table_of_contents():
    assert {chapter.stem for chapter in CHAPTERS} <= set(chapters.names())


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


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_compute_with_one_thread_from_the_start(chapter):
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    at = [i for i, text in enumerate(code) if "evidence.one_thread()" in text]
    assert len(at) == 1
    heavy = re.compile(r"(zoo\.load|build|train|evaluate|open_lens)\(")
    before = [*code[: at[0]], code[at[0]].split("evidence.one_thread()")[0]]
    assert not [text for text in before if heavy.search(text)]


@pytest.mark.parametrize("path", MODULES + CHAPTERS, ids=lambda path: path.stem)
def test_progress_is_plain_text(path):
    """Widgets are blank in the book, and a red warning where ipywidgets is missing."""
    assert not re.search(r"tqdm\.(auto|notebook)", path.read_text(encoding="utf-8"))


def test_lab_shows_what_the_book_shows():
    """Other packages' bars ask for ipywidgets; admonitions and roles for MyST."""
    locked = {pin.name for pin in pins()}
    assert {"ipywidgets", "jupyterlab-myst"} <= locked
