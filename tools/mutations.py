"""Single mutations of a file's bytes, as a bad disk or a clumsy hand makes them.

    mutate(data, random.Random(0))          # one byte, or a stretch of them
    mutate_json(data, random.Random(0))     # one value or key, the rest still JSON

The same generator gives the same mutation. Nothing here knows mazelib.
"""

import json
import random
from collections.abc import Iterator

LONGEST = 12
"""Bytes in a stretch that is deleted, doubled or put in, at most."""
DEEP, LONG_NUMBER = "\ue000deep", "\ue000number"
RAW = {
    json.dumps(DEEP): "[" * 3000 + "]" * 3000,
    json.dumps(LONG_NUMBER): "9" * 5000,
}
"""Texts that json.dumps cannot write itself, by what stands for them."""
VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    10**9,
    10**30,
    -(2**63),
    0.5,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    "7",
    "ut",
    "gpt2",
    "\x00",
    "\ud800",
    "../../x",
    [],
    [0, 1],
    ["a"],
    {},
    {"n": 1},
    DEEP,
    LONG_NUMBER,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """The data with one thing done to it; that may leave it as it was.

    A bit is flipped or a byte changed, a stretch deleted, doubled or put in, or the end
    cut off.
    """
    at = rng.randrange(len(data) + 1)
    end = at + rng.randint(1, LONGEST)
    kind = rng.choice(["flip", "change", "delete", "double", "insert", "cut"])
    if kind == "cut" or not data:
        return data[:at]
    if kind == "delete":
        return data[:at] + data[end:]
    if kind == "double":
        return data[:end] + data[at:]
    if kind == "insert":
        return data[:at] + rng.randbytes(end - at) + data[at:]
    at = min(at, len(data) - 1)
    new = data[at] ^ (1 << rng.randrange(8)) if kind == "flip" else rng.randrange(256)
    return data[:at] + bytes([new]) + data[at + 1 :]


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """JSON in which one value is changed, nested, left out or added, or a key renamed.

    The result reads as JSON to a lenient parser: it may hold NaN, a number of 5,000
    digits, or lists 3,000 deep.
    """
    whole = json.loads(data)
    places = list(_places(whole))
    if not places:  # a bare value, or nothing in it
        return _text(_changed(whole, rng))
    parent, key = rng.choice(places)
    kind = rng.choice(["change", "change", "nest", "drop", "add", "rename"])
    if kind == "change":
        parent[key] = _changed(parent[key], rng)
    elif kind == "nest":
        parent[key] = rng.choice([[parent[key]], {str(key): parent[key]}])
    elif kind == "drop":
        del parent[key]
    elif isinstance(parent, list):
        parent.insert(key, rng.choice([parent[key], *VALUES]))
    else:
        new = rng.choice([f"{key}s", key[:-1], key.upper(), "model_type", "x"])
        parent[new] = parent[key] if kind == "add" else parent.pop(key)
    return _text(whole)


def mutate_line(data: bytes, rng: random.Random) -> bytes:
    """JSON lines in one of which `mutate_json` has changed something."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    lines[at] = mutate_json(lines[at], rng) + b"\n"
    return b"".join(lines)


def _places(value: object) -> Iterator[tuple[dict | list, str | int]]:
    """Every place in nested lists and dicts: what holds it, and its key there."""
    keys = list(value) if isinstance(value, dict) else []
    keys = range(len(value)) if isinstance(value, list) else keys
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _changed(value: object, rng: random.Random) -> object:
    """Another value; of a number often one nearby, of a text another text."""
    near = []
    if isinstance(value, str):
        near = [value + "x", value[:-1], value.upper()]
    elif isinstance(value, int | float):
        near = [value + 1, value - 1, -value, value * 2, float(value), str(value)]
    return rng.choice([*near, *near, *VALUES])


def _text(value: object) -> bytes:
    """The value as JSON, the texts of `RAW` in their places."""
    text = json.dumps(value)
    for name, raw in RAW.items():
        text = text.replace(name, raw)
    return text.encode()
