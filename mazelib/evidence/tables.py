"""Tables of data/results: what experiments/ measured beforehand, a row for each model.

    rows_of("by-set.json", ["dfs5"])["dfs5"]          # one dict
    replace_rows("by-set.json", ["dfs5"], rows, weights, made_by="…")

A table says what made it and the hashes of the weights that it was measured with.
"""

import json
from collections.abc import Collection

from mazelib.errors import MazelibError
from mazelib.evidence import records
from mazelib.files import write_json


def read_table(table: str) -> dict:
    """A table of `RESULTS`: its `rows`, one dict each, and what made them.

    Raises MazelibError if it cannot be read.
    """
    path = records.RESULTS / table
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MazelibError(
            f"{path} cannot be read ({error}): make it again with make tables"
        ) from None


def rows_of(table: str, models: Collection[str]) -> dict[str, dict]:
    """The rows of a table of `RESULTS` that has one a model, by model.

    Raises MazelibError, with the command that measures it, for a model without one.
    """
    known = read_table(table)
    rows = {row["model"]: row for row in known["rows"]}
    if missing := [name for name in models if name not in rows]:
        raise MazelibError(
            f"{table} says nothing of {', '.join(missing)}, only of {', '.join(rows)}: "
            f"take one of those, or measure it, if it can be: {known['made_by']} "
            f"{' '.join(missing)}"
        )
    return {name: rows[name] for name in models}


def replace_rows(
    table: str,
    names: Collection[str],
    rows: list[dict],
    weights: dict[str, str],
    **facts: object,
) -> None:
    """Write what was measured of some models into a table of `RESULTS`.

    The rows of others stay as they are, and the hashes of the weights that they were
    measured with. A row's `model` is one of `names`, or a checkpoint of one, NAME/STEP.
    facts: what else the table says, such as what made it.
    """
    path = records.RESULTS / table
    before = read_table(table) if path.exists() else {}
    kept = before.get("rows", [])
    kept = [row for row in kept if row["model"].split("/")[0] not in names]
    others = before.get("weights", {})
    others = {name: sha for name, sha in others.items() if name not in names}
    write_json(path, {**facts, "weights": others | weights, "rows": kept + rows})
