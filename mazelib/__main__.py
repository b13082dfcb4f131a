"""The command line: python -m mazelib {generate,train,evaluate,baseline,solve,models}.

Flags in, text or JSON out. An error that the user can put right is one line on standard
error and exit code 2; an interrupt is one line and exit code 130, from the first import
on. Whoever stops reading what is printed ends the program in silence, with exit code 0.
"""

import sys


def main() -> int:
    """Run the command that the arguments name; return the exit code."""
    try:
        return run()
    except KeyboardInterrupt:
        from mazelib.commands.output import complain

        complain("interrupted")
        return 130


def run() -> int:
    """As `main`, but for interrupts. What takes long to import is imported in here."""
    from mazelib.commands.output import (
        OutputError,
        complain,
        flush,
        prepare_streams,
        silence,
    )
    from mazelib.errors import MazelibError

    prepare_streams()
    try:
        from mazelib.commands.parser import parse

        parse(sys.argv[1:]).run()
        flush()  # here, where a full disk or a closed pipe is caught
        return 0
    except OutputError as error:
        silence(sys.stdout)
        if error.is_unread:
            return 0
        complain(f"error: {error}")
    except MazelibError as error:
        complain(f"error: {error}")
    except OSError as error:
        reason = error.strerror or error
        complain(f"error: {error.filename or 'input or output'}: {reason}")
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        complain(
            "error: out of memory: take fewer or smaller mazes, or a smaller model"
        )
    return 2


def is_out_of_memory(error: Exception) -> bool:
    """Has memory run out? PyTorch says so by a RuntimeError."""
    text = str(error)
    return isinstance(error, MemoryError) or any(
        said in text for said in ("out of memory", "can't allocate memory")
    )


def interrupt_again(unraisable) -> None:
    """Pass on an interrupt that came where Python can raise nothing, as in a callback.

    Imports call some, and the interrupt would be printed and forgotten.
    """
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        import _thread

        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(unraisable)


if __name__ == "__main__":
    sys.unraisablehook = interrupt_again
    sys.exit(main())
