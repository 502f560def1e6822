"""What may be written after `skhash`, and what its help says."""

from __future__ import annotations

import argparse
import re
from importlib import import_module

COMMANDS = ("fit", "encode", "search", "duplicates", "evaluate", "info", "export")

_ABOUT = "Short codes for images and vectors: learn them, search them, measure them."
_EPILOG = """\
from a folder of photos, in one folder for each class, to the photos most alike:
  skhash fit photos -o model.skhash
  skhash encode model.skhash photos -o database.skhash
  skhash search database.skhash new.jpg

near-duplicates in a folder of photos, without learning anything:
  skhash duplicates photos

Vectors come in .npy, .npz, .parquet and .csv files, images in folders. Results go to
standard output, all else to standard error. The exit status is 0 when done, also if
nothing was found; 1 if something was refused, which one line explains; 2 if the
arguments are not understood; 130 after Ctrl-C; 141 if nobody reads the output.
`skhash COMMAND --help` shows an example of each command."""


# Keeps the examples as they are written.
_Formatter = argparse.RawDescriptionHelpFormatter


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        "skhash",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"skhash.cli._commands.{name}").add(commands)
    return parser


class _Version(argparse.Action):
    """Prints the version."""

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        print(f"skhash {import_module('skhash').__version__}")
        parser.exit()


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    about: str,
    example: str,
) -> argparse.ArgumentParser:
    """The parser of a command, with the options that all have."""
    parser = commands.add_parser(
        name,
        help=about[0].lower() + about[1:].splitlines()[0].rstrip("."),
        description=about,
        epilog=f"example:\n{example.rstrip()}",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--quiet", "-q", action="store_true", help="no progress, notes and warnings"
    )
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error arose"
    )
    return parser


def add_format(parser: argparse.ArgumentParser) -> None:
    """The option of commands that print rows."""
    parser.add_argument(
        "--format",
        choices=("table", "csv", "jsonl"),
        default="table",
        help="how results are printed (default: table)",
    )


def add_reading(parser: argparse.ArgumentParser, *, labels: bool) -> None:
    """Options that say how files are read."""
    group = parser.add_argument_group("how files are read")
    group.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="columns of the vectors in .parquet and .csv files; 'e*' takes all that "
        "begin with e (default: all that are not named otherwise)",
    )
    group.add_argument("--id", metavar="NAME", help="column, or array of .npz, of ids")
    group.add_argument(
        "--key", metavar="NAME", help="array of .npz that holds the vectors"
    )
    if labels:
        group.add_argument(
            "--label", metavar="NAME", help="column, or array of .npz, of labels"
        )
        group.add_argument(
            "--labels",
            metavar="FILE",
            help="labels apart: .npy or .txt in the order of the items, or .csv with "
            "two columns, id (of a photo: its path in the folder) and label",
        )
        group.add_argument(
            "--no-labels",
            action="store_true",
            help="do not take the folders of photos as labels",
        )
    group.add_argument(
        "--size",
        metavar="HxW",
        help="height x width to which photos are brought (default: what the model "
        "wants, or 32x32)",
    )
    group.add_argument("--grey", action="store_true", help="read photos without colour")
    group.add_argument(
        "--strict",
        action="store_true",
        help="refuse a folder with a photo that cannot be read, rather than leave the "
        "photo out",
    )


def from_1(text: str) -> int:
    """The number that an option takes, which must be at least 1."""
    return _whole(text, 1)


def from_0(text: str) -> int:
    """The number that an option takes, which must not be negative."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    number = int(text) if re.fullmatch(r"[+-]?[0-9]+", text.strip()) else least - 1
    if number < least:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {least} on, got {text!r}"
        )
    return number


def add_bits(parser: argparse.ArgumentParser) -> None:
    """The option of commands that take files of codes as they are."""
    parser.add_argument(
        "--bits",
        type=from_1,
        metavar="N",
        help="length of the codes, where their file does not tell it and the last byte "
        "is not full, as in .npy",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """The option of commands that compute."""
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="threads (default: as many as pay)"
    )
