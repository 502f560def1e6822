"""`skhash export`: models and codes for other programs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TextIO

from skhash.cli._parser import add_bits, add_command

_ABOUT = """\
Write a model, or the codes of a database, for other programs.

A model becomes an ONNX file, items in and codes out. Codes, with their ids, become a
file or a database of the engine that --to names; what to tell the engine, such as
statements of SQL, is printed. Engines that are reached through a client, as Milvus and
Qdrant, are for Python: skhash.export."""
_EXAMPLE = """\
  skhash export model.skhash model.onnx
  skhash export database.skhash codes.faiss
  skhash export database.skhash items.copy --to pgvector > schema.sql"""
# What a suffix means where --to is not given.
_BY_SUFFIX = {
    ".onnx": "onnx",
    ".npz": "numpy",
    ".parquet": "parquet",
    ".faiss": "faiss",
    ".usearch": "usearch",
    ".bson": "bson",
    ".duckdb": "duckdb",
    ".lancedb": "lancedb",
}
_OTHERS = ("clickhouse", "elasticsearch", "hnswlib", "opensearch", "pgvector")
_OTHERS += ("sqlite_vec", "vespa")
TARGETS = sorted({*_BY_SUFFIX.values(), *_OTHERS})


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "export", _ABOUT, _EXAMPLE)
    parser.add_argument(
        "file", help="a .skhash file; for codes, also a file of `skhash encode`"
    )
    parser.add_argument("output", help="the file, or database, to write")
    parser.add_argument(
        "--to",
        choices=TARGETS,
        metavar="NAME",
        help=f"{', '.join(TARGETS)} (default: by the suffix of the output)",
    )
    add_bits(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Write, and print what to enter in the engine."""
    from skhash import export
    from skhash.cli._input.items import note
    from skhash.cli._models import open_encoder
    from skhash.cli._output import check_target

    name = args.to or _BY_SUFFIX.get(Path(args.output).suffix.lower())
    if name is None:
        raise ValueError(
            f"The suffix of {args.output} says not what to write: give --to NAME, one "
            f"of {', '.join(TARGETS)}."
        )
    # A database that is a folder may be there already.
    is_folder = Path(args.output).is_dir() and name == "lancedb"
    target = Path(args.output) if is_folder else check_target(args.output, [args.file])
    # An engine is loaded where it is asked for.
    write = getattr(export, f"to_{name}")
    if name == "onnx":
        write(open_encoder(args.file).encoder, target)
        told = None
    else:
        told = _write_codes(args.file, write, target, args.bits)
    note(f"{target}: written for {name}", args.quiet)
    if isinstance(told, str):
        out.write(told.rstrip() + "\n")
    elif name in ("elasticsearch", "opensearch"):
        out.write(json.dumps(told, indent=2) + "\n")


def _write_codes(path: str, write: Any, target: Path, bits: int | None) -> Any:
    """Write the database of a file; what the function returns."""
    from skhash.cli._input.options import Reading
    from skhash.cli._models import open_model
    from skhash.cli._sides import codes_of
    from skhash.neighbors import HammingNeighbors

    model = open_model(path) if path.lower().endswith(".skhash") else None
    if model is not None and model.takes_vectors:
        return write(model.database, target)
    found = codes_of(path, Reading(quiet=True, bits=bits), None)
    _refuse_large(found)
    neighbors = model.database if model is not None else None
    if neighbors is None:
        neighbors = HammingNeighbors().fit(found.codes, found.labels, ids=found.ids)
    return write(neighbors, target, n_bits=found.n_bits)


def _refuse_large(found: Any) -> None:
    """Refuse ids that need all bits of an unsigned integer."""
    ids = found.ids
    if ids is None or ids.dtype.kind != "u" or not len(ids):
        return
    if (largest := int(ids.max())) >= 1 << 63:
        raise ValueError(
            f"{found.name} has the id {largest}, and engines hold whole numbers below "
            "2**63: encode with --id of a column of text."
        )
