"""Write values and arrays into one file."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from skhash.archive._arrays import Layout, as_bytes, npy_header, safetensors_header
from skhash.archive._atomic import replacing
from skhash.archive._manifest import (
    BLOCK,
    FORMAT,
    MANIFEST,
    README,
    WEIGHTS,
    Digest,
    Tail,
    as_member,
    as_text,
)
from skhash.archive._values import Place, encode
from skhash.archive._zip import Member, data_offset, pieces

# A file records the versions of these, if they are loaded.
_LIBRARIES = ("skhash", "numpy", "scipy", "sklearn", "torch", "skorch")


@dataclass
class Draft:
    """A member that is to be written: what it begins with, and arrays after that."""

    name: str
    head: bytes
    arrays: list[np.ndarray] = field(default_factory=list)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The content, a block at most at a time."""
        yield self.head
        for array in self.arrays:
            view = as_bytes(array)
            for start in range(0, len(view), BLOCK):
                yield view[start : start + BLOCK]

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return len(self.head) + sum(array.nbytes for array in self.arrays)


def write(path: str | PathLike[str], content: Any, *, kind: str, about: str) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : str or path
        The file, made or replaced.
    content : object
        None, bool, int, float, str, arrays, numpy's scalars and dtypes, CSR arrays, and
        lists, tuples, mappings and `Node` of these.
    kind : str
        What the file is, for whoever reads it.
    about : str
        The text of its README.md.

    Raises
    ------
    TypeError
        If the content holds a value of another kind; the message says where.
    """
    plain, places = encode(content)
    drafts, arrays = _drafts(places)
    drafts.insert(0, Draft(README, about.encode()))
    versions = library_versions()
    with replacing(Path(path)) as file:
        told: list[dict[str, Any]] = []
        start = 0
        for draft in drafts:
            start = data_offset(start, draft.name, draft.size)
            told.append(_write_member(file, start, draft))
            start += draft.size
        manifest = as_text(
            {
                "format": FORMAT,
                "kind": kind,
                "versions": versions,
                "content": plain,
                "arrays": arrays,
                "members": told,
            }
        )
        start = data_offset(start, MANIFEST, len(manifest))
        own = _write_member(file, start, Draft(MANIFEST, manifest))
        digest = hashlib.sha256(manifest).hexdigest()
        tail = Tail(versions["skhash"], FORMAT, start, len(manifest), digest)
        members: list[Member] = [as_member(entry) for entry in (*told, own)]
        for piece in pieces(members, tail.text):
            file.seek(piece.offset)
            file.write(piece.content)


def _write_member(file: BinaryIO, offset: int, draft: Draft) -> dict[str, Any]:
    """Write the data of a member; what the manifest says of it."""
    digest = Digest(draft.name)
    file.seek(offset)
    for chunk in draft.chunks():
        file.write(chunk)
        digest.update(chunk)
    return digest.told()


def _drafts(places: dict[str, Place]) -> tuple[list[Draft], dict[str, Any]]:
    """Members for the arrays, and what the manifest says of these."""
    drafts: list[Draft] = []
    entries: dict[str, Any] = {}
    together = {name: each.array for name, each in places.items() if each.own is None}
    if together:
        layouts = {name: Layout.of(array) for name, array in together.items()}
        head = safetensors_header(layouts.items())
        drafts.append(Draft(WEIGHTS, head, list(together.values())))
        entries = {name: each.entry(WEIGHTS) for name, each in layouts.items()}
    taken: set[str] = set()
    for name, place in places.items():
        if place.own is not None:
            layout, member = Layout.of(place.array), _member_name(place.own, taken)
            drafts.append(Draft(member, npy_header(layout), [place.array]))
            entries[name] = layout.entry(member)
    return drafts, entries


def _member_name(own: str, taken: set[str]) -> str:
    """A name for an npy, numbered where there are several of them."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in own)
    safe = safe.strip("_").lower()[:60] or "array"
    name, number = f"{safe}.npy", 2
    while name in taken:
        name, number = f"{safe}-{number}.npy", number + 1
    taken.add(name)
    return name


def library_versions() -> dict[str, str]:
    """Versions of Python and of those libraries that are loaded."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        if name in sys.modules:
            found[name] = str(sys.modules[name].__version__)
    return found
