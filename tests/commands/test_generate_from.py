"""generate --from: the mazes of a file, printed or written in our forms."""

import json
from pathlib import Path

import pytest

from mazelib import __main__
from mazelib.dataset.storage import read_mazes
from mazelib.tokens.tokenizer import SCHEMES, Tokenizer

SAMPLES = Path(__file__).parents[1] / "data" / "maze-dataset"


def run(monkeypatch, capsys, *arguments) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["mazelib", "generate", *map(str, arguments)])
    code = __main__.main()
    return code, *capsys.readouterr()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["full.zanj", "minimal.json", "drawings.txt"])
def test_it_prints_the_mazes_of_the_file(name, scheme, monkeypatch, capsys):
    code, out, err = run(
        monkeypatch, capsys, "--from", SAMPLES / name, "--tokens", scheme, "--side", 6
    )
    assert (code, err) == (0, "")
    mazes, lines = read_mazes(SAMPLES / "tokens.txt"), out.splitlines()
    for sample, line in zip(mazes, lines, strict=True):
        found = Tokenizer(scheme, 6).parse(line, 5)
        assert found.maze == sample.maze
        assert found.path.tolist() == sample.path.tolist()


def test_what_it_prints_and_writes_it_reads_again(tmp_path, monkeypatch, capsys):
    source = SAMPLES / "full.zanj"
    for flags, name in ((["--json"], "rows.jsonl"), ([], "lines.txt")):
        _, out, _ = run(monkeypatch, capsys, "--from", source, *flags)
        (tmp_path / name).write_text(out)
        again = run(monkeypatch, capsys, "--from", tmp_path / name, *flags)
        assert again == (0, out, "")
    path = tmp_path / "mazes.parquet"
    code, out, _ = run(monkeypatch, capsys, "--from", source, "--out", path, "--json")
    assert (code, json.loads(out)) == (0, {"out": str(path), "count": 4})
    assert (
        run(monkeypatch, capsys, "--from", path)[1]
        == (tmp_path / "lines.txt").read_text()
    )


def test_mazes_stay_in_their_place_of_a_larger_grid(tmp_path, monkeypatch, capsys):
    flags = ("--grid", 3, "--spread", 8, "--count", 20)
    _, out, _ = run(monkeypatch, capsys, *flags, "--json")
    (tmp_path / "rows.jsonl").write_text(out)
    again = run(monkeypatch, capsys, "--from", tmp_path / "rows.jsonl", "--json")
    assert again == (0, out, "")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--generator", "wilson"], "--generator"),
        (["--grid", "5", "--max-depth", "3"], "--grid, --max-depth"),
        (["--seed", "3"], "--seed"),
        (["--count", "3", "--split", "test"], "--count, --split"),
    ],
)
def test_flags_that_make_mazes_do_not_go_with_it(flags, named, monkeypatch, capsys):
    source = SAMPLES / "full.zanj"
    code, out, err = run(monkeypatch, capsys, "--from", source, *flags)
    assert (code, out) == (2, "")
    assert err.startswith(f"mazelib: error: {named} says which mazes to make, but")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["none.zanj", "none.csv", ""])
def test_a_file_that_is_none_is_one_line(name, tmp_path, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "--from", tmp_path / name)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert str(tmp_path / name) in err


def test_no_name_is_no_file(monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "--from", "")
    assert (code, out) == (2, "")
    assert err.startswith("mazelib: error: cannot tell what kind of file '' is")
