"""`skhash search`: the items nearest to each query."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, TextIO

from skhash.cli._parser import add_command, add_format, add_jobs, add_reading, from_1

_ABOUT = """\
Find the items of a database that are nearest to each query.

The database is a .skhash file of `skhash encode`, which has its encoder with it, or a
file of codes, which needs --model; codes as queries need neither. Distances are numbers
of differing bits, and equal ones come in the order of the database."""
_EXAMPLE = """\
  skhash search database.skhash new.jpg -k 3
  skhash search codes.parquet queries.npy --model model.skhash --format csv"""
# Queries that are answered at a time.
_ROWS = 1024


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "search", _ABOUT, _EXAMPLE)
    parser.add_argument("database", help="a .skhash database, or a file of codes")
    parser.add_argument(
        "queries", help="a photo, a folder of photos, a file of vectors or of codes"
    )
    parser.add_argument(
        "-k", type=from_1, default=5, metavar="N", help="items a query (default: 5)"
    )
    parser.add_argument(
        "--radius",
        type=float,
        metavar="R",
        help="instead: all items within this distance",
    )
    parser.add_argument("--model", metavar="FILE", help="what encodes the queries")
    parser.add_argument(
        "--codes", action="store_true", help="the queries are codes, in .npy, too"
    )
    add_jobs(parser)
    add_format(parser)
    add_reading(parser, labels=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Search, and print a row for each item found."""
    from skhash.cli._input.options import Reading
    from skhash.cli._input.read import read_items
    from skhash.cli._models import open_encoder, open_model
    from skhash.cli._results import print_rows
    from skhash.cli._sides import codes_of

    reading = Reading.of(args)
    model = None
    if args.model:
        model = open_encoder(args.model)
    if args.database.lower().endswith(".skhash"):
        opened = open_model(args.database)
        if opened.encoder is not None and model is None:
            model = opened
        database = opened.database
        if database is None:
            codes_of(args.database, reading, None)  # says what to do
    else:
        opened, database = None, _database(codes_of(args.database, reading, None))
    if opened is not None and opened.takes_vectors:
        if args.codes:
            raise ValueError(
                f"{args.database} is a database of vectors, which takes vectors as "
                "queries: leave --codes out."
            )
        items = read_items(args.queries, reading, opened.shape)
        X, names = items.X, items.names()
    else:
        found = codes_of(args.queries, reading, None if args.codes else model)
        X, names = found.codes, found.names()
        _check_width(database, X, args)
    if args.jobs is not None:
        database.set_params(n_jobs=args.jobs)
    rows = _answers(database, X, names, args)
    print_rows(out, args.format, ("query", "rank", "id", "distance"), rows)


def _database(found: Any) -> Any:
    from skhash.neighbors import HammingNeighbors

    return HammingNeighbors().fit(found.codes, ids=found.ids)


def _check_width(database: Any, codes: Any, args: argparse.Namespace) -> None:
    from skhash.cli._codes import counted

    ours, theirs = database.codes_.shape[1], codes.shape[1]
    if ours != theirs:
        raise ValueError(
            f"{args.queries} has codes of {counted(theirs, 'byte')}, {args.database} "
            f"of {ours}: encode both with the same model."
        )


def _answers(
    database: Any, X: Any, names: Any, args: argparse.Namespace
) -> Iterator[tuple[Any, int, Any, Any]]:
    """Query, rank, id and distance of each item found, in order."""
    for start in range(0, len(X), _ROWS):
        part = slice(start, start + _ROWS)
        if args.radius is None:
            k = min(args.k, database.n_samples_fit_)
            distances, ids = database.kneighbors(X[part], k)
        else:
            distances, ids = database.radius_neighbors(
                X[part], args.radius, sort_results=True
            )
        for name, near, far in zip(names[part].tolist(), ids, distances, strict=True):
            for rank, (one, distance) in enumerate(zip(near, far, strict=True), 1):
                yield name, rank, one, distance
