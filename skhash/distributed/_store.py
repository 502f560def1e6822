"""Codes in a folder of parts, each of which is whole or is not there."""

import hashlib
import json
from pathlib import Path

import numpy as np

from skhash.archive import replacing

_BLOCK = 1 << 20


def part_path(folder, i):
    """The file of a part; what is known of it stands beside it."""
    return Path(folder) / f"part-{i:06d}.npy"


def write_part(codes, folder, i, fingerprint):
    """Write a part, and then that it is whole; return what is known of it."""
    path = part_path(folder, i)
    with replacing(path) as file:
        np.save(file, codes)
    record = {
        "encoder": fingerprint,
        "sha256": checksum(path),
        "shape": list(codes.shape),
        "dtype": codes.dtype.str,
    }
    with replacing(path.with_suffix(".json")) as file:
        file.write(json.dumps(record, indent=1).encode())
    return record


def whole_part(folder, i, fingerprint, n_rows):
    """What is known of a part of this encoder, or None unless it is there and whole."""
    path = part_path(folder, i)
    try:
        record = json.loads(path.with_suffix(".json").read_text())
        known = record["encoder"] == fingerprint and record["sha256"] == checksum(path)
        whole = known and n_rows in (None, record["shape"][0])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None


def read_part(folder, i, record):
    """The codes of a part, mapped where the worker sees the folder."""
    codes = np.load(part_path(folder, i), mmap_mode="r", allow_pickle=False)
    if list(codes.shape) != record["shape"] or codes.dtype.str != record["dtype"]:
        raise ValueError(
            f"{part_path(folder, i)} has shape {codes.shape} and dtype {codes.dtype}, "
            f"but was written with {tuple(record['shape'])} and {record['dtype']}: "
            "encode again, which replaces parts that are not whole."
        )
    return np.asarray(codes)


def checksum(path):
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
