"""The bytes of a ZIP around its stored members, laid out in the one way we accept.

Dates and attributes are fixed, data begin at multiples of 64 bytes, and the fields for
more than 4 GB are there if and only if a number needs them. The layout follows from
names, sizes and checksums, so that a reader can make it anew and compare.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Data begin at multiples of this, as kernels and memory maps like it.
ALIGNMENT = 64
# What fields of 32 and of 16 bits hold when the number is stored elsewhere.
_FULL, _MANY = 0xFFFFFFFF, 0xFFFF
# 1 January 1980, 0:00; a plain file that its owner may write, made on Unix.
_DATE, _TIME = 0x0021, 0
_MADE_BY, _MODE = 3 << 8, 0o100644 << 16
# Versions that know stored members, and sizes of 64 bits.
_PLAIN, _LONG = 20, 45
# Extra fields: sizes of 64 bits, and padding (as Android's zipalign has it).
_SIZES, _PADDING = 0x0001, 0xD935


@dataclass(frozen=True)
class Member:
    """A stored file: its name in ASCII, its size in bytes, and its CRC-32."""

    name: str
    size: int
    crc: int


@dataclass(frozen=True)
class Piece:
    """Bytes of the file that belong to no member, where they stand, what they are."""

    offset: int
    content: bytes
    what: str


def data_offset(start: int, name: str, size: int) -> int:
    """Where the data of a member begin whose header starts at `start`."""
    return start + len(_local_header(start, Member(name, size, 0)))


def pieces(members: Sequence[Member], comment: bytes) -> Iterator[Piece]:
    """The headers of all members, the directory, and the end of the file."""
    start, entries = 0, []
    for member in members:
        header = _local_header(start, member)
        yield Piece(start, header, f"the header of member {member.name!r}")
        entries.append(_directory_entry(start, member))
        start += len(header) + member.size
    directory = b"".join(entries)
    end = _end(len(members), start, len(directory), comment)
    yield Piece(start, directory, "the directory")
    yield Piece(start + len(directory), end, "the end")


def _local_header(start: int, member: Member) -> bytes:
    long = member.size >= _FULL
    sizes = struct.pack("<2Q", member.size, member.size) if long else b""
    extra = _extra(_SIZES, sizes) if long else b""
    name = member.name.encode("ascii")
    # Up to the padding: the fixed part, the name, other fields, and its own head.
    before = start + 30 + len(name) + len(extra) + 6
    padding = struct.pack("<H", ALIGNMENT) + bytes(-before % ALIGNMENT)
    extra += _extra(_PADDING, padding)
    size = _FULL if long else member.size
    fixed = struct.pack(
        "<4s5H3I2H",
        b"PK\3\4",
        _LONG if long else _PLAIN,
        0,
        0,
        _TIME,
        _DATE,
        member.crc,
        size,
        size,
        len(name),
        len(extra),
    )
    return fixed + name + extra


def _directory_entry(start: int, member: Member) -> bytes:
    long, far = member.size >= _FULL, start >= _FULL
    numbers = [member.size, member.size] if long else []
    numbers += [start] if far else []
    name = member.name.encode("ascii")
    extra = _extra(_SIZES, struct.pack(f"<{len(numbers)}Q", *numbers))
    extra = extra if numbers else b""
    needed = _LONG if numbers else _PLAIN
    size = _FULL if long else member.size
    fixed = struct.pack(
        "<4s6H3I5H2I",
        b"PK\1\2",
        _MADE_BY | needed,
        needed,
        0,
        0,
        _TIME,
        _DATE,
        member.crc,
        size,
        size,
        len(name),
        len(extra),
        0,
        0,
        0,
        _MODE,
        _FULL if far else start,
    )
    return fixed + name + extra


def _end(n: int, start: int, size: int, comment: bytes) -> bytes:
    """The records after the directory, which begins at `start`."""
    long = b""
    if start >= _FULL or size >= _FULL or n >= _MANY:
        made = _MADE_BY | _LONG
        long = struct.pack(
            "<4sQ2H2I4Q", b"PK\6\6", 44, made, _LONG, 0, 0, n, n, size, start
        )
        long += struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    few = min(n, _MANY)
    ends = min(size, _FULL), min(start, _FULL)
    return (
        long
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, few, few, *ends, len(comment))
        + comment
    )


def _extra(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content
