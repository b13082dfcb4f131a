"""The command solve as a person meets it: prompts in, answers out."""

import io
import json
import os
import sys
from types import SimpleNamespace

import pytest

from mazelib.behaviour import evaluation
from mazelib.behaviour.rollout import rollout
from mazelib.commands.prompts import BATCH, PromptReader, is_absent, line_batches
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.model import MazeModelConfig, build

GOOD = (
    "<ADJLIST_START> (0,0) <--> (0,1) ; <ADJLIST_END> "
    "<ORIGIN_START> (0,0) <ORIGIN_END> <TARGET_START> (0,1) <TARGET_END> <PATH_START>"
)


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


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (b"hello", "token 0: found 'hello', expected a token"),
        (GOOD.replace("(0,1) ;", "(2,2) ;").encode(), "expected a neighbour"),
        (GOOD.replace("(0,1)", "(0,3)").encode(), "a cell inside the grid"),
        (GOOD.replace(" <ORIGIN_END>", "").encode(), "expected <ORIGIN_END>"),
        (GOOD.replace("<PATH_START>", "").encode(), "expected <PATH_START>"),
        (GOOD.encode() + b" (0,1) <PATH_END>", "expected the origin"),
        (GOOD.encode() + b" (0,0) (0,1)", "expected a cell, as (0,1) or <PATH_END>"),
        (GOOD.encode() + b" (0,0) (0,1) <PATH_END> ;", "nothing after <PATH_END>"),
        (GOOD.encode()[:60], "token"),
        (b"\xff\xfe\x00", "expected text in UTF-8"),
        (b"\xe9", "expected text in UTF-8"),
        (GOOD.encode("utf-16"), "found UTF-16 or no text, expected text in UTF-8"),
        (b"(" * 2**21, "longer than 1048576 bytes"),
    ],
)
def test_bad_prompts_are_one_line_after_the_answers_before(
    run, folder, prompt, message
):
    after = b"\n" + GOOD.encode()
    code, out, err = run("solve", folder, stdin=GOOD.encode() + b"\n" + prompt + after)
    assert code == 2
    assert out == run("solve", folder, stdin=GOOD.encode())[1]
    assert err.startswith("mazelib: error: line 2: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "{0}\n{1}\n{2}",
        "{0}\n{1}\n{2}\n",
        "{0}\n{1}\n{2}\n\n \n",
        "\n\n{0}\n\n\n{1}\n\t\n{2}\n",
        "{0}\r\n{1}\r\n\r\n{2}\r\n",
        "\ufeff{0}\r\n{1}\n {2} ",
        "\ufeff\n{0}\n{1}\n{2}",
    ],
)
def test_blank_lines_and_marks_lose_no_answer(run, folder, text):
    prompts = run("generate", "--grid=3", "--count=3", "--prompts")[1].splitlines()
    plain = run("solve", folder, stdin="\n".join(prompts).encode())
    assert len(plain[1].splitlines()) == 3
    assert run("solve", folder, stdin=text.format(*prompts).encode()) == plain


def test_lines_with_a_path_have_the_answers_of_those_without(run, folder):
    flags = ["--grid=3", "--count=3"]
    paths = run("generate", *flags)[1].encode()
    prompts = run("generate", *flags, "--prompts")[1].encode()
    assert paths != prompts
    assert run("solve", folder, stdin=paths) == run("solve", folder, stdin=prompts)


@pytest.mark.parametrize("empty", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\r\n"])
def test_an_empty_pipe_is_an_error(run, folder, empty):
    code, out, err = run("solve", folder, stdin=empty)
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: standard input holds no prompt: give one")
    assert err.count("\n") == 1


def test_a_terminal_or_nothing_gets_a_maze_of_our_own(run, folder, monkeypatch):
    null = run("solve", folder, "--draw")
    assert null[0] == 0
    assert null[1].count("┼───┼───┼───┼") >= 2
    terminal = SimpleNamespace(isatty=lambda: True)
    assert is_absent(terminal)
    assert is_absent(None)
    with open(__file__) as file:
        assert not is_absent(file)
    assert not is_absent(io.TextIOWrapper(io.BytesIO()))


def test_answers_come_while_the_input_is_open(folder):
    """A line is read and answered before the next is written."""
    trained = zoo.load(folder)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        batches = PromptReader(trained, None, None).batches(stream)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for count in (1, 3, BATCH + 4):
                pipe.write((GOOD.encode() + b"\n") * count)
                came = len(next(batches))
                while came < count:
                    came += len(next(batches))
                assert came == count
        assert list(batches) == []


@pytest.mark.parametrize(("err", "out"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_progress_is_shown_where_a_terminal_shows_nothing_else(
    run, folder, monkeypatch, err, out
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: bool(err))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: bool(out))
    code, answers, progress = run("solve", folder, stdin=GOOD.encode())
    assert (code, len(answers.splitlines())) == (0, 1)
    assert ("maze/s" in progress) == bool(progress) == (err and not out)


def test_batches_are_bounded_and_in_order():
    lines = b"".join(b"%d\n" % i for i in range(3000))
    batches = list(line_batches(io.BufferedReader(io.BytesIO(lines))))
    assert max(map(len, batches)) == BATCH
    numbered = [pair for batch in batches for pair in batch]
    assert [number for number, _ in numbered[:3000]] == list(range(1, 3001))
    assert [int(line) for _, line in numbered[:3000]] == list(range(3000))


def reader(scheme: str, mazes: StreamConfig | None, grid: int | None = None):
    """A reader for a model of side 7 that was trained on `mazes`."""
    shape = MazeModelConfig(scheme, side=7, layers=1, width=8, heads=1)
    return PromptReader(TrainedModel(build(shape), shape.tokenizer, {}), grid, mazes)


@pytest.mark.parametrize(
    ("scheme", "trained", "asked", "side"),
    [
        ("ut", {}, {"grid": 5}, 5),
        ("ut", {}, {"grid": 4}, 4),
        ("ut", {}, {"grid": 6}, 6),
        ("ctt", {}, {"grid": 3}, 3),
        ("ut", {}, {"grid": 5, "accessible": 0.3}, 5),  # leaves cells out
        ("ut", {}, {"grid": 7, "accessible": 0.6}, 7),
        ("ut", {"spread": 7}, {"grid": 5, "spread": 7}, 7),  # somewhere in a larger one
        ("ut", {"spread": 7}, {"grid": 5}, 7),
        ("ut", None, {"grid": 5}, 5),
        ("walls", {}, {"grid": 5}, 5),
        ("walls", {}, {"grid": 7}, 7),
        ("walls", None, {"grid": 6}, 6),
    ],
)
def test_the_grid_is_the_prompt_s_where_it_shows(scheme, trained, asked, side):
    """Trained on 5×5 mazes, or on what no card says."""
    mazes = None if trained is None else StreamConfig(MazeConfig("dfs", 5), **trained)
    spread = asked.pop("spread", None)
    stream = MazeStream(StreamConfig(MazeConfig("dfs", **asked), spread=spread))
    reads = reader(scheme, mazes)
    tokenizer = reads.trained.tokenizer
    for ids in evaluation.prompts(stream.take(2, 12), tokenizer):
        assert reads.side_of(ids) == side
        line = tokenizer.to_text(ids).encode()
        assert reads.question(1, line).sample.maze.n == side
    assert reader(scheme, mazes, 7).side_of(ids) == 7


def test_walls_are_judged_and_drawn_in_the_grid_of_training(run):
    flags = ["--grid=5", "--count=3", "--tokens=walls", "--side=7"]
    prompts = run("generate", *flags)[1].encode()
    code, out, _ = run("solve", "dfs5-walls", "--json", "--draw", stdin=prompts)
    assert code == 0
    assert out.count("\n" + "┼───" * 5 + "┼\n│") == 3
    rows = [json.loads(row) for row in out.splitlines() if row.startswith("{")]
    assert any(row["given"] for row in rows)
    assert all(row["shortest"] == row["given"] for row in rows)


def test_a_grid_that_the_model_has_no_cells_for_is_named(run, folder):
    for grid in (1, 4):
        code, out, err = run("solve", folder, "--grid", grid, stdin=GOOD.encode())
        assert (code, out) == (2, "")
        assert f"grid is {grid}, but" in err


def test_a_prompt_of_another_vocabulary_names_the_models_that_read_it(run, folder):
    others = {"dfs5-pairs", "dfs5-walls"}
    cells = ", ".join(name for name in zoo.names() if name not in others)
    for flags, remedy in (
        (["--tokens=ctt", "--grid=3"], "take a model that reads it (dfs5-pairs), or"),
        (["--tokens=walls", "--grid=4"], "walls ('walls'); take a model that reads it"),
        (["--grid=4"], f"({cells}), or mazes of side 3 at most"),
        (["--grid=40"], "(data/models has none), or mazes of side 3 at most"),
    ):
        prompts = run("generate", *flags)[1].encode()
        code, out, err = run("solve", folder, stdin=prompts)
        assert (code, out) == (2, "")
        assert remedy in err
        assert err.count("\n") == 1


def test_a_prompt_that_leaves_no_room_to_answer_is_named(run, folder, monkeypatch):
    shape = MazeModelConfig("ut", 3, 1, 8, 1, "learned", max_positions=30)
    fake = zoo.load(folder)._replace(model=build(shape))
    monkeypatch.setattr(zoo, "load", lambda name: fake)
    long = run("generate", "--grid=3", "--prompts")[1].encode()
    code, out, err = run("solve", folder, stdin=GOOD.encode() + b"\n" + long)
    assert (code, len(out.splitlines())) == (2, 1)
    assert err.startswith("mazelib: error: line 2: a prompt of")
