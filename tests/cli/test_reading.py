"""Files are read as they are meant, or refused in one line that says what to do."""

import re
import sys

import numpy as np
import pytest

from skhash.cli._input.options import Reading, as_size
from skhash.cli._input.read import read_items

SIMPLE = "id,x,y2,kind\nu,1,2.5,a\nv,-3,1e2,b\n"


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


def error_of(path, **how):
    with pytest.raises((ValueError, ImportError, OSError)) as caught:
        read_items(str(path), Reading(quiet=True, **how))
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path, delimiter):
    path = written(tmp_path, "a.csv", SIMPLE.replace(",", delimiter))
    items = read_items(path, Reading(id="id", label="kind"))
    np.testing.assert_array_equal(items.X, [[1, 2.5], [-3, 100]])
    assert items.ids.tolist() == ["u", "v"]
    assert items.labels.tolist() == ["a", "b"]
    one = read_items(path, Reading(columns=["y*"]))
    np.testing.assert_array_equal(one.X, [[2.5], [100]])


def test_csv_with_the_columns_that_pandas_numbers(tmp_path):
    items = read_items(written(tmp_path, "a.csv", "0,1\n5,6\n"), Reading())
    np.testing.assert_array_equal(items.X, [[5, 6]])


@pytest.mark.parametrize(
    ("text", "how", "message"),
    [
        (SIMPLE, {}, "column 'id' looks like no part of a vector. Say what it is"),
        (SIMPLE, {"id": "id"}, "line 2, column 'kind' holds 'a', which is no number"),
        (SIMPLE, {"id": "Id"}, "has no column 'Id' for --id; .* Did you mean 'id'?"),
        (SIMPLE, {"columns": ["z*"]}, "has no column 'z[*]' for --columns"),
        (SIMPLE, {"key": "x"}, "has columns, not arrays: give --columns NAME"),
        (",x\n0,1\n", {}, "a column without name is no part of a vector"),
        ("x,z\n1\n", {}, "line 2 has 1 values, the line of names 2"),
        ("x,z\n1,2,3\n", {}, "line 2 has 3 values, the line of names 2"),
        ("x,z\n1,\n", {}, "line 2, column 'z' is empty; fill it in, or leave"),
        ("x,z\n1,2_0\n", {}, "column 'z' holds '2_0', which is no number"),
        ("x;z\n1;2,5\n", {}, "'2,5', which is no number; write decimals with a point"),
        ('x,z\n1,2\n\n1,"a\n"\n', {}, "line 5, column 'z' holds"),
        ("x,z\n1,nan\n", {}, r"missing \(NaN\), first in row 0, column 'z'"),
        ("x,z\n1,2\ninf,2\n", {}, "infinite, first in row 1, column 'x'"),
        ("1.5,2\n3,4\n", {}, "names the columns, but holds the number 1.5"),
        ("u,-1,0.5\nv,2,0.5\n", {"id": "u"}, "but holds the number -1"),
        ("5,2\n3,4\n", {}, "the first line names the columns, but holds numbers"),
        ("x,x\n3,4\n", {}, "has two columns 'x'"),
        ("x,z\n", {}, "has names of columns, and no rows"),
        ("", {}, "is empty; its first line names the columns"),
        ('x,z\n1,"2\n', {}, "is no table in UTF-8 text"),
    ],
)
def test_csv_that_is_refused(tmp_path, text, how, message):
    assert_matches(error_of(written(tmp_path, "a.csv", text), **how), message)


@pytest.mark.parametrize(
    "name",
    [
        "item_id",
        "itemId",
        "User ID",
        "ids",
        "category",
        "categories",
        "sub-class",
        "ts",
        "created.time",
        "event_ts",
        "Cluster",
        "target_idx",
        "postal_code",
        "y",
        "date",
    ],
)
def test_numbers_under_the_name_of_an_id_or_a_label_are_refused(tmp_path, name):
    path = written(tmp_path, "a.csv", f"e0,e1,{name}\n1,2,3\n")
    assert_matches(error_of(path), f"column {name!r} looks like no part of a vector")
    X = read_items(path, Reading(columns=["e[01]"])).X
    np.testing.assert_array_equal(X, [[1, 2]])


@pytest.mark.parametrize("name", ["grid", "lifetime", "y2", "width", "classy", "kind"])
def test_numbers_under_other_names_are_told(tmp_path, name, capsys):
    path = written(tmp_path, "a.csv", f"e0,{name}\n1,2\n")
    assert read_items(path, Reading()).X.shape == (1, 2)
    assert f"2 values (float64), columns e0 ... {name}\n" in capsys.readouterr().err


def assert_matches(text, message):
    assert re.search(message, text), text
    assert "\n" not in text


def test_csv_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("x,größe\n1,2\n".encode("latin-1"))
    assert "is no table in UTF-8 text" in error_of(tmp_path / "a.csv")


def test_npy_is_mapped(tmp_path, vectors):
    np.save(tmp_path / "a.npy", vectors[0])
    items = read_items(str(tmp_path / "a.npy"), Reading())
    assert isinstance(items.X, np.memmap)
    np.testing.assert_array_equal(items.X, vectors[0])


@pytest.mark.parametrize(
    ("array", "how", "message"),
    [
        (np.zeros((3, 2)), {"id": "a"}, "one array without names: --id cannot be"),
        (np.zeros((3, 2)), {"grey": True}, "holds no photos: leave --size and --grey"),
        (np.zeros(3), {}, r"has shape \(3,\); vectors are rows of a table"),
        (np.zeros((0, 3)), {}, r"has shape \(0, 3\)"),
        (np.array([["a"]]), {}, "holds values of type <U1, not numbers"),
        (np.array([[1, np.nan]]), {}, r"missing \(NaN\), first in row 0, column 1"),
        (np.array([[1, None]]), {}, "cannot be read: it holds Python objects"),
    ],
)
def test_npy_that_is_refused(tmp_path, array, how, message):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    assert_matches(error_of(tmp_path / "a.npy", **how), message)


def test_npy_that_is_none_or_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((9, 9)))
    path.write_bytes(path.read_bytes()[:-9])
    assert "cannot be read: it is cut short" in error_of(path)
    path.write_bytes(b"hello")
    assert "is no .npy file" in error_of(path)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, r"holds few .*, Z \(4, 3\), y \(4,\): say which array .* --key NAME"),
        ({"key": "W"}, "has no array 'W' for --key; it holds few"),
        ({"key": "X", "id": "few"}, r"--id few has shape \(2,\), but there are 4 item"),
        ({"columns": ["X"]}, "has arrays, not columns: give --key NAME"),
    ],
)
def test_npz_that_is_refused(tmp_path, how, message):
    arrays = {"X": np.zeros((4, 2)), "Z": np.zeros((4, 3)), "y": np.arange(4)}
    np.savez(tmp_path / "a.npz", few=np.arange(2), **arrays)
    assert_matches(error_of(tmp_path / "a.npz", **how), message)


@pytest.fixture
def parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def write(**columns):
        columns = {
            k: v if hasattr(v, "type") else pa.array(v) for k, v in columns.items()
        }
        parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
        return tmp_path / "a.parquet"

    return write


def test_parquet(parquet, vectors):
    import pyarrow as pa

    X, y, ids = vectors
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 16)
    for column in (X.tolist(), fixed, pa.array(list(X), pa.large_list(pa.float32()))):
        path = parquet(name=ids.tolist(), embedding=column, kind=y.tolist())
        items = read_items(str(path), Reading(id="name", label="kind"))
        np.testing.assert_array_equal(items.X, X)
        assert items.ids.tolist() == ids.tolist()
        assert items.labels.tolist() == y.tolist()
    path = parquet(a=[1.5, 2.0], b=[3, 4], text=["s", "t"])
    for how in ({"columns": ["a", "b"]}, {"label": "text", "columns": ["?"]}):
        items = read_items(str(path), Reading(**how))
        np.testing.assert_array_equal(items.X, [[1.5, 3], [2, 4]])
    items = read_items(str(parquet(a=[1, 2], b=[3, 4])), Reading())
    np.testing.assert_array_equal(items.X, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("columns", "how", "message"),
    [
        ({"e": [[1.0, 2.0], [1.0]]}, {}, "the list in column 'e', row 1 has 1 values"),
        ({"e": [[1.0], None]}, {}, r"column 'e' is missing \(null\), first in row 1 "),
        ({"e": [[1.0, 2], [None, 2]]}, {}, r"'e' is missing \(null\), first in row 1 "),
        ({"e": [[1.0, np.nan]]}, {}, r"missing \(NaN\), first in row 0, column 1"),
        ({"e": [[]]}, {}, "column 'e' holds no numbers"),
        ({"a": [1.0, None]}, {}, "a value of column 'a' is missing"),
        ({"a": [1.0], "t": ["s"]}, {}, "column 't' holds no numbers. Say what it is"),
        ({"a": [1.0], "id": [7]}, {}, "column 'id' looks like no part of a vector"),
        ({"a": [1.0], "b": [7]}, {}, "column 'b' holds whole numbers among columns"),
        ({"e": [[1.0]], "f": [[2.0]]}, {}, "several columns of lists, e, f: say which"),
        ({"e": [[1.0]], "a": [2.0]}, {"columns": ["e", "a"]}, "not e, a together"),
        ({"a": [1.0], "t": [None]}, {"id": "t"}, "column 't' for --id has missing"),
    ],
)
def test_parquet_that_is_refused(parquet, columns, how, message):
    assert_matches(error_of(parquet(**columns), **how), message)


def test_parquet_that_is_damaged_is_refused(parquet):
    path = parquet(a=[1.0])
    path.write_bytes(path.read_bytes()[:-7])
    assert "is no whole .parquet file" in error_of(path)


def test_without_pyarrow_the_error_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert 'pip install "skhash[cli]"' in error_of(tmp_path / "a.parquet")


def test_photos(photos, pixels):
    items = read_items(str(photos), Reading(size=(20, 24)))
    assert items.ids.tolist() == sorted(pixels)
    np.testing.assert_array_equal(items.X, [pixels[n] for n in sorted(pixels)])
    assert items.labels.tolist() == ["left"] * 4 + ["right"] * 4
    assert read_items(str(photos), Reading(grey=True)).X.shape == (8, 32, 32)
    assert read_items(str(photos), Reading(by_folder=False)).labels is None
    (photos / "left" / "0.png").rename(photos / "0.png")  # outside of the folders
    assert read_items(str(photos), Reading()).labels is None


def test_photos_are_read_as_the_model_wants_them(photos):
    assert read_items(str(photos), Reading(), (5, 6)).X.shape == (8, 5, 6)
    with pytest.raises(ValueError, match="was fitted on photos of 5x6 pixels, grey"):
        read_items(str(photos), Reading(size=(7, 7)), (5, 6))
    with pytest.raises(ValueError, match=r"items of shape \(16,\), not on photos"):
        read_items(str(photos), Reading(), (16,))


def test_broken_photos_are_left_out_by_name(photos, tmp_path, capsys):
    (photos / "left" / "1.png").write_bytes(b"broken")
    np.save(tmp_path / "y.npy", np.arange(8))
    items = read_items(str(photos), Reading(labels=str(tmp_path / "y.npy")))
    assert items.labels.tolist() == [0, 2, 3, 4, 5, 6, 7]
    assert "left/1.png" not in items.ids
    assert "left out: " in capsys.readouterr().err
    assert "left/1.png cannot be read as an image" in error_of(photos, strict=True)
    for path in photos.rglob("*.png"):
        path.write_bytes(b"broken")
    assert "None of 8 photos can be read" in error_of(photos)


def test_labels_apart(photos, tmp_path):
    path = tmp_path / "labels.csv"
    names = read_items(str(photos), Reading()).ids.tolist()
    rows = [f"{name},{n % 3}" for n, name in enumerate(names)]
    path.write_text("\n".join(["file,label", *reversed(rows)]))
    items = read_items(str(photos), Reading(labels=str(path)))
    assert items.labels.tolist() == [str(n % 3) for n in range(8)]
    path.write_text("\n".join(["file,label", *rows[1:]]))
    assert_matches(
        error_of(photos, labels=str(path)), "has no label for 'left/0.png' .1 of 8"
    )
    path.write_text("\n".join(["file,label", *rows, f"{names[0]},7"]))
    assert "has two labels for 'left/0.png'" in error_of(photos, labels=str(path))
    path.write_text("\n".join(rows))
    told = error_of(photos, labels=str(path))
    assert_matches(told, "begins with the item 'left/0.png'; its first line must be na")
    path.write_bytes("file,größe\n".encode("latin-1"))
    told = error_of(photos, labels=str(path))
    assert_matches(told, "labels.csv is no table in UTF-8 text")
    (tmp_path / "y.txt").write_bytes("größe\n".encode("latin-1"))
    told = error_of(photos, labels=str(tmp_path / "y.txt"))
    assert_matches(told, "y.txt is no table in UTF-8 text")
    (tmp_path / "y.txt").write_text("a\nb\n" * 4, "utf-8-sig")
    items = read_items(str(photos), Reading(labels=str(tmp_path / "y.txt")))
    assert items.labels.tolist() == ["a", "b"] * 4
    (tmp_path / "y.txt").write_text("a\nb\n")
    assert "holds 2 labels, but" in error_of(photos, labels=str(tmp_path / "y.txt"))
    assert "labels are in .npy or .txt" in error_of(photos, labels="labels.doc")


def test_what_is_no_file_of_items_is_refused(tmp_path):
    assert "There is no file or folder" in error_of(tmp_path / "none.xyz")
    assert "is none of .npy, .npz" in error_of(written(tmp_path, "a.xyz", "x"))
    assert "holds no images" in error_of(tmp_path)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.jpg"])
def test_missing_files_are_told(tmp_path, name):
    assert name in error_of(tmp_path / name)


def test_width_is_that_of_the_model(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    with pytest.raises(ValueError, match="items of 3 values, but the model takes 16"):
        read_items(str(tmp_path / "a.npy"), Reading(), (16,))


@pytest.mark.parametrize(
    ("text", "size"), [("32", (32, 32)), ("48x64", (48, 64)), (None, None)]
)
def test_sizes(text, size):
    assert as_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "3x", "x3", "-4", "3x0", "a"])
def test_sizes_that_are_none(text):
    with pytest.raises(ValueError, match="--size is height x width"):
        as_size(text)
