"""The command line: python -m mazelib {generate,train,evaluate,baseline,solve,models}.

Flags in, text or JSON out. An error that the user can put right is one line on standard
error and exit code 2.
"""

import contextlib
import os
import sys
from typing import Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, subcommand

from mazelib.commands.mazes import Baseline, Generate
from mazelib.commands.models import Evaluate, Models, Solve, Train
from mazelib.errors import MazelibError

Command = (
    Annotated[Generate, subcommand("generate")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Baseline, subcommand("baseline")]
    | Annotated[Solve, subcommand("solve")]
    | Annotated[Models, subcommand("models")]
)


def main() -> int:
    """Run the command that the arguments name; return the exit code."""
    command = tyro.cli(
        Command,
        prog="python -m mazelib",
        description="Mazes as tokens, and small transformers that solve them.",
        config=(OmitArgPrefixes, FlagCreatePairsOff),
    )
    try:
        command.run()
        sys.stdout.flush()  # here, where a full disk or a closed pipe is caught
    except (MazelibError, OSError) as error:
        if isinstance(error, OSError):  # what is still buffered would fail again
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError) and not isinstance(command, Train):
            return 0  # whoever read what was printed has had enough
        with contextlib.suppress(OSError):
            print(f"mazelib: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mazelib: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
