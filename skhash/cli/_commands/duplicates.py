"""`skhash duplicates`: near-duplicates among items."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, TextIO

from skhash.cli._parser import add_bits, add_command, add_format, add_jobs, add_reading

_ABOUT = """\
Find near-duplicates: items whose codes differ in few bits.

Without a model, photos get a perceptual hash of 128 bits, and vectors the signs of
their rotated values, a bit a dimension. --model takes learned codes. Groups are
printed, whose items are connected by pairs within the radius; --pairs prints the
pairs."""
_EXAMPLE = """\
  skhash duplicates photos
  skhash duplicates photos --radius 8 --pairs --format csv > pairs.csv"""

# Pairs held in memory before they join groups; for many items, one each.
_HELD = 1 << 20


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "duplicates", _ABOUT, _EXAMPLE)
    parser.add_argument(
        "items", help="a folder of photos, a file of vectors or of codes, or a database"
    )
    parser.add_argument(
        "--radius",
        type=int,
        metavar="BITS",
        help="most bits that two duplicates differ in (default: a tenth of all; of "
        "fewer than 10 bits, 0)",
    )
    parser.add_argument("--pairs", action="store_true", help="print pairs, not groups")
    parser.add_argument("--model", metavar="FILE", help="what encodes the items")
    parser.add_argument(
        "--codes", action="store_true", help="the items are codes, in .npy, too"
    )
    add_bits(parser)
    add_jobs(parser)
    add_format(parser)
    add_reading(parser, labels=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Search, and print groups or pairs."""
    from skhash.cli._codes import counted
    from skhash.cli._input.items import note
    from skhash.cli._input.options import Reading
    from skhash.cli._results import print_rows
    from skhash.neighbors import HammingNeighbors

    found = _codes(args, Reading.of(args))
    n_bits = found.n_bits or 8 * found.codes.shape[1]
    radius = n_bits // 10 if args.radius is None else args.radius
    compared = f"{counted(len(found.codes), 'code')} of {counted(n_bits, 'bit')}"
    note(f"comparing {compared}", args.quiet)
    database = HammingNeighbors(n_jobs=args.jobs, verbose=0 if args.quiet else 1)
    pairs = database.fit(found.codes).pairs(radius)
    names = found.names()
    if args.pairs:
        rows = (
            (names[left], names[right], distance)
            for parts in pairs
            for left, right, distance in zip(*parts, strict=True)
        )
        print_rows(out, args.format, ("left", "right", "distance"), rows)
        return
    groups = _groups(pairs, len(found.codes))
    rows = ((n, names[row]) for n, group in enumerate(groups, 1) for row in group)
    print_rows(out, args.format, ("group", "id"), rows)
    n_items = sum(map(len, groups))
    note(
        f"{counted(len(groups), 'group')}, {n_items} of {counted(len(names), 'item')}, "
        f"within {radius} of {counted(n_bits, 'bit')}",
        args.quiet,
    )


def _codes(args: argparse.Namespace, reading: Any) -> Any:
    """The codes of the items: by a model, as given, or made without learning."""
    from pathlib import Path

    from skhash.cli._codes import Codes, of_bits
    from skhash.cli._codes_read import read_codes
    from skhash.cli._models import open_encoder
    from skhash.cli._sides import codes_of

    path = Path(args.items)
    if args.model and args.codes:
        raise ValueError("Give --model or --codes, not both: codes need no model.")
    if args.codes:
        return codes_of(args.items, reading, None)
    if args.model:
        return codes_of(args.items, reading, open_encoder(args.model))
    if path.is_dir():
        from skhash.cli._perceptual import N_BITS, perceptual_codes

        if reading.size or reading.grey:
            raise ValueError(
                "--size and --grey are for photos that a model encodes; a perceptual "
                "hash reads them in its own way."
            )
        items, codes = perceptual_codes(path, reading)
        _tell_plain(codes, reading)
        hashes = Codes(args.items, codes, items.ids, None, N_BITS)
        return of_bits(hashes, reading.bits)
    if path.suffix.lower() == ".skhash":
        for option in ("id", "key", "columns", "size", "grey"):
            if getattr(reading, option):
                raise ValueError(
                    f"{path} is a database, which has its ids and codes in it: leave "
                    f"--{option} out."
                )
        return codes_of(args.items, reading, None)
    if (found := read_codes(path, reading, may_be_bare=False)) is not None:
        return found
    _refuse_bare(path)
    return of_bits(_signs(args.items, reading), reading.bits)


def _refuse_bare(path: Any) -> None:
    """Refuse a .npy file of bytes, which may be codes as well as vectors."""
    from skhash.cli._input.arrays import open_npy

    if path.suffix.lower() == ".npy" and path.is_file():
        array = open_npy(path)
        if array.dtype == "uint8" and array.ndim == 2:
            raise ValueError(
                f"{path} holds bytes, which may be codes or vectors: say --codes, or "
                "what encodes vectors, --model model.skhash."
            )


def _tell_plain(codes: Any, reading: Any) -> None:
    """Say that photos of one colour all look alike."""
    from skhash.cli._input.items import note

    plain = int((codes == 0).all(axis=1).sum())
    if plain > 1:
        note(
            f"{plain} photos are plain to a perceptual hash, and form a group by that "
            "alone",
            reading.quiet,
        )


def _signs(path: str, reading: Any) -> Any:
    from skhash.baselines import RotatedSigns
    from skhash.cli._codes import Codes
    from skhash.cli._input.read import read_items

    items = read_items(path, reading)
    if len(items.X) < 2:
        raise ValueError(
            f"{path} holds one item, and duplicates are found among several: give more."
        )
    X = items.X.reshape(len(items.X), -1)
    model = RotatedSigns(random_state=0).fit(X)
    return Codes(path, model.transform(X), items.ids, None, model.n_bits_)


def _groups(pairs: Iterator[Any], n: int) -> list[list[int]]:
    """Rows of the items in each group of several, by their first rows."""
    import numpy as np

    group, held, n_held = np.arange(n), [], 0
    for left, right, _ in pairs:
        held.append((left, right))
        n_held += len(left)
        if n_held > max(n, _HELD):  # there may be far more pairs than memory holds
            group, held, n_held = _joined(group, held), [], 0
    if held:
        group = _joined(group, held)
    members: dict[int, list[int]] = {}
    for row, number in enumerate(group.tolist()):
        members.setdefault(number, []).append(row)
    return [rows for rows in members.values() if len(rows) > 1]


def _joined(group: Any, pairs: list[Any]) -> Any:
    """The group of each item, the same number for items that a pair connects."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = (group[np.concatenate(side)] for side in zip(*pairs, strict=True))
    ones, n = np.ones(len(left), np.int8), len(group)
    graph = coo_array((ones, (left, right)), shape=(n, n)).tocsr()
    graph.data[:] = 1  # pairs between the same groups add up, and might to 0
    _, joined = connected_components(graph, directed=False)
    return joined[group]
