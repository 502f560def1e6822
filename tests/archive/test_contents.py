"""`contents` tells what is in a file, from its manifest alone."""

import json
import os
import zipfile

import numpy as np
import pytest

from skhash.archive import LoadError, contents, write


@pytest.fixture
def file(tmp_path):
    content = {"name": "x", "codes": np.arange(6, dtype=np.uint8).reshape(3, 2)}
    write(tmp_path / "a.skhash", content, kind="estimator", about="About it.")
    return tmp_path / "a.skhash"


def test_contents_are_those_of_the_zip(file):
    told = contents(file)
    with zipfile.ZipFile(file) as members:
        manifest = json.loads(members.read("manifest.json"))
        sizes = {each.filename: each.file_size for each in members.infolist()}
    assert told.kind == manifest["kind"] == "estimator"
    assert told.content == manifest["content"]
    assert told.versions == manifest["versions"]
    assert told.members == {k: v for k, v in sizes.items() if k != "manifest.json"}
    assert told.arrays["codes"].shape == (3, 2)
    assert told.homes == {"codes": "codes.npy"}
    assert told.size == os.path.getsize(file)  # noqa: PTH202


def test_arrays_are_not_read_but_the_manifest_is_checked(file):
    whole = file.read_bytes()
    at = whole.index(bytes(range(6)))
    file.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    assert contents(file).kind == "estimator"
    at = whole.index(b'"kind"')
    file.write_bytes(whole[:at] + b'"kinD"' + whole[at + 6 :])
    with pytest.raises(LoadError, match=r"manifest\.json"):
        contents(file)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"something else")
    with pytest.raises(LoadError, match="it is another file, or cut short"):
        contents(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        contents(tmp_path / "b")
