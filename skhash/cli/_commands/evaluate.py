"""`skhash evaluate`: how well labelled queries find items of their label."""

from __future__ import annotations

import argparse
import json
from typing import Any, TextIO

from skhash.cli._parser import (
    add_bits,
    add_command,
    add_format,
    add_jobs,
    add_reading,
    from_1,
)

_ABOUT = """\
Measure retrieval: how well labelled queries find items of their label.

Database and queries are files of codes, .skhash databases, or items that --model (or
the encoder in the database) encodes; both need labels. Without queries the database is
asked for itself, no item finding itself."""
_EXAMPLE = """\
  skhash encode model.skhash photos -o database.skhash
  skhash evaluate database.skhash later_photos --html report.html"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "evaluate", _ABOUT, _EXAMPLE)
    parser.add_argument(
        "database", help="a .skhash database, a file of codes, or labelled items"
    )
    parser.add_argument("queries", nargs="?", help="the same, or left out")
    parser.add_argument("--model", metavar="FILE", help="what encodes the items")
    parser.add_argument(
        "-k", type=from_1, default=100, metavar="N", help="ranks (default: 100)"
    )
    parser.add_argument(
        "--radius", type=int, default=2, metavar="BITS", help="radius (default: 2)"
    )
    parser.add_argument(
        "--database-labels", metavar="FILE", help="as --labels, of the database"
    )
    parser.add_argument(
        "--html", metavar="FILE", help="write the report as a page for browsers, too"
    )
    add_bits(parser)
    add_jobs(parser)
    add_format(parser)
    add_reading(parser, labels=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Measure, print the report, write the page."""
    from skhash.cli._input.items import note
    from skhash.cli._output import check_target, inputs_of
    from skhash.cli._results import print_rows

    page = check_target(args.html, inputs_of(args)) if args.html else None
    queries, database, n_bits = _sides(args)

    from skhash.metrics import evaluate

    alone = queries is database
    report = evaluate(
        queries.codes,
        database.codes,
        queries.labels,
        database.labels,
        k=args.k,
        radius=args.radius,
        n_bits=n_bits,
        exclude_self=alone,
        n_jobs=args.jobs,
        verbose=0 if args.quiet else 1,
    )
    if page is not None:
        from skhash.archive import replacing

        with replacing(page) as file:
            file.write(report.to_html().encode())
        note(f"{page}: the report as a page", args.quiet)
    if args.format == "table":
        out.write(f"{report}\n")
    elif args.format == "jsonl":
        out.write(json.dumps(report.to_dict(), allow_nan=False) + "\n")
    else:
        rows = [(name, *score) for name, score in report.scores.items()]
        print_rows(out, "csv", ("metric", "mean", "low", "high"), rows)


def _sides(args: argparse.Namespace) -> tuple[Any, Any, int | None]:
    """Codes and labels of queries and database, and the length of the codes."""
    import dataclasses

    from skhash.cli._codes import counted
    from skhash.cli._input.options import Reading
    from skhash.cli._models import open_encoder, open_model
    from skhash.cli._sides import codes_of

    reading = Reading.of(args)
    if args.database_labels and not args.queries:
        raise ValueError(
            "--database-labels is for a database beside queries; without queries it "
            "has its labels by --labels."
        )
    if args.label and not args.queries and args.database.lower().endswith(".skhash"):
        raise ValueError(
            f"{args.database} has its labels in it: leave --label out, or give others, "
            "--labels FILE."
        )
    model = open_encoder(args.model) if args.model else None
    if model is None and args.database.lower().endswith(".skhash"):
        opened = open_model(args.database)
        model = opened if opened.encoder is not None else None
    labels = args.database_labels if args.queries else reading.labels
    of_database = dataclasses.replace(reading, labels=labels)
    database = codes_of(args.database, of_database, model)
    queries = database
    if args.queries:
        queries = codes_of(args.queries, reading, model)
    for side, option in ((database, "--database-labels"), (queries, "--labels")):
        if side.labels is None:
            raise ValueError(
                f"{side.name} has no labels, and retrieval is measured by them: photos "
                "have them by folder, tables by --label NAME, and any file by "
                f"{option if args.queries else '--labels'} FILE."
            )
    if queries.codes.shape[1] != database.codes.shape[1]:
        raise ValueError(
            f"{queries.name} has codes of {counted(queries.codes.shape[1], 'byte')}, "
            f"{database.name} of {database.codes.shape[1]}: encode both with the same "
            "model."
        )
    _check_kinds(queries, database)
    return queries, database, database.n_bits or queries.n_bits


def _check_kinds(queries: Any, database: Any) -> None:
    """Refuse labels that are numbers on one side and text on the other."""
    kinds = {side.labels.dtype.kind in "OUT" for side in (queries, database)}
    if len(kinds) > 1:
        raise ValueError(
            f"Labels of {queries.name} are {queries.labels.dtype}, those of "
            f"{database.name} {database.labels.dtype}: numbers never equal text. Read "
            "both from files of one kind."
        )
