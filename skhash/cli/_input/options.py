"""How files are to be read, as the arguments say."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """Options of `skhash.cli._parser.add_reading`.

    Attributes
    ----------
    columns : list of str or None
        Columns of the vectors, or patterns of their names.
    id, label, key : str or None
        Names of columns or arrays.
    labels : str or None
        A file of labels.
    by_folder : bool
        Whether photos have their folders as labels.
    size : tuple of int or None
        Height and width of photos.
    bits : int or None
        The length of codes whose file does not tell it.
    grey, strict, quiet : bool
        No colours; no broken photos; nothing is told.
    """

    columns: list[str] | None = None
    id: str | None = None
    key: str | None = None
    label: str | None = None
    labels: str | None = None
    by_folder: bool = True
    size: tuple[int, int] | None = None
    bits: int | None = None
    grey: bool = False
    strict: bool = False
    quiet: bool = False

    @classmethod
    def of(cls, args: argparse.Namespace) -> Reading:
        """The options among all arguments of a command."""
        label, labels = getattr(args, "label", None), getattr(args, "labels", None)
        if label and labels:
            raise ValueError("Give --label or --labels, not both.")
        return cls(
            columns=args.columns,
            id=args.id,
            key=args.key,
            label=label,
            labels=labels,
            by_folder=not getattr(args, "no_labels", False),
            size=as_size(args.size),
            # For `fit`, --bits is the length of the codes to learn.
            bits=None if args.command == "fit" else getattr(args, "bits", None),
            grey=args.grey,
            strict=args.strict,
            quiet=args.quiet,
        )


def as_size(text: str | None) -> tuple[int, int] | None:
    """Height and width from ``48x64``, or from ``48``; None for None."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:[xX](\d{1,5}))?", text)
    size = tuple(int(part or found[1]) for part in found.groups()) if found else (0, 0)
    if min(size) < 1:
        raise ValueError(
            f"--size is height x width in pixels, such as 32x32; got {text!r}."
        )
    return size[0], size[1]
