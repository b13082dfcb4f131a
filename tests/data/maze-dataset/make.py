"""Write the samples beside this file: four mazes in each form of maze-dataset.

    python -m venv peer && peer/bin/pip install 'maze-dataset==1.4.2' 'muutils<0.9'
    peer/bin/python tests/data/maze-dataset/make.py

Each form holds the same four mazes, which tokens.txt holds as maze-dataset prints them.
What it adds about the machine and about itself (its source, the time) is taken out.
"""

import io
import json
import zipfile
from pathlib import Path

from maze_dataset import MazeDataset, MazeDatasetConfig
from maze_dataset.generation import LatticeMazeGenerators
from maze_dataset.maze import TargetedLatticeMaze
from maze_dataset.tokenization import MazeTokenizer, TokenizationMode
from muutils.json_serialize import json_serialize
from zanj import ZANJ

HERE = Path(__file__).resolve().parent
ABOUT = ("cfg", "fname", "generation_metadata_collected", "generation_meta")


def plain(value: object) -> object:
    """The value without what it says about anything but mazes."""
    if isinstance(value, dict):
        return {k: None if k in ABOUT else plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def write(name: str, value: object) -> None:
    """Write a serialized value as JSON."""
    (HERE / name).write_text(json.dumps(plain(json_serialize(value))) + "\n")


def pack(name: str, value: object, threshold: int) -> None:
    """Write a value as a ZANJ archive, with what is longer than that in members."""
    scratch = HERE / "scratch.zanj"
    saving = ZANJ(external_array_threshold=threshold, external_list_threshold=threshold)
    saving.save(value, scratch)
    with zipfile.ZipFile(scratch) as old:
        names = [n for n in old.namelist() if n.startswith(("maze", "__zanj__"))]
        members = {entry: old.read(entry) for entry in names}
    scratch.unlink()
    members["__zanj_meta__.json"] = b"{}"
    for entry, data in members.items():
        if entry.endswith(".json"):
            members[entry] = json.dumps(plain(json.loads(data))).encode()
        elif entry.endswith(".jsonl"):
            lines = [plain(json.loads(line)) for line in io.BytesIO(data)]
            members[entry] = "".join(json.dumps(a) + "\n" for a in lines).encode()
    with zipfile.ZipFile(HERE / name, "w") as new:
        for entry, data in members.items():
            new.writestr(zipfile.ZipInfo(entry), data, zipfile.ZIP_DEFLATED)


def main() -> None:
    """Write all samples."""
    config = MazeDatasetConfig(
        name="sample",
        grid_n=5,
        n_mazes=4,
        seed=3,
        maze_ctor=LatticeMazeGenerators.gen_dfs_percolation,
        maze_ctor_kwargs={"p": 0.3},
    )
    mazes = MazeDataset.generate(config, gen_parallel=False, verbose=False)
    tokenizer = MazeTokenizer(
        tokenization_mode=TokenizationMode.AOTP_UT_uniform, max_grid_size=5
    )
    lines = [" ".join(maze.as_tokens(tokenizer)) for maze in mazes]
    (HERE / "tokens.txt").write_text("\n".join(lines) + "\n")
    drawings = [maze.as_ascii() for maze in mazes]
    (HERE / "drawings.txt").write_text("\n\n".join(drawings) + "\n")
    unsolved = [
        TargetedLatticeMaze(
            connection_list=maze.connection_list,
            start_pos=maze.start_pos,
            end_pos=maze.end_pos,
        )
        for maze in mazes
    ]
    drawings = [maze.as_ascii() for maze in unsolved]
    (HERE / "unsolved.txt").write_text("\n\n".join(drawings) + "\n")
    write("unsolved.json", [maze.serialize() for maze in unsolved])
    write("maze.json", mazes[0].serialize())
    forms = {
        "full": mazes._serialize_full(),
        "minimal": mazes._serialize_minimal(),
        "concatenated": mazes._serialize_minimal_soln_cat(),
    }
    for name, value in forms.items():
        write(f"{name}.json", value)
        pack(f"{name}.zanj", value, threshold=3)
        pack(f"{name}-inline.zanj", value, threshold=10**6)


if __name__ == "__main__":
    main()
