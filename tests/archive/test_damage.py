"""Files that are damaged, hostile, or not ours: one error, and nothing else."""

import itertools
import json
import os
import re
import socket
import tracemalloc

import numpy as np
import pytest

from skhash.archive import LoadError, Node, read, write
from tests.archive.sealing import altered, manifest_of, sealed

CONTENT = {
    "name": "a model",
    "numbers": [1, 0.5, float("nan"), (True, None)],
    "codes": np.arange(24, dtype=np.uint8).reshape(8, 3),
    "ids": np.array(["a", "b", "c", "d", "e", "f", "g", "h"]),
    "weights": {"first": np.arange(6.0).reshape(2, 3), "mask": np.ones(3, bool)},
    "names": np.array(["é", "bc"]),
    "node": Node("part", {"scale": np.float32(3)}),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A small file with a member of each kind."""
    path = tmp_path_factory.mktemp("damage") / "a"
    write(path, CONTENT, kind="test", about="For humans.\n")
    return path


@pytest.fixture
def changed(tmp_path):
    """A function that writes some bytes and reads them as a file."""

    def load(content, **options):
        (tmp_path / "b").write_bytes(content)
        return read(tmp_path / "b", kind="test", **options)

    return load


@pytest.mark.slow
def test_every_changed_byte_is_found(path, changed):
    content = path.read_bytes()
    for place in range(len(content)):
        other = bytearray(content)
        other[place] ^= 1 << place % 8
        with pytest.raises(LoadError):
            changed(bytes(other))


@pytest.mark.slow
def test_every_length_but_its_own_is_refused(path, changed):
    content = path.read_bytes()
    for size in range(len(content)):
        with pytest.raises(LoadError):
            changed(content[:size])
    for more in (b"\0", b"PK", content, content[-200:], bytes(1000)):
        for other in (content + more, more + content):
            with pytest.raises(LoadError):
                changed(other)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(5000), b"PK\5\6" + bytes(18)])
def test_other_files(content, changed):
    with pytest.raises(LoadError, match=r"has not the end of a file by skhash\.save"):
        changed(content)


def test_what_is_no_file(tmp_path):
    with pytest.raises(LoadError, match="is no file"):
        read(tmp_path, kind="test")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none", kind="test")
    os.mkfifo(tmp_path / "pipe")  # opened, it would wait for a writer
    with pytest.raises(LoadError, match="is no file"):
        read(tmp_path / "pipe", kind="test")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(LoadError, match="is no file"):
            read(tmp_path / "socket", kind="test")


def test_messages_name_the_member(path, changed):
    content = path.read_bytes()
    codes = content.index(bytes(range(24)))
    places = {
        codes: "member 'codes.npy' is damaged: its checksums are others",
        codes - 130: "the header of member 'codes.npy' is damaged",
        codes - 20: "header of the arrays in 'codes.npy'",
        content.index(b"For humans"): "member 'README.md'",
        content.index(b'"a model"'): "member 'manifest.json' is damaged",
        content.index(b"PK\1\2"): "the directory is damaged",
        content.index(b"PK\5\6") + 8: "the end is damaged",
    }
    for place, told in places.items():
        other = bytearray(content)
        other[place] ^= 1
        with pytest.raises(LoadError, match=re.escape(told)) as error:
            changed(bytes(other))
        assert "Copy it anew" in str(error.value)


def test_another_kind_of_file(path):
    with pytest.raises(LoadError, match="it holds a test, not a model"):
        read(path, kind="model")


def members_of(content):
    """What the manifest of a file says of its members."""
    return json.loads(manifest_of(content))["members"]


def test_sealing_changes_nothing_else(path, changed):
    content = path.read_bytes()
    assert altered(content, lambda told: None) == content
    other = altered(content, lambda told: told["content"].update(name="another"))
    assert changed(other).content["name"] == "another"


def test_another_format_names_its_writer(path, changed):
    content = path.read_bytes()
    text = manifest_of(content)
    with pytest.raises(LoadError, match=r"of format 2, written by skhash 7\.1"):
        changed(sealed(content, text, members_of(content), version="7.1", number=2))


def test_a_newer_version_of_skhash(path, changed):
    content = path.read_bytes()
    newer = lambda told: told["versions"].update(skhash="9.0")
    with pytest.raises(LoadError, match=r"skhash 9\.0 wrote it, which is newer"):
        changed(altered(content, newer))


def entry(name, **changes):
    """A change of what the manifest says of an array."""

    def change(told):
        told["arrays"][name].update(changes)

    return change


def member(number, **changes):
    """A change of what the manifest says of a member."""

    def change(told):
        told["members"][number].update(changes)

    return change


def content(value):
    """A change of the content."""

    def change(told):
        told["content"] = value

    return change


BIG = 10**12
HOSTILE = {
    "another shape": entry("codes", shape=[8, 4]),
    "a shape beyond all": entry("codes", shape=[BIG, BIG]),
    "a side below zero": entry("codes", shape=[-8, -3]),
    "a side that is no number": entry("codes", shape=[True, 24]),
    "many axes": entry("codes", shape=[1] * 40),
    "objects": entry("codes", dtype="|O"),
    "no dtype": entry("codes", dtype="|V24"),
    "a record": entry("codes", dtype="u1,u1"),
    "text without width": entry("codes", dtype="<U0"),
    "another order": entry("codes", order="A"),
    "the usual order, said": entry("codes", order="C"),
    "a member that is no name": entry("codes", member={}),
    "no such member": entry("codes", member="other.npy"),
    "another member": entry("codes", member="ids.npy"),
    "in the README": entry("codes", member="README.md"),
    "in the manifest": entry("codes", member="manifest.json"),
    "a larger member": member(2, bytes=BIG),
    "a smaller member": member(2, bytes=3),
    "a member below zero": member(2, bytes=-1),
    "another checksum": member(2, sha256="0" * 64),
    "another CRC": member(2, crc32=5),
    "blocks of a small member": member(2, blocks=["0" * 64]),
    "a path": member(2, name="../codes.npy"),
    "an absolute path": member(2, name="/codes.npy"),
    "a hidden name": member(2, name=".codes"),
    "a name twice": member(2, name="ids.npy"),
    "the name of the manifest": member(2, name="manifest.json"),
    "no members": lambda told: told["members"].clear(),
    "a member less": lambda told: told["members"].pop(),
    "no arrays": lambda told: told["arrays"].clear(),
    "another part": lambda told: told.update(more=1),
    "parts in another order": lambda told: dict(reversed(told.items())),
    "no parts": lambda told: {"members": told["members"]},
    "another format inside": lambda told: told.update(format=2),
    "versions that are none": lambda told: told["versions"].update(numpy=2),
    "an array left over": content({}),
    "an array twice": content([{"$array": "codes"}, {"$array": "codes"}]),
    "an unknown array": content({"$array": "none"}),
    "an unknown kind": content({"$eval": "1"}),
    "two kinds at once": content({"$float": "nan", "$tuple": []}),
    "a kind among names": content({"$float": "nan", "a": 1}),
    "a float that is none": content({"$float": "1e5"}),
    "a scalar too many": content({"$scalar": ["<f4", "0000000000000000"]}),
    "a scalar of objects": content({"$scalar": ["|O", "0000000000000000"]}),
    "a type": content({"$type": "eval"}),
    "a dtype": content({"$dtype": "i4,i4"}),
    "much text": content({"$text": ["<U99999", [1], ["a"]]}),
    "text that is too long": content({"$text": ["<U1", [1], ["ab"]]}),
    "text that is none": content({"$text": ["<U1", [1], [1]]}),
    "a column of another kind": content(
        {"$column": {"kind": "eval", "shape": [1], "values": ["1"]}}
    ),
    "a column of numbers that are none": content(
        {"$column": {"kind": "int", "shape": [1], "values": ["x"]}}
    ),
    "pairs that are none": content({"$pairs": [[1, 2, 3]]}),
    "keys that are lists": content({"$pairs": [[[1], 2]]}),
    "a node without a name": content({"$node": 5}),
    "a sparse array of nothing": content({"$sparse": {"kind": "csr_array"}}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_manifests_that_lie(path, changed, change):
    other = altered(path.read_bytes(), change)
    tracemalloc.start()
    try:
        with pytest.raises(LoadError):
            changed(other)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(other) + (1 << 18)
    finally:
        tracemalloc.stop()


TEXTS = {
    "blanks": lambda text: text.replace(b": ", b":  ", 1),
    "a number written otherwise": lambda text: text.replace(b"0.5", b"0.50", 1),
    "a key twice": lambda text: text.replace(b'{"name"', b'{"name": 1, "name"', 1),
    "not finite": lambda text: text.replace(b"0.5", b"NaN", 1),
    "too large": lambda text: text.replace(b"0.5", b"1e999", 1),
    "nested deeply": lambda text: text.replace(b"0.5", b"[" * 9999 + b"]" * 9999, 1),
    "digits without end": lambda text: text.replace(b"0.5", b"9" * 9999, 1),
    "another encoding": lambda text: text.replace(b"a model", b"\xff model", 1),
    "no JSON": lambda text: text[:-5],
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_manifests_that_are_written_otherwise(path, changed, change):
    content = path.read_bytes()
    text = manifest_of(content)
    other = change(text)
    assert other != text
    with pytest.raises(LoadError):
        changed(sealed(content, other, members_of(content)))


@pytest.mark.slow
def test_parts_of_two_files(path, tmp_path, changed):
    write(tmp_path / "a", {**CONTENT, "name": "other"}, kind="test", about="Others.\n")
    pair = path.read_bytes(), (tmp_path / "a").read_bytes()
    for (a, b), cut in itertools.product(
        (pair, pair[::-1]), range(0, len(pair[0]), 17)
    ):
        for other in (a[:cut] + b[cut:], a[:cut] + b[cut - len(a) :]):
            if other not in pair:
                with pytest.raises(LoadError):
                    changed(other)
