"""What is in a file, according to its manifest; nothing is loaded."""

from __future__ import annotations

from os import PathLike
from typing import Any, NamedTuple

from skhash.archive._arrays import Layout
from skhash.archive._read import open_file


class Contents(NamedTuple):
    """A file as its manifest describes it.

    Attributes
    ----------
    kind : str
        The kind of file.
    size : int
        Its bytes.
    versions : dict of str to str
        The libraries that wrote it.
    content : Any
        The values, as the JSON of the manifest has them.
    arrays : dict of str to Layout
        Dtype, shape and order of each array.
    homes : dict of str to str
        The member that each array lies in.
    members : dict of str to int
        The bytes of each member.
    """

    kind: str
    size: int
    versions: dict[str, str]
    content: Any
    arrays: dict[str, Layout]
    homes: dict[str, str]
    members: dict[str, int]


def contents(path: str | PathLike[str]) -> Contents:
    """What a file says it holds; its frame is checked, its arrays are not read.

    Raises
    ------
    LoadError
        If it is no such file, or its manifest is damaged or of a newer version.
    OSError
        If there is no file, or it cannot be read.
    """
    with open_file(path) as reader:
        manifest, _ = reader.manifest()
        return Contents(
            manifest.kind,
            reader.size,
            manifest.versions,
            manifest.content,
            {name: layout for name, (_, layout) in manifest.arrays.items()},
            {name: member for name, (member, _) in manifest.arrays.items()},
            {entry["name"]: entry["bytes"] for entry in manifest.members},
        )
