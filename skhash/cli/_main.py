"""Run one command: errors of one line, quiet ends, an exit status."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from skhash.cli._parser import make_parser

# Exit statuses; argparse ends with 2 where it does not understand the arguments.
DONE, REFUSED, STOPPED, NO_READER = 0, 1, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    status : int
        0 done, 1 refused, 130 stopped by Ctrl-C, 141 nobody reads the output any more.
    """
    with _standard_output() as out:
        try:
            try:
                return _run(argv, out)
            finally:
                out.flush()
        except BrokenPipeError:
            _discard(out)
            return NO_READER
        except OSError as error:
            _discard(out)
            print(f"skhash: standard output: {error.strerror}", file=sys.stderr)
            return REFUSED
        except KeyboardInterrupt:
            return STOPPED


@contextlib.contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output, or the null device if it was closed before the start."""
    if sys.stdout is not None:
        yield sys.stdout
    else:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            yield nowhere


def _run(argv: Sequence[str] | None, out: TextIO) -> int:
    args = make_parser().parse_args(argv)
    if hasattr(out, "reconfigure"):  # names of files need not be text
        out.reconfigure(errors="surrogateescape")
    try:
        with contextlib.redirect_stdout(sys.stderr), _warnings_as_lines(args.quiet):
            args.run(args, out)
    except BrokenPipeError:
        raise
    except Exception as error:
        if isinstance(error, OSError):
            out.flush()  # fails once more if standard output is what failed
        if args.traceback:
            raise
        print(f"skhash {args.command}: {in_one_line(error)}", file=sys.stderr)
        return REFUSED
    return DONE


def in_one_line(error: BaseException) -> str:
    """What an error says, without line breaks."""
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{error.filename}: "
        return f"{where}{error.strerror}"
    told = " ".join(str(error).split())
    if isinstance(error, ValueError | TypeError | OSError | ImportError) and told:
        return told
    # Not one of those that are raised on purpose.
    kind = type(error).__name__
    return f"{kind}: {told}" if told else f"{kind}; --traceback shows where"


@contextlib.contextmanager
def _warnings_as_lines(quiet: bool) -> Iterator[None]:
    """Print each warning of the body once, as a line of its own."""
    told: set[str] = set()

    def show(message: Warning | str, *args: object, **kwargs: object) -> None:
        text = " ".join(str(message).split())
        if text not in told and not quiet:
            print(f"warning: {text}", file=sys.stderr)
        told.add(text)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _discard(out: TextIO) -> None:
    """Discard what is not written yet, so that there is no error at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
