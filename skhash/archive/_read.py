"""Read values and arrays from a file, which is not trusted."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np

from skhash.archive._arrays import Layout, as_bytes, npy_header, safetensors_header
from skhash.archive._manifest import (
    BLOCK,
    FORMAT,
    LONGEST_TAIL,
    MANIFEST,
    WEIGHTS,
    Digest,
    Manifest,
    Tail,
    as_member,
)
from skhash.archive._values import decode
from skhash.archive._write import library_versions
from skhash.archive._zip import data_offset, pieces
from skhash.archive.errors import LoadError, refused

_ANEW = "Copy it anew from where it came from, or save it again."


class Archive(NamedTuple):
    """The content of a file, and the versions of the libraries that wrote it."""

    content: Any
    versions: dict[str, str]


def read(
    path: str | PathLike[str],
    *,
    kind: str,
    verify: bool = False,
) -> Archive:
    """What `skhash.archive.write` was given.

    Parameters
    ----------
    path : str or path
        The file.
    kind : str
        The kind of file that it must be.
    verify : bool, default=False
        Whether to verify the members that are mapped into memory, too.

    Returns
    -------
    archive : Archive
        Its arrays of more than 16 MB that have a member of their own are mapped into
        memory, and cannot be written.

    Raises
    ------
    LoadError
        If it is no such file, damaged, or of a newer version.
    OSError
        If there is no file, or it cannot be read.
    """
    with open_file(path) as reader:
        return reader.archive(kind, verify)


@contextlib.contextmanager
def open_file(path: str | PathLike[str]) -> Iterator[Reader]:
    """A reader of a file, for the body."""
    name = repr(str(path))
    if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would let us wait for ever
        raise LoadError(f"{name} is no file: give the path of one by skhash.save.")
    with Path(path).open("rb") as file:
        yield Reader(file, name)


class Reader:
    """One open file, whose size is known; `name` is for messages."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.size = os.fstat(file.fileno()).st_size

    def refuse(self, why: str, remedy: str = _ANEW) -> NoReturn:
        raise LoadError(f"{self.name}: {why}. {remedy}")

    def archive(self, kind: str, verify: bool) -> Archive:
        """What is in the file, after all checks."""
        manifest, offsets = self.manifest()
        if manifest.kind != kind:
            self.refuse(f"it holds a {manifest.kind}, not a {kind}", "Give another.")
        arrays = self._arrays(manifest, offsets, verify)
        with refused(f"{self.name}: member {MANIFEST!r}"):
            content = decode(manifest.content, arrays)
            if arrays:
                raise ValueError(f"Nothing is made of the arrays {list(arrays)}")
        return Archive(content, manifest.versions)

    def manifest(self) -> tuple[Manifest, dict[str, int]]:
        """The manifest, and where the data of each member begin."""
        tail = self._tail()
        text = self._bytes(tail.offset, tail.size)
        if hashlib.sha256(text).hexdigest() != tail.sha256:
            self.refuse(f"member {MANIFEST!r} is damaged: its SHA-256 is another")
        with refused(f"{self.name}: member {MANIFEST!r}"):
            manifest = Manifest.checked(text)
        self._refuse_newer(manifest.versions)
        return manifest, self._compare_frame(manifest, tail, text)

    def _tail(self) -> Tail:
        """Where the manifest is; an error if the file is not ours, or too new."""
        start = max(0, self.size - LONGEST_TAIL)
        tail = Tail.found_in(self._bytes(start, self.size - start))
        if tail is None:
            self.refuse(
                "it has not the end of a file by skhash.save: it is another file, or "
                "cut short"
            )
        if tail.format != FORMAT:
            self.refuse(
                f"it is of format {tail.format}, written by skhash {tail.version}, but "
                f"skhash {library_versions()['skhash']} reads format {FORMAT}",
                "Load it with a version that reads this format.",
            )
        if tail.offset + tail.size > self.size:
            self.refuse(f"member {MANIFEST!r} is not there whole")
        return tail

    def _refuse_newer(self, versions: dict[str, str]) -> None:
        ours, theirs = library_versions()["skhash"], versions.get("skhash", "")
        if release(theirs) > release(ours):
            self.refuse(
                f"skhash {theirs} wrote it, which is newer than skhash {ours} here",
                "Update skhash, or save it again with the version that is here.",
            )

    def _compare_frame(
        self, manifest: Manifest, tail: Tail, text: bytes
    ) -> dict[str, int]:
        """Compare all that is not data; where the data of each member begin.

        That the file is as long as it should be is known before anything else is.
        """
        own = Digest(MANIFEST)
        own.update(text)
        members = [as_member(each) for each in (*manifest.members, own.told())]
        expected = list(pieces(members, tail.text))
        if expected[-1].offset + len(expected[-1].content) != self.size:
            self.refuse("its size is not that of its members together")
        for piece in expected:
            if self._bytes(piece.offset, len(piece.content)) != piece.content:
                self.refuse(f"{piece.what} is damaged")
        if manifest.versions.get("skhash") != tail.version:
            self.refuse("its end names another version than its manifest")
        offsets, start = {}, 0
        for member in members:
            offsets[member.name] = data_offset(start, member.name, member.size)
            start = offsets[member.name] + member.size
        if offsets[MANIFEST] != tail.offset:
            self.refuse("its end says that the manifest is elsewhere")
        return offsets

    def _arrays(
        self, manifest: Manifest, offsets: dict[str, int], verify: bool
    ) -> dict[str, np.ndarray]:
        """All arrays by name; members that are not mapped are verified."""
        arrays: dict[str, np.ndarray] = {}
        all_layouts = manifest.layouts()
        for entry in manifest.members:
            name, size, offset = entry["name"], entry["bytes"], offsets[entry["name"]]
            layouts = all_layouts.pop(name, [])
            head = self._head(name, layouts)
            if layouts and len(head) + sum(e.n_bytes for _, e in layouts) != size:
                self.refuse(f"member {name!r} has not the size of its arrays")
            maps = name.endswith(".npy") and size > BLOCK
            if maps:
                if self._bytes(offset, len(head)) != head:
                    self.refuse(f"the header of the array in {name!r} is damaged")
                ((own, layout),) = layouts
                arrays[own] = self._mapped(offset + len(head), layout)
                if verify:
                    self._verify(entry, offset)
            else:
                arrays |= self._taken(entry, offset, head, layouts)
        if all_layouts:
            self.refuse(f"there is no member {min(all_layouts)!r}")
        for array in arrays.values():
            self._check_values(array)
        return arrays

    def _head(self, name: str, layouts: list[tuple[str, Layout]]) -> bytes:
        """What a member begins with, before its arrays; nothing if there are none."""
        with refused(f"{self.name}: member {name!r}"):
            if name == WEIGHTS:
                return safetensors_header(layouts)
            if name.endswith(".npy"):
                ((_, layout),) = layouts
                return npy_header(layout)
            if layouts:
                raise ValueError("It is no member of arrays")
            return b""

    def _taken(
        self,
        entry: dict[str, Any],
        offset: int,
        head: bytes,
        layouts: list[tuple[str, Layout]],
    ) -> dict[str, np.ndarray]:
        """The arrays of a member, read into memory and verified."""
        digest = Digest(entry["name"])
        found = self._bytes(offset, len(head) if layouts else entry["bytes"])
        if layouts and found != head:
            self.refuse(f"the header of the arrays in {entry['name']!r} is damaged")
        digest.update(found)
        arrays = {}
        for name, layout in layouts:
            shape = layout.shape[::-1] if layout.order == "F" else layout.shape
            array = np.empty(shape, layout.dtype)
            flat = as_bytes(array)
            for start in range(0, len(flat), BLOCK):
                part = flat[start : start + BLOCK]
                if self.file.readinto(part) != len(part):  # type: ignore[attr-defined]
                    self.refuse("it became shorter while it was read")
                digest.update(part)
            arrays[name] = array.T if layout.order == "F" else array
        self._compare(entry, digest)
        return arrays

    def _verify(self, entry: dict[str, Any], offset: int) -> None:
        """Verify a member that is mapped, a block at a time."""
        digest = Digest(entry["name"])
        for start in range(0, entry["bytes"], BLOCK):
            size = min(BLOCK, entry["bytes"] - start)
            digest.update(self._bytes(offset + start, size))
        self._compare(entry, digest)

    def _compare(self, entry: dict[str, Any], digest: Digest) -> None:
        told = digest.told()
        if told == entry:
            return
        where = ""
        for number, (a, b) in enumerate(
            zip(told.get("blocks", []), entry.get("blocks", []), strict=False)
        ):
            if a != b:
                where = f", first in its block {number} of {BLOCK} bytes"
                break
        self.refuse(
            f"member {entry['name']!r} is damaged: its checksums are others{where}"
        )

    def _mapped(self, offset: int, layout: Layout) -> np.ndarray:
        dtype = np.dtype(layout.dtype)
        return np.memmap(
            self.file,
            dtype,
            "r",
            offset,
            layout.shape,
            layout.order,  # type: ignore[call-overload]
        )

    def _check_values(self, array: np.ndarray) -> None:
        """Refuse bytes that are no value of their dtype, in what is in memory."""
        if isinstance(array, np.memmap) or not array.size:
            return
        kind, wrong = array.dtype.kind, False
        flat = array.ravel(order="K")
        if kind == "b":
            wrong = int(flat.view(np.uint8).max()) > 1
        elif kind == "U":
            points = flat.view(np.dtype("u4").newbyteorder(array.dtype.byteorder))
            wrong = int(points.max()) > 0x10FFFF
        if wrong:
            self.refuse(f"an array of {array.dtype} holds other values")

    def _bytes(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        found = self.file.read(size)
        if len(found) != size:
            self.refuse("it became shorter while it was read")
        return found


def release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
