"""Facts kept as JSON: read strictly, and turned into configs field by field.

    card = read("runs/mine/card.json")                 # a dict
    config = make(MazeModelConfig, card["model"], "runs/mine/card.json")

Whatever damage or a clumsy hand does to such a file ends in a MazelibError of one line
that names the place. NaN and infinities, which are not JSON, are refused, as are two
values under one name, of which other readers take either.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from reprlib import repr as short
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from mazelib.errors import MazelibError

Config = TypeVar("Config")
LARGEST = 2**63
"""Integers stay below it: further ones are no count of anything."""


def parse(text: str | bytes, place: object) -> Any:
    """What a JSON text holds. place: where it stands, for the error.

    Raises MazelibError if it is none, is no UTF-8, or holds a number that is no finite
    one.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(
            text,
            parse_constant=_number,
            parse_float=_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise MazelibError(f"{place} is damaged: {reason}") from None


def read(path: str | Path) -> dict:
    """The JSON object in a file. Raises MazelibError if it cannot be read as one."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise MazelibError(f"{path} cannot be read: {reason}") from None
    found = parse(data, path)
    if not isinstance(found, dict):
        raise MazelibError(f"{path} is damaged: it holds {short(found)}, no object")
    return found


def make(kind: type[Config], facts: object, place: object) -> Config:
    """The config, a dataclass of scalars and of such, whose `asdict` was kept as JSON.

    Raises MazelibError if a field is missing, has another type or a value out of range,
    and for one that the config has not.
    """
    names = [field.name for field in fields(kind)]
    check_names(facts, names, place)
    types, found = _types(kind), {}
    for name in names:
        found[name] = _field(types[name], facts[name], f"{place}: {name}")
    try:
        return kind(**found)
    except MazelibError as error:
        raise MazelibError(f"{place}: {error}") from None


def finite(value: Any) -> Any:
    """The same facts, with null for what is no finite number, as JSON has none."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_names(facts: object, names: Iterable[str], place: object) -> None:
    """Raise MazelibError unless facts are an object that has these names, no other."""
    if not isinstance(facts, dict):
        raise MazelibError(f"{place} is {short(facts)}, but must be an object")
    for name in names:
        if name not in facts:
            raise MazelibError(f"{place} is damaged: it has no {name!r}")
    for name in facts.keys() - set(names):
        raise MazelibError(f"{place} is damaged: {short(name)} means nothing here")


def is_number(value: object) -> bool:
    """Is it an integer or a float, not so large that it counts nothing?"""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and -LARGEST < value < LARGEST


def is_number_or_none(value: object) -> bool:
    """Is it a number, or null, which stands for one that was not finite?"""
    return value is None or is_number(value)


def is_count(value: object) -> bool:
    """Is it an integer from 0?"""
    return type(value) is int and 0 <= value < LARGEST


def _field(types: tuple[type, ...], value: object, place: str) -> object:
    """A field's value, if it is of one of the types, of which one may be a config."""
    for kind in types:
        if is_dataclass(kind):
            return make(kind, value, place)
    is_right = is_number(value) and {type(value), float} & set(types)
    if not isinstance(value, int | float) or isinstance(value, bool):
        is_right = type(value) in types
    if not is_right:
        wanted = " or ".join("null" if t is NoneType else t.__name__ for t in types)
        raise MazelibError(f"{place} is {short(value)}, but must be of type {wanted}")
    return value


@cache
def _types(kind: type) -> dict[str, tuple[type, ...]]:
    """The types that each field of a dataclass may have."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        parts = get_args(hint) or (hint,)
        is_choice = get_origin(hint) is Literal
        found[name] = tuple({type(part) for part in parts}) if is_choice else parts
    return found


def _number(text: str) -> float:
    """A float that is finite."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is no finite number")
    return value


def _once(pairs: list[tuple[str, object]]) -> dict:
    """An object none of whose names comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{short(twice)} stands in it twice")
    return found
