"""`skhash fit`: learn an encoder."""

from __future__ import annotations

import argparse
from typing import Any, TextIO

from skhash.cli._parser import add_command, add_jobs, add_reading, from_0, from_1

_ABOUT = """\
Learn codes, and write the encoder to a file.

Photos are labelled by the folders that they lie in, tables and arrays by --label or
--labels. Without labels, codes are learned that keep near vectors near."""
_EXAMPLE = """\
  skhash fit photos -o model.skhash --bits 48
  skhash fit embeddings.parquet --id id -o model.skhash
  skhash fit train.npz --key X --label y -o model.skhash"""
LABEL_FREE = "neighbor_distillation"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "fit", _ABOUT, _EXAMPLE)
    parser.add_argument("items", help="a folder of photos, or a file of vectors")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the .skhash file"
    )
    group = parser.add_argument_group("how codes are learned")
    group.add_argument(
        "--bits", type=from_1, default=32, metavar="N", help="length (default: 32)"
    )
    group.add_argument(
        "--loss",
        metavar="NAME",
        help=f"of skhash.losses (default: dual_hinge; without labels {LABEL_FREE})",
    )
    group.add_argument(
        "--network",
        default="auto",
        metavar="NAME",
        help="linear, mlp, residual or convnet (default: what suits the items)",
    )
    group.add_argument(
        "--epochs",
        type=from_1,
        metavar="N",
        help="passes over all (default: auto)",
    )
    group.add_argument(
        "--seed",
        type=from_0,
        default=0,
        metavar="N",
        help="the same seed gives the same codes (default: 0)",
    )
    group.add_argument(
        "--device", default="auto", metavar="NAME", help="cpu, cuda (default: auto)"
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="keep the state after each epoch; the same command then goes on",
    )
    add_jobs(group)
    add_reading(parser, labels=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: TextIO) -> None:
    """Learn, and write the file."""
    from skhash.cli._input.items import note
    from skhash.cli._input.options import Reading
    from skhash.cli._input.read import read_items
    from skhash.cli._output import check_target, inputs_of, model_file

    reading = Reading.of(args)
    target = model_file(args.output, inputs_of(args))
    if args.checkpoint:
        check_target(args.checkpoint, [args.output, *inputs_of(args)])
    items = read_items(args.items, reading)
    loss = _loss(args.loss, items)

    from skhash.encoder import DeepHashEncoder
    from skhash.persistence import save

    encoder = DeepHashEncoder(
        args.bits,
        loss=loss,
        network=args.network,
        max_epochs="auto" if args.epochs is None else args.epochs,
        random_state=args.seed,
        n_jobs=args.jobs,
        device=args.device,
        checkpoint=args.checkpoint,
        verbose=0 if args.quiet else 1,
    )
    encoder.fit(items.X, items.labels)
    encoder.set_params(verbose=0, checkpoint=None)
    save(encoder, target)
    note(f"{target}: {args.bits} bits an item, {target.stat().st_size:,} B", args.quiet)


def _loss(name: str | None, items: Any) -> str:
    """The loss; an error if it needs labels and there are none."""
    if items.labels is not None:
        return name or "dual_hinge"
    if items.X.ndim > 2:
        raise ValueError(
            f"{items.name} holds images without labels, and distances between pixels "
            "say little. Put photos into a folder for each class, or give --labels "
            "FILE; `skhash duplicates` needs no labels."
        )
    if name not in (None, LABEL_FREE):
        raise ValueError(
            f"--loss {name} learns from labels: give --label NAME or --labels FILE, or "
            "leave --loss out to learn without."
        )
    return LABEL_FREE
