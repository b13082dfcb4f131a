"""The command line as a person meets it: what it prints, and how it fails."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mazelib import __main__, zoo
from mazelib.behaviour import evaluation
from mazelib.behaviour.rollout import rollout
from mazelib.commands.models import Train
from mazelib.dataset import MazeStream, StreamConfig
from mazelib.generators import GENERATORS, MazeConfig
from mazelib.model import MazeModelConfig
from mazelib.recipe import TrainConfig
from mazelib.storage import read_mazes
from mazelib.tokenizer import Tokenizer
from mazelib.training import train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that has seen 3×3 mazes for a moment, saved as `train` saves it."""
    path = tmp_path_factory.mktemp("runs") / "dfs3"
    config = TrainConfig(
        StreamConfig(MazeConfig("dfs", 3), questions=4),
        MazeModelConfig(side=3, layers=2, width=32, heads=2),
        steps=60,
        batch=4,
        evaluate_every=60,
        validation=8,
    )
    train(config, path, progress=False)
    return str(path)


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the command line; returns the exit code, standard output and error."""

    def call(*arguments: str, stdin: bytes = b""):
        monkeypatch.setattr(sys, "argv", ["mazelib", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = __main__.main()
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['mazelib', '--help']\n"
        "from mazelib.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'numba', 'pandas', 'scipy', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    for command in ("generate", "train", "evaluate", "baseline", "solve", "models"):
        assert f"python -m mazelib {command}" in " ".join(done.stdout.split())


@pytest.mark.parametrize("generator", GENERATORS)
def test_generate_prints_one_valid_maze_a_line(run, generator):
    code, out, _ = run("generate", "--generator", generator, "--grid", 4, "--count", 3)
    assert code == 0
    for line in out.splitlines():
        maze, origin, target, path = Tokenizer("ut", 4).parse(line)
        assert len(path) - 1 == maze.distances(origin)[target]
    assert len(out.splitlines()) == 3


def test_generate_repeats_itself_and_heeds_its_flags(run):
    flags = ["--grid=5", "--count=4", "--tokens=ctt", "--side=6", "--min-steps=7"]
    first, again = run("generate", *flags), run("generate", *flags)
    assert first == again
    assert run("generate", *flags, "--seed", 1)[1] != first[1]
    for line in first[1].splitlines():
        assert len(Tokenizer("ctt", 6).parse(line).path) >= 8


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_generate_writes_files(run, tmp_path, ending):
    path = tmp_path / f"mazes.{ending}"
    code, out, _ = run("generate", "--count", 30, "--out", path)
    assert (code, out) == (0, f"30 mazes written to {path}\n")
    assert len(read_mazes(path)) == 30
    rows = run("generate", "--count", 30, "--json")[1].splitlines()
    assert json.loads(rows[29])["origin"] == list(
        divmod(int(read_mazes(path)[29].origin), 6)
    )


@pytest.mark.parametrize("generator", GENERATORS)
def test_scores_have_the_same_keys_for_every_generator(run, generator):
    for command, who in (("evaluate", ["dfs5"]), ("baseline", [])):
        flags = ["--grid", 5, "--count", 4, "--json"]
        code, out, _ = run(command, *who, "--generator", generator, *flags)
        facts = json.loads(out)
        assert code == 0
        assert (facts["generator"], facts["n"]) == (generator, 4)
        assert set(facts) == set(json.loads(run(command, *who, *flags)[1]))


def test_baseline_prints_its_keys(run):
    for solver in ("random", "greedy"):
        code, out, _ = run("baseline", "--solver", solver, "--count", 40, "--json")
        facts = json.loads(out)
        assert code == 0
        assert facts["solver"] == solver
        assert {"generator", "grid", "n", "exact", "fork_accuracy"} <= set(facts)
        assert 0 < facts["exact"] < 1
    assert "exact " in run("baseline", "--count", 40)[1]


def test_evaluate_prints_its_keys(run, folder):
    code, out, _ = run("evaluate", folder, "--count", 30, "--json")
    facts = json.loads(out)
    assert code == 0
    wanted = (
        "model generator grid n seed exact exact_ci valid reached_target node_overlap "
        "fork_accuracy"
    )
    assert set(wanted.split()) <= set(facts)
    assert (facts["model"], facts["grid"], facts["n"]) == (folder, 3, 30)
    assert facts["generator"] == "dfs"
    assert run("evaluate", folder, "--generator", "wilson", "--count", 5)[0] == 0


def test_train_writes_a_model_that_the_other_commands_take(run, tmp_path):
    out = tmp_path / "mine"
    flags = ["--grid=3", "--layers=1", "--width=16", "--heads=2", "--steps=3"]
    code, text, _ = run("train", "--out", out, *flags, "--validation", 8)
    assert code == 0
    assert "on 8 validation mazes" in text
    assert run("evaluate", out, "--count", 3)[0] == 0
    code, _, err = run("train", "--out", out, *flags)
    assert code == 2
    assert "mine.state holds a run with validation = 8, not 512" in err
    code, _, err = run("train", "--out", tmp_path, *flags)
    assert code == 2
    assert "exists: name another" in err


def test_train_tells_of_its_own_model_though_another_has_its_name(
    run, folder, monkeypatch
):
    monkeypatch.setattr(zoo, "MODELS", Path(folder).parent)
    monkeypatch.chdir(Path(folder).parent.parent)
    flags = ["--grid=3", "--layers=1", "--width=16", "--heads=2", "--steps=1"]
    code, text, _ = run("train", "--out=dfs3", *flags, "--validation=4", "--json")
    assert code == 0
    assert json.loads(text)["model"]["layers"] == 1


def test_training_whose_output_nobody_reads_any_more_has_not_succeeded(
    run, tmp_path, monkeypatch
):
    def broken(self):
        raise BrokenPipeError

    monkeypatch.setattr(Train, "run", broken)
    assert run("train", "--out", tmp_path / "mine")[0] == 2


def test_solve_answers_each_prompt_on_a_line(run, folder):
    text = run("generate", "--grid", 3, "--count", 5)[1]
    prompts = [
        f"{line.split('<PATH_START>')[0]}<PATH_START>" for line in text.split("\n")
    ]
    stdin = "\n".join(prompts[:5]).encode()
    code, out, _ = run("solve", folder, stdin=stdin)
    assert code == 0
    assert len(out.splitlines()) == 5
    trained = zoo.load(folder)
    model, tokenizer = trained.model, trained.tokenizer
    for prompt, answer in zip(prompts, out.splitlines(), strict=False):
        alone = rollout(model, tokenizer, [tokenizer.from_text(prompt)])
        assert answer == tokenizer.to_text(alone[0])
    assert len(set(out.splitlines())) > 1
    rows = [
        json.loads(line)
        for line in run("solve", folder, "--json", stdin=stdin)[1].splitlines()
    ]
    assert [row["tokens"] for row in rows] == out.splitlines()
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 3), split="any")).take(0, 5)
    asked = [tokenizer.to_text(p) for p in evaluation.prompts(mazes, tokenizer)]
    assert asked == prompts[:5]
    table = evaluation.evaluate(model, tokenizer, mazes)
    for name in ("valid", "shortest"):
        assert [row[name] for row in rows] == table[name].tolist()


def test_solve_without_input_draws_a_generated_maze(run, folder):
    code, out, _ = run("solve", folder, "--draw")
    assert code == 0
    assert out.count("┼───┼───┼───┼") >= 2


def test_models_lists_names_and_scores(run, folder, monkeypatch):
    monkeypatch.setattr(zoo, "MODELS", Path(folder).parent)
    code, out, _ = run("models")
    assert code == 0
    assert out.startswith("dfs3 ")
    assert json.loads(run("models", "--json")[1])[0]["name"] == "dfs3"


def test_models_lists_the_others_beside_damaged_ones(
    run, folder, tmp_path, monkeypatch
):
    for name in ("a", "b", "c"):
        shutil.copytree(folder, tmp_path / name)
    for name in ("a", "b"):
        (tmp_path / name / "card.json").write_text("{}")
    monkeypatch.setattr(zoo, "MODELS", tmp_path)
    for flags in ([], ["--json"]):
        code, out, err = run("models", *flags)
        assert code == 2
        assert '"c"' in out if flags else out.startswith("c ")
        assert err.count("mazelib: error: ") == err.count("\n") == 2


GOOD = (
    "<ADJLIST_START> (0,0) <--> (0,1) ; <ADJLIST_END> "
    "<ORIGIN_START> (0,0) <ORIGIN_END> <TARGET_START> (0,1) <TARGET_END> <PATH_START>"
)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (b"hello", "token 0: found 'hello', expected a token"),
        (b"\n", "token 0: found 'end of input'"),
        (GOOD.replace("(0,1) ;", "(2,2) ;").encode(), "expected a neighbour"),
        (GOOD.replace("(0,1)", "(0,3)").encode(), "a cell inside the grid"),
        (GOOD.replace(" <ORIGIN_END>", "").encode(), "expected <ORIGIN_END>"),
        (GOOD.replace("<PATH_START>", "").encode(), "expected <PATH_START>"),
        (GOOD.encode() + b" (0,1) <PATH_END>", "expected the origin"),
        (GOOD.encode() + b" (0,0) (0,1) <PATH_END>", "has a path already"),
        (GOOD.encode()[:60], "token"),
        (b"\xff\xfe\x00", "expected text in UTF-8"),
    ],
)
def test_bad_prompts_are_one_line_and_exit_code_2(run, folder, prompt, message):
    code, out, err = run("solve", folder, stdin=GOOD.encode() + b"\n" + prompt)
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: line 2: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--grid", "1"], "grid is 1"),
        (["generate", "--count", "0"], "count is 0"),
        (["generate", "--generator", "maize"], "no generator 'maize'"),
        (["generate", "--side", "4"], "a maze of side 6"),
        (["generate", "--out", "mazes.txt"], "end its name in .parquet"),
        (["generate", "--out", "no/such/folder.jsonl"], "no folder"),
        (["generate", "--seed", "-1"], "seed is -1"),
        (["generate", "--min-steps", "99"], "min_steps is 99"),
        (["baseline", "--grid", "99"], "grid is 99"),
        (["evaluate", "no-such-model"], "no model 'no-such-model'"),
        (["solve", "no-such-model"], "no model"),
        (["train", "--out", "x", "--grid", "4", "--width", "9"], "width is 9"),
        (["train", "--out", ".", "--grid", "3", "--layers", "1"], "'.' is no name"),
        (["train", "--out", "/", "--grid", "3", "--layers", "1"], "'/' is no name"),
    ],
)
def test_bad_flags_are_one_line_and_exit_code_2(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_unknown_flags_exit_with_code_2(run):
    for arguments in (["generate", "--gird", "4"], ["paint"], ["train"]):
        assert run(*arguments)[0] == 2


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m mazelib generate --count 3000 | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith("<ADJLIST_START>")


def test_evaluation_mazes_are_not_those_of_training(run, folder):
    assert np.isin(zoo.load(folder).card["training"]["mazes"]["split"], ["train"]).all()
    _, out, _ = run("evaluate", folder, "--count", 5, "--json")
    assert json.loads(out)["split"] == "test"


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
def test_output_that_cannot_be_written_is_one_line_at_most(target):
    command = f"{sys.executable} -m mazelib generate --grid 3 --count 2"
    command += " | true" if target == "closed" else f" > {target}; exit $?"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=environment
    )
    assert done.stderr.count("\n") == (target == "/dev/full")
    assert done.returncode == (2 if target == "/dev/full" else 0)


def test_evaluate_asks_what_the_model_was_trained_on(run, tmp_path):
    mazes = StreamConfig(
        MazeConfig("dfs_percolation", 3, p=0.2),
        endpoints="corners",
        min_steps=2,
        questions=2,
    )
    shape = MazeModelConfig(side=4, layers=1, width=16, heads=2)
    config = TrainConfig(mazes, shape, steps=2, batch=2, validation=4)
    train(config, tmp_path / "mine", progress=False)
    asked = json.loads(run("evaluate", tmp_path / "mine", "--count=4", "--json")[1])
    assert (asked["p"], asked["endpoints"], asked["grid"]) == (0.2, "corners", 3)
    same = json.loads(
        run("evaluate", tmp_path / "mine", "--grid=3", "--count=4", "--json")[1]
    )
    assert same == asked
    flags = ["--generator=wilson", "--count=4", "--json"]
    other = json.loads(run("evaluate", tmp_path / "mine", *flags)[1])
    assert (other["p"], other["endpoints"], other["grid"]) == (None, "uniform", 3)


def test_spread_places_mazes_anywhere_in_a_larger_grid(run):
    out = run("generate", "--grid=2", "--spread=5", "--count=40")[1]
    cells = {token for token in out.split() if token.startswith("(")}
    assert "(4,4)" in cells
    assert "(0,0)" in cells
