"""`skhash info`: what is in a .skhash file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from skhash.cli._parser import add_command, add_format

if TYPE_CHECKING:
    from skhash.archive import Contents

_ABOUT = """\
Say what is in a .skhash file: classes, parameters, arrays, versions, sizes.

Its manifest is read and nothing is made of it; --verify reads the whole file, and
compares each byte with checksums."""
_EXAMPLE = """\
  skhash info model.skhash
  skhash info database.skhash --verify --format jsonl"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "info", _ABOUT, _EXAMPLE)
    parser.add_argument("file", help="a .skhash file")
    parser.add_argument(
        "--verify", action="store_true", help="check all of its bytes, too"
    )
    parser.add_argument(
        "--arrays", action="store_true", help="list every array, those of weights, too"
    )
    add_format(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Read the manifest, and print what it says."""
    from skhash.archive import contents, read
    from skhash.cli._results import print_rows

    if not Path(args.file).exists():
        raise ValueError(f"There is no file {args.file}.")
    told = contents(args.file)
    rows = [("file", args.file), ("bytes", told.size), ("kind", told.kind)]
    if args.verify:
        read(args.file, kind=told.kind, verify=True)
        rows.append(("verified", "every byte is as it was written"))
    rows += [(f"written by {name}", it) for name, it in told.versions.items()]
    rows += _estimators(told.content)
    rows += _members(told, args.arrays)
    print_rows(out, args.format, ("what", "value"), rows)


def _estimators(content: Any, inside: str = "") -> Iterator[tuple[str, Any]]:
    """Classes and plain parameters of each estimator, the outer ones first."""
    parts = content if isinstance(content, list) else []
    if isinstance(content, dict):
        if name := content.get("class"):
            inside = f"{inside}{name}"
            yield "estimator", inside
            for key, value in content.get("parameters", {}).items():
                if value is None or isinstance(value, str | int | float):
                    yield f"  {key}", value
            inside += " > "
        parts = [value for key, value in content.items() if key != "class"]
    for part in parts:
        yield from _estimators(part, inside)


def _members(told: Contents, all_arrays: bool) -> Iterator[tuple[str, str]]:
    """Size and arrays of each member."""
    for member, size in told.members.items():
        inner = [name for name, home in told.homes.items() if home == member]
        what = f"{size:,} B"
        if member.endswith(".npy") and len(inner) == 1:
            what += f", {_layout(told.arrays[inner[0]])}"
        elif inner:
            what += f", {len(inner)} arrays"
        yield f"member {member}", what
        if all_arrays:
            for name in inner:
                yield f"  {name.split('/state/')[-1]}", _layout(told.arrays[name])


def _layout(layout: Any) -> str:
    sides = " x ".join(map(str, layout.shape)) or "one value"
    return f"{sides} of {layout.dtype}"
