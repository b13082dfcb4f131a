"""Every output of every command, with models that are right, wrong, or do not stop."""

import errno
import io
import json
import math
import sys
from functools import lru_cache
from types import SimpleNamespace

import pytest
import torch
from transformers import GPTNeoXForCausalLM

from mazelib.dataset.storage import read_mazes
from mazelib.models import zoo
from mazelib.models.model import MazeModelConfig
from mazelib.tokens.encoding import PATH_END, PATH_START
from mazelib.tokens.tokenizer import Tokenizer

END = [-1]


def right(sample) -> list[int]:
    """The true path and its end."""
    path = sample.maze.shortest_path(sample.origin, sample.target)
    return [*path.tolist(), *END]


def detour(sample) -> list[int]:
    """A legal path that goes back once before it takes the true one."""
    path = right(sample)
    return [*path[:2], *path]


ANSWERS = {
    "right": right,
    "detour": detour,
    "wrong": lambda sample: [sample.origin, *END],
    "elsewhere": lambda sample: [(sample.origin + 4) % 9, sample.target, *END],
    "nothing": lambda sample: END,
    "endless": lambda sample: [sample.origin] * 100,
}


class Answering(GPTNeoXForCausalLM):
    """A network that looks its answers up: `answer` gives the cells for a sample."""

    def __init__(self, tokenizer: Tokenizer, answer):
        shape = MazeModelConfig(tokenizer.scheme, tokenizer.side, 1, 8, 1)
        super().__init__(shape.to_hugging_face())
        self.tokenizer, self.answer = tokenizer, answer
        self.answer_to = lru_cache(self.look_up)

    def token_after(self, ids: list[int]) -> int:
        start = self.tokenizer.special_ids[PATH_START]
        if start not in ids:
            return 0
        length = ids.index(start) + 1
        printed = self.answer_to(tuple(ids[:length]))
        return [*printed, *[0] * 99][len(ids) - length]

    def look_up(self, prompt: tuple[int, ...]) -> list[int]:
        cells = self.answer(self.tokenizer.decode(prompt))
        names = [self.tokenizer.cell_ids[cell].tolist() for cell in cells if cell >= 0]
        end = int(self.tokenizer.special_ids[PATH_END])
        return [token for name in names for token in name] + [end] * (cells[-1] < 0)

    def forward(self, input_ids, past_key_values=None, logits_to_keep=0, **_):
        seen = input_ids
        if past_key_values is not None:  # the cache keeps the ids themselves
            new = input_ids[:, None, :, None].float()
            seen = past_key_values.update(new, new, 0)[0][:, 0, :, 0].long()
        first = seen.shape[1] - input_ids.shape[1]
        size = (*input_ids.shape, len(self.tokenizer.vocabulary))
        logits = torch.zeros(size)
        for row, ids in enumerate(seen.tolist()):
            for at in range(first, len(ids)):
                logits[row, at - first, self.token_after(ids[: at + 1])] = 9
        return SimpleNamespace(logits=logits[:, -logits_to_keep:])


@pytest.fixture(params=["ut", "ctt", "walls"])
def answering(request, folder, monkeypatch):
    """Put a network in the place of the weights; gives its scheme."""
    trained = zoo.load(folder)

    def install(kind: str) -> str:
        tokenizer = Tokenizer(request.param, 3)
        model = Answering(tokenizer, ANSWERS[kind]).eval()
        fake = trained._replace(model=model, tokenizer=tokenizer)
        monkeypatch.setattr(zoo, "load", lambda name: fake)
        return request.param

    return install


@pytest.mark.parametrize("kind", ANSWERS)
def test_evaluate_prints_what_any_model_does(run, folder, answering, kind):
    answering(kind)
    code, out, _ = run("evaluate", folder, "--count", 4, "--json")
    scores = json.loads(out)
    assert code == 0
    assert scores["exact"] == scores["shortest"] == (kind == "right")
    assert scores["valid"] == (kind in ("right", "detour"))
    assert all(math.isfinite(v) for v in scores.values() if isinstance(v, float))
    code, out, _ = run("evaluate", folder, "--count", 4)
    assert code == 0
    assert f"exact           {scores['exact']:.4f}\n" in out
    flags = ["--generator=forkless", "--endpoints=dead_ends", "--count=3", "--json"]
    code, out, _ = run("evaluate", folder, *flags)
    assert code == 0
    assert json.loads(out)["fork_accuracy"] is None


@pytest.mark.parametrize("source", ["prompts", "paths", "none"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_solve_judges_what_any_model_answers(run, folder, answering, kind, source):
    scheme = answering(kind)
    flags = ["--prompts"] if source == "prompts" else []
    made = run("generate", "--grid=3", "--count=4", "--tokens", scheme, *flags)[1]
    stdin = None if source == "none" else made.encode()
    code, plain, _ = run("solve", folder, stdin=stdin)
    assert code == 0
    code, out, _ = run("solve", folder, "--json", stdin=stdin)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["tokens"] for row in rows] == plain.splitlines()
    assert len(rows) == (1 if source == "none" else 4)
    for row in rows:
        assert row["shortest"] == (kind == "right")
        assert row["valid"] == (kind in ("right", "detour"))
        given = kind == "right" if source == "paths" else None
        assert row["given"] == given
        assert all(0 <= x < 3 for cell in row["path"] for x in cell)
    for flag in ([], ["--json"]):
        code, out, _ = run("solve", folder, "--draw", *flag, stdin=stdin)
        assert code == 0
        assert out.count("┼───┼───┼───┼\n│") == len(rows)
        if kind == "wrong":  # nothing is drawn over the given path
            assert ("·" in out) == (source == "paths")


OUTPUTS = {
    "--help": "",
    "--version": "",
    "generate": "--grid 3",
    "generate --json": "--grid 3",
    "generate --prompts": "--grid 3",
    "generate --out mazes.jsonl": "--grid 3",
    "baseline": "--grid 3 --count 4",
    "baseline --json": "--grid 3 --count 4",
    "evaluate dfs5": "--count 1",
    "evaluate dfs5 --json": "--count 1",
    "solve dfs5": "",
    "solve dfs5 --json": "",
    "solve dfs5 --draw": "",
    "models": "",
    "models --json": "",
    "train --out mine": "--grid 3 --layers 1 --width 8 --heads 1 --steps 1",
    "train --out mine --json": "--grid 3 --layers 1 --width 8 --heads 1 --steps 1",
}


class Refusing(io.RawIOBase):
    """A file that cannot be written, as long as it has an error."""

    error: OSError | None

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        if self.error is not None:
            raise self.error
        return len(data)


@pytest.mark.parametrize("is_buffered", [True, False])
@pytest.mark.parametrize("command", OUTPUTS)
def test_a_full_or_closed_output_is_one_line_or_silence(
    run, tmp_path, monkeypatch, command, is_buffered
):
    monkeypatch.chdir(tmp_path)
    full = OSError(errno.ENOSPC, "No space left on device")
    unread = BrokenPipeError(errno.EPIPE, "Broken pipe")
    line = "mazelib: error: standard output cannot be written (No space left on device)"
    for error, code, said in ((full, 2, [line]), (unread, 0, [])):
        raw = Refusing()
        raw.error = error
        buffer = io.BufferedWriter(raw) if is_buffered else raw
        output = io.TextIOWrapper(buffer, "utf-8", write_through=not is_buffered)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", output)
            found, _, err = run(*command.split(), *OUTPUTS[command].split())
        raw.error = None  # or closing it would fail, too
        bar = "training: "
        lines = [row for row in err.split("\n") if row and bar not in row]
        assert (found, lines) == (code, said)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_full_disk_names_the_file_and_leaves_what_was_there(
    run, tmp_path, monkeypatch, ending
):
    path = tmp_path / f"mazes.{ending}"
    assert run("generate", "--grid=3", "--count=2", "--out", path)[0] == 0

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mazelib.files.os.fsync", full)
    code, out, err = run("generate", "--grid=3", "--out", path)
    assert (code, out) == (2, "")
    assert err.startswith(f"mazelib: error: {path} cannot be written (No space left")
    assert err.count("\n") == 1
    assert len(read_mazes(path)) == 2


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory")]
)
def test_memory_that_runs_out_is_one_line(run, monkeypatch, error):
    def exhaust(*_):
        raise error

    monkeypatch.setattr("mazelib.dataset.stream.MazeStream.take", exhaust)
    code, out, err = run("generate")
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: out of memory")
    assert err.count("\n") == 1


def test_other_errors_are_not_hidden(run, monkeypatch):
    def fail(*_):
        raise RuntimeError("a fault of mazelib itself")

    monkeypatch.setattr("mazelib.dataset.stream.MazeStream.take", fail)
    with pytest.raises(RuntimeError, match="itself"):
        run("generate")
