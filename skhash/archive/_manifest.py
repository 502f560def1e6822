"""What the manifest says, and the last line of a file, which says where it is."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from skhash.archive._arrays import Layout
from skhash.archive._zip import Member

# Files of another format are not opened.
FORMAT = 1
MANIFEST, README, WEIGHTS = "manifest.json", "README.md", "weights.safetensors"
# Members beyond this size are mapped, and have a checksum for each of their blocks.
BLOCK = 1 << 24
_TAIL = re.compile(
    rb"skhash (\d{1,4}(?:\.\d{1,6}){0,3}) format (\d{1,6}) "
    rb"manifest (\d{1,15}) (\d{1,12}) sha256 ([0-9a-f]{64})\Z"
)
LONGEST_TAIL = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Digest:
    """Checksums of the bytes of a member, given in order."""

    def __init__(self, name: str) -> None:
        self.name, self.size, self.crc = name, 0, 0
        self._all, self._block = hashlib.sha256(), hashlib.sha256()
        self.blocks: list[str] = []

    def update(self, content: bytes | memoryview) -> None:
        """Take the next bytes."""
        view = memoryview(content).cast("B")
        self._all.update(view)
        self.crc = zlib.crc32(view, self.crc)
        while view:
            left = BLOCK - self.size % BLOCK
            part, view = view[:left], view[left:]
            self._block.update(part)
            self.size += len(part)
            if len(part) == left:
                self._end_block()

    def _end_block(self) -> None:
        self.blocks.append(self._block.hexdigest())
        self._block = hashlib.sha256()

    def told(self) -> dict[str, Any]:
        """What the manifest says of the member."""
        if self.size % BLOCK:
            self._end_block()
        said = {"name": self.name, "bytes": self.size, "crc32": self.crc}
        said["sha256"] = self._all.hexdigest()
        return {**said, "blocks": self.blocks} if self.size > BLOCK else said


@dataclass(frozen=True)
class Tail:
    """The end of a file: who wrote it, and where its manifest is."""

    version: str
    format: int
    offset: int
    size: int
    sha256: str

    @classmethod
    def found_in(cls, end: bytes) -> Tail | None:
        """The tail at the end of some bytes, if there is one."""
        found = _TAIL.search(end)
        if found is None:
            return None
        version, number, offset, size, digest = (
            each.decode() for each in found.groups()
        )
        return cls(version, int(number), int(offset), int(size), digest)

    @property
    def text(self) -> bytes:
        """The tail as it is written, the comment of the ZIP."""
        where = f"manifest {self.offset} {self.size} sha256 {self.sha256}"
        return f"skhash {self.version} format {self.format} {where}".encode()


@dataclass(frozen=True)
class Manifest:
    """The manifest of a file to read, its form checked."""

    kind: str
    versions: dict[str, str]
    content: Any
    arrays: dict[str, tuple[str, Layout]]
    members: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def checked(cls, text: bytes) -> Manifest:
        """The manifest in a text; raises errors of many kinds if there is none."""
        told = json.loads(text)
        if as_text(told) != text:
            raise ValueError("It is not written as skhash writes it")
        if list(told) != list(_KEYS) or told["format"] != FORMAT:
            raise ValueError(f"It has the parts {list(told)}, not {list(_KEYS)}")
        arrays = {name: _array(entry) for name, entry in told["arrays"].items()}
        members = [_member(entry) for entry in told["members"]]
        names = [entry["name"] for entry in members]
        if len({name.lower() for name in names}) < len(names) or MANIFEST in names:
            raise ValueError("Two members have the same name")
        if not all(type(each) is str for each in told["versions"].values()):
            raise ValueError("Versions are text")
        return cls(told["kind"], told["versions"], told["content"], arrays, members)

    def layouts(self) -> dict[str, list[tuple[str, Layout]]]:
        """Names and layouts of the arrays of each member that has any, in order."""
        found: dict[str, list[tuple[str, Layout]]] = {}
        for name, (member, layout) in self.arrays.items():
            found.setdefault(member, []).append((name, layout))
        return found


_KEYS = ("format", "kind", "versions", "content", "arrays", "members")


def as_text(told: Any) -> bytes:
    """The one way to write a manifest: a line for each of its parts."""
    dumped = (json.dumps(each, allow_nan=False) for each in told.values())
    lines = (f"{json.dumps(k)}: {v}" for k, v in zip(told, dumped, strict=True))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def _array(entry: Any) -> tuple[str, Layout]:
    layout = Layout.checked(entry["dtype"], entry["shape"], entry.get("order", "C"))
    if type(entry["member"]) is not str or layout.entry(entry["member"]) != entry:
        raise ValueError(f"It describes an array by {entry}")
    return entry["member"], layout


def _member(entry: Any) -> dict[str, Any]:
    size, blocks = entry["bytes"], entry.get("blocks", [])
    sums = [entry["sha256"], *blocks]
    keys = {"name", "bytes", "crc32", "sha256"} | ({"blocks"} if blocks else set())
    n_blocks = -(-size // BLOCK) if size > BLOCK else 0
    wrong = entry.keys() != keys or len(blocks) != n_blocks
    wrong |= type(size) is not int or not 0 <= size < 1 << 60
    wrong |= type(entry["crc32"]) is not int or not 0 <= entry["crc32"] < 1 << 32
    wrong |= not all(re.fullmatch("[0-9a-f]{64}", each) for each in sums)
    if wrong or _NAME.fullmatch(entry["name"]) is None:
        raise ValueError(f"It describes a member by {entry}")
    return entry


def as_member(entry: dict[str, Any]) -> Member:
    """The member that a line of the manifest describes."""
    return Member(entry["name"], entry["bytes"], entry["crc32"])
