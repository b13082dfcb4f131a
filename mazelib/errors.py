"""The one class of error that a caller can put right, with a message for them."""

from collections.abc import Iterable


class MazelibError(ValueError):
    """A value that mazelib cannot use; the message names it and says what to do."""


def check_fields(config: object, checks: Iterable[tuple[str, bool, str]]) -> None:
    """Raise MazelibError for the first field that is not as it must be.

    checks: for each field its name, whether it is good, and what was expected.
    """
    for name, is_good, expected in checks:
        if not is_good:
            value = getattr(config, name)
            raise MazelibError(f"{name} is {value!r}, but must be {expected}")
