"""The one class of error that a caller can put right, with a message for them."""


class MazelibError(ValueError):
    """A value that mazelib cannot use; the message names it and says what to do."""
