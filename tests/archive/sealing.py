"""Files with another manifest, whose checksums fit: what an enemy can make."""

import copy
import hashlib
import json

from skhash.archive._manifest import MANIFEST, Digest, Tail, as_member, as_text
from skhash.archive._zip import pieces


def tail_of(content):
    """The end of a file, which says where its manifest is."""
    return Tail.found_in(content[-200:])


def manifest_of(content):
    """The text of the manifest of a file."""
    tail = tail_of(content)
    return content[tail.offset : tail.offset + tail.size]


def sealed(content, text, members, *, version=None, number=None):
    """The file with another manifest, framed for these members."""
    tail, own = tail_of(content), Digest(MANIFEST)
    own.update(text)
    end = Tail(
        version or tail.version,
        number or tail.format,
        tail.offset,
        len(text),
        hashlib.sha256(text).hexdigest(),
    )
    frame = list(pieces([as_member(row) for row in (*members, own.told())], end.text))
    made = bytearray(content[: tail.offset] + text)
    made += bytes(max(0, frame[-1].offset + len(frame[-1].content) - len(made)))
    for piece in frame:
        made[piece.offset : piece.offset + len(piece.content)] = piece.content
    return bytes(made)


def altered(content, change):
    """The file with a manifest that a function has changed, or returned.

    The frame is that of the members told, where these are not larger than any file.
    """
    before = json.loads(manifest_of(content))
    told = copy.deepcopy(before)
    changed = change(told)
    told = told if changed is None else changed
    members = before["members"]
    if isinstance(told, dict) and "members" in told:
        fits = [0 <= row["bytes"] < 1 << 24 for row in told["members"]]
        members = told["members"] if all(fits) else members
    return sealed(content, as_text(told), members)
