"""Arrays in the members of an NPZ file, whose sizes are checked before they are read.

A zip archive says how large each member is, packed and unpacked, and an NPY header how
large its array is. These must agree with one another, and with the size of the archive,
before any memory is taken for them.
"""

import io
import math
import zipfile
from typing import IO

import numpy as np
from numpy.lib import format as npy

from skhash.datasets._files import MOST_AXES, MOST_INFLATED, describe_size

# Bytes that a packed member may take beyond that bound, e.g. an empty one.
_SLACK = 64
# Bytes of a header that numpy agrees to read.
_MOST_HEADER = 10_000
# The ways in which numpy writes members.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ObjectArrayError(ValueError):
    """An array holds Python objects."""


def check_members(members: list[zipfile.ZipInfo], n_bytes: int) -> None:
    """Refuse an archive of `n_bytes` whose members cannot be what they claim.

    Members that shared their packed bytes would make a small file hold a lot.
    """
    if sum(member.compress_size for member in members) > n_bytes:
        raise ValueError("its members claim more bytes than the file has")
    seen = set()
    for member in members:
        name = array_name(member)
        if name in seen:
            raise ValueError(f"it holds {name!r} more than once")
        seen.add(name)


def array_name(member: zipfile.ZipInfo) -> str:
    """The name by which numpy calls the array of a member."""
    return member.filename.removesuffix(".npy")


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray | None:
    """The array of a member, or None if it is not an NPY file; refuses damaged ones."""
    _check_packed_size(member)
    with archive.open(member) as file:
        if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            return None
    with archive.open(member) as file:
        claimed = _claimed_size(file)
    if claimed != member.file_size:
        raise ValueError(
            f"it claims an array that takes {describe_size(claimed)}, but has "
            f"{member.file_size}"
        )
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _check_packed_size(member: zipfile.ZipInfo) -> None:
    if member.compress_type not in _PACKINGS:
        raise ValueError("it is neither stored nor deflated, as numpy does it")
    most = member.compress_size
    if member.compress_type == zipfile.ZIP_DEFLATED:
        most = MOST_INFLATED * most + _SLACK
    if member.file_size > most:
        raise ValueError(
            f"it claims {describe_size(member.file_size)}, but cannot hold more than "
            f"{most}"
        )


def _claimed_size(file: IO[bytes]) -> int:
    """Bytes of an NPY file, by its header."""
    start = file.read(npy.MAGIC_LEN)
    version = npy.read_magic(io.BytesIO(start))
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"its NPY version is {version[0]}.{version[1]}")
    length = file.read(2 if version == (1, 0) else 4)
    n_header = int.from_bytes(length, "little")
    if n_header > _MOST_HEADER:
        raise ValueError(f"its header claims {n_header} bytes")
    header = io.BytesIO(length + file.read(n_header))
    # Version 3 is version 2 with names of fields in UTF-8.
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = read(header)
    # A header may be nested too deeply for Python's parser.
    except (MemoryError, RecursionError) as error:
        raise ValueError("its header is not that of an array") from error
    if dtype.hasobject:
        raise ObjectArrayError("it holds Python objects")
    if len(shape) > MOST_AXES or not all(0 <= size < 2**63 for size in shape):
        raise ValueError("its header claims a shape that no array has")
    return len(start) + len(length) + n_header + math.prod(shape) * dtype.itemsize
