"""The checker of built pages sees each kind of fault, and nothing else."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "check_links.py"


@pytest.fixture(scope="module")
def checker():
    spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def site(folder, body):
    (folder / "sub").mkdir()
    (folder / "picture.png").write_bytes(b"")
    (folder / "sub" / "other.html").write_text('<h1 id="here">Other</h1>')
    (folder / "index.html").write_text(body)
    return folder


@pytest.mark.parametrize(
    "body",
    [
        '<a href="#top">up</a>',
        '<a href="sub/other.html">there</a>',
        '<a href="sub/other.html#here">there</a>',
        '<a href="https://example.org/#x">away</a>',
        '<img src="picture.png?v=1">',
        '<img srcset="picture.png, picture.png 2.00x" src="picture.png">',
        '<img src="data:image/png;base64,AAAA">',
        '<p id="a">x</p><a href="#a">x</a>',
    ],
)
def test_good_link_passes(checker, tmp_path, body):
    assert checker.broken(site(tmp_path, body)) == []
    assert checker.main(str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="#nowhere">x</a>', "no such anchor"),
        ('<a href="gone.html">x</a>', "no such file"),
        ('<a href="sub/other.html#gone">x</a>', "no such anchor"),
        ('<img src="gone.png">', "no such file"),
        ('<img srcset="picture.png, gone.png 2.00x">', "no such file"),
        ('<script src="https://example.org/x.js"></script>', "another host"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "another host"),
    ],
)
def test_fault_is_named(checker, tmp_path, body, fault):
    (found,) = checker.broken(site(tmp_path, body))
    assert found.startswith("index.html: ")
    assert fault in found
    assert checker.main(str(tmp_path)) == 1


def test_folder_without_pages_is_refused(checker, tmp_path):
    with pytest.raises(SystemExit, match="build the pages first"):
        checker.main(str(tmp_path))
