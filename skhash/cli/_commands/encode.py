"""`skhash encode`: items to codes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TextIO

from skhash.cli._parser import add_command, add_reading

_ABOUT = """\
Encode items, and write their codes with ids and labels.

The suffix of the output says how: .parquet, .csv and .npz hold ids, labels and codes,
.npy the codes alone, and .skhash is a database that `skhash search` asks, together with
the encoder."""
_EXAMPLE = """\
  skhash encode model.skhash photos -o database.skhash
  skhash encode model.skhash embeddings.parquet --id id -o codes.parquet"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "encode", _ABOUT, _EXAMPLE)
    parser.add_argument("model", help="a .skhash file of `skhash fit`")
    parser.add_argument("items", help="a folder of photos, or a file of vectors")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="a .parquet, .csv, .npz, .npy or .skhash file",
    )
    add_reading(parser, labels=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Encode, and write the file."""
    from skhash.cli._codes import counted
    from skhash.cli._codes_files import check_columns, codes_file, write_codes
    from skhash.cli._input.items import note
    from skhash.cli._input.options import Reading
    from skhash.cli._input.read import read_items
    from skhash.cli._models import open_encoder
    from skhash.cli._output import inputs_of
    from skhash.cli._sides import of_items

    reading = Reading.of(args)
    target = codes_file(args.output, inputs_of(args))
    model = open_encoder(args.model)
    items = read_items(args.items, reading, model.shape)
    check_columns(target, items.ids, items.labels)
    found = of_items(items, reading, model)
    suffix = target.suffix.lower()
    if suffix == ".skhash":
        _write_database(target, model, found)
    else:
        write_codes(target, found)
    if suffix == ".npy" and found.ids is not None:
        note("ids stay behind: a .npy file holds codes alone", args.quiet)
    if suffix == ".npy" and found.n_bits and found.n_bits % 8:
        note(
            f"say --bits {found.n_bits} where {target} is read: it does not tell which "
            "bits only fill the last byte",
            args.quiet,
        )
    n, n_bytes = found.codes.shape
    told = f"{counted(n, 'code')} of {counted(n_bytes, 'byte')}"
    note(f"{target}: {told}", args.quiet)


def _write_database(target: Path, model: Any, found: Any) -> None:
    """A pipeline of the encoder and the codes: one file that can be searched."""
    from sklearn.pipeline import Pipeline

    from skhash.neighbors import HammingNeighbors
    from skhash.persistence import save

    if model.takes_vectors:
        raise ValueError(
            f"{model.path} is a database of vectors, which can be searched as it is; "
            "codes alone go into .parquet, .csv, .npz or .npy."
        )
    neighbors = HammingNeighbors().fit(found.codes, found.labels, ids=found.ids)
    save(Pipeline([("encoder", model.encoder), ("database", neighbors)]), target)
