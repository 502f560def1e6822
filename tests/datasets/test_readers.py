"""Readers on files written here, whole and damaged."""

import gzip
import io
import pickle
import struct
from typing import ClassVar

import numpy as np
import pytest
from scipy.io import savemat

from skhash.datasets import (
    load_cifar,
    load_image_folder,
    load_label_list,
    load_mat,
    load_mnist,
    load_npz,
    read_idx,
)
from skhash.datasets._safe_pickle import UnsafePickleError, load_arrays


def idx_bytes(array, code):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("dtype", "code"),
    [
        (np.uint8, 0x08),
        (np.int8, 0x09),
        (np.int16, 0x0B),
        (np.int32, 0x0C),
        (np.float32, 0x0D),
        (np.float64, 0x0E),
    ],
)
def test_idx_arrays_come_back(tmp_path, dtype, code, zipped):
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(dtype)
    content = idx_bytes(array, code)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(path)
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


WHOLE = idx_bytes(np.zeros((2, 3), np.uint8), 0x08)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"PNG.....", "not an IDX file"),
        (b"\0\0\x07\1" + b"\0" * 9, "not an IDX file"),
        (WHOLE[:8], "inside its header"),
        (WHOLE[:-1], "cut short.* takes 18 bytes, the file has at most 17"),
        (WHOLE + b"\0", "too long"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "damaged gzip"),
    ],
)
def test_damaged_idx_files_are_described(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@pytest.fixture
def mnist(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 5, 5), dtype=np.uint8)
    labels = rng.integers(0, 10, 7, dtype=np.uint8)
    files = {
        "train-images-idx3-ubyte": images[:4],
        "train-labels-idx1-ubyte": labels[:4],
        "t10k-images.idx3-ubyte": images[4:],
        "t10k-labels-idx1-ubyte.gz": labels[4:],
    }
    for name, array in files.items():
        content = idx_bytes(array, 0x08)
        if name.endswith("gz"):
            content = gzip.compress(content)
        (tmp_path / name).write_bytes(content)
    return tmp_path, images, labels


@pytest.mark.parametrize(
    ("subset", "rows", "n_train"),
    [("all", slice(None), 4), ("train", slice(4), 4), ("test", slice(4, None), 0)],
)
def test_mnist_folder_is_read(mnist, subset, rows, n_train):
    folder, images, labels = mnist
    bunch = load_mnist(folder, subset=subset)
    np.testing.assert_array_equal(bunch.data, images[rows])
    np.testing.assert_array_equal(bunch.target, labels[rows])
    assert bunch.n_train == n_train


def test_incomplete_mnist_folders_are_described(mnist):
    folder, _, _ = mnist
    with pytest.raises(ValueError, match="subset must be"):
        load_mnist(folder, subset="validation")
    (folder / "train-labels-idx1-ubyte").write_bytes(
        idx_bytes(np.zeros(3, np.uint8), 0x08)
    )
    with pytest.raises(ValueError, match="n images and n labels"):
        load_mnist(folder)
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"train-labels-idx1-ubyte\.gz in"):
        load_mnist(folder)


def write_cifar(folder, version, n_classes, protocol=2):
    """Files of two images each; returns pixels and labels as CIFAR stores them."""
    rng = np.random.default_rng(0)
    names = (
        [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
        if n_classes == 10
        else ["train", "test"]
    )
    pixels = rng.integers(0, 256, (len(names), 2, 3072), dtype=np.uint8)
    fine = rng.integers(0, n_classes, (len(names), 2), dtype=np.uint8)
    coarse = rng.integers(0, 20, (len(names), 2), dtype=np.uint8)
    for name, data, labels, groups in zip(names, pixels, fine, coarse, strict=True):
        if version == "binary":
            columns = [labels] if n_classes == 10 else [groups, labels]
            rows = np.column_stack([*columns, data])
            (folder / f"{name}.bin").write_bytes(rows.tobytes())
            continue
        batch = {b"data": data, b"batch_label": b"x"}
        if n_classes == 10:
            batch[b"labels"] = labels.tolist()
        else:
            batch[b"fine_labels"] = labels.tolist()
            batch[b"coarse_labels"] = groups.tolist()
        (folder / name).write_bytes(pickle.dumps(batch, protocol=protocol))
    return pixels.reshape(-1, 3072), fine.reshape(-1), coarse.reshape(-1)


@pytest.mark.parametrize("version", ["binary", "python"])
@pytest.mark.parametrize("n_classes", [10, 100])
def test_cifar_is_read(tmp_path, version, n_classes):
    pixels, fine, coarse = write_cifar(tmp_path, version, n_classes)
    bunch = load_cifar(tmp_path)
    assert bunch.data.shape == (len(fine), 32, 32, 3)
    # Row-major planes: red, then green, then blue.
    assert bunch.data[1, 2, 3].tolist() == [
        pixels[1, 1024 * channel + 32 * 2 + 3] for channel in range(3)
    ]
    np.testing.assert_array_equal(bunch.target, fine)
    assert bunch.target_names == []
    assert bunch.n_train == len(fine) - 2
    np.testing.assert_array_equal(load_cifar(tmp_path, subset="test").target, fine[-2:])
    train = load_cifar(tmp_path, subset="train")
    np.testing.assert_array_equal(train.data, bunch.data[:-2])
    if n_classes == 100:
        bunch = load_cifar(tmp_path, labels="coarse")
        np.testing.assert_array_equal(bunch.target, coarse)
    else:
        with pytest.raises(ValueError, match="no coarse labels"):
            load_cifar(tmp_path, labels="coarse")


def test_cifar_names_are_read(tmp_path):
    for version, file, content in (
        ("binary", "batches.meta.txt", b"plane\ncar\n\n"),
        ("python", "batches.meta", pickle.dumps({"label_names": ["plane", "car"]})),
    ):
        folder = tmp_path / version
        folder.mkdir()
        write_cifar(folder, version, 10)
        (folder / file).write_bytes(content)
        assert load_cifar(folder).target_names == ["plane", "car"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a CIFAR batch: not a complete pickle"),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8)}), "keys 'data' and"),
        (pickle.dumps([1, 2]), r"but has \[\]"),
        (pickle.dumps({"data": np.zeros((2, 9), np.uint8), "labels": [0, 1]}), "3072"),
        (
            pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}),
            "not 0 to 9",
        ),
        (pickle.dumps({"data": io.BytesIO()}), "asks for _io.BytesIO"),
    ],
)
def test_damaged_cifar_batches_are_described(tmp_path, content, message):
    write_cifar(tmp_path, "python", 10)
    (tmp_path / "data_batch_3").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load_cifar(tmp_path)
    assert "data_batch_3" in str(caught.value)


def test_damaged_cifar_folders_are_described(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_cifar(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds none of data_batch_1\.bin"):
        load_cifar(tmp_path)
    write_cifar(tmp_path, "binary", 10)
    (tmp_path / "data_batch_2.bin").write_bytes(b"\0" * 3074)
    with pytest.raises(ValueError, match="not a multiple of the 3073 bytes"):
        load_cifar(tmp_path)
    for options in ({"subset": "valid"}, {"labels": "super"}):
        with pytest.raises(ValueError, match="must be"):
            load_cifar(tmp_path, **options)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.array([True, False]),
        np.zeros((0, 3), np.float32),
    ],
)
def test_arrays_come_out_of_pickles(protocol, array):
    content = pickle.dumps({"a": [array, (1, None, "text")]}, protocol=protocol)
    loaded = load_arrays(content)
    key = next(iter(loaded))
    np.testing.assert_array_equal(loaded[key][0], array)
    assert loaded[key][0].dtype == array.dtype


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2 wrote its strings, as in the CIFAR files."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value.encode("latin1") if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def test_pickles_of_python_2_are_read(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (2, 3072), dtype=np.uint8)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        stream = io.BytesIO()
        batch = {"data": data, "labels": [3, 4], "filenames": ["a.png", "b.png"]}
        Python2Pickler(stream, protocol=2).dump(batch)
        content = stream.getvalue().replace(b"numpy._core", b"numpy.core")
        (tmp_path / name).write_bytes(content)
    bunch = load_cifar(tmp_path)
    assert bunch.target.tolist() == [3, 4] * 6
    np.testing.assert_array_equal(
        bunch.data[:2].transpose(0, 3, 1, 2).reshape(2, -1), data
    )


class Attack:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    "attack",
    [
        Attack(eval, "open('hacked', 'w')"),
        Attack(getattr, "text", "upper"),
        Attack(bytes, 10**12),
        Attack(np.load, "hacked"),
        Attack(np.frombuffer, b"1234"),
        np.array([Attack(eval, "1")], dtype=object),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.float64(3),
        np.array(["text"]),
        np.random.default_rng(0),
    ],
)
def test_pickles_of_anything_else_are_refused(tmp_path, monkeypatch, attack, protocol):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"data": attack}, protocol=protocol)
    with pytest.raises(UnsafePickleError):
        load_arrays(content)
    assert list(tmp_path.iterdir()) == []


def test_arrays_that_claim_more_than_they_hold_are_refused():
    content = pickle.dumps(np.zeros(4, np.uint8), protocol=2)
    assert content.count(b"K\x04\x85") == 1
    with pytest.raises(UnsafePickleError, match="do not fit its shape"):
        load_arrays(content.replace(b"K\x04\x85", b"K\x09\x85"))


def test_npz_is_read(tmp_path):
    path = tmp_path / "a.npz"
    X, y = np.arange(6).reshape(3, 2), np.array(["a", "b", "c"])
    np.savez(path, X_train=X, y_train=y)
    bunch = load_npz(path, data="X_train", target="y_train")
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    np.testing.assert_array_equal(bunch.X_train, X)
    assert "data" not in load_npz(path)


def test_damaged_npz_files_are_described(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(FileNotFoundError, match="no file"):
        load_npz(path)
    np.savez(path, X=np.zeros(3), y=np.zeros(2), o=np.array([None]))
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"'o' of .* Python objects"):
        load_npz(path)
    np.savez(path, X=np.zeros(3), y=np.zeros(2))
    with pytest.raises(ValueError, match=r"no array 'Z', only \['X', 'y'\]"):
        load_npz(path, data="Z")
    with pytest.raises(ValueError, match="3 and 2 rows"):
        load_npz(path, data="X", target="y")
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="not a complete NPZ file"):
        load_npz(path)
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match="not a complete NPZ file"):
        load_npz(path)
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(ValueError, match="single array"):
        load_npz(tmp_path / "b.npy")


def test_mat_is_read(tmp_path):
    path = tmp_path / "a.mat"
    images = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    savemat(path, {"images": images, "labels": np.arange(5), "L": np.eye(5)})
    bunch = load_mat(path, data="images", target="labels", samples_axis=-1)
    np.testing.assert_array_equal(bunch.data, np.moveaxis(images, -1, 0))
    np.testing.assert_array_equal(bunch.target, np.arange(5))
    assert load_mat(path, data="L", target="L").target.shape == (5, 5)
    assert sorted(load_mat(path)) == ["L", "images", "labels"]


def test_damaged_mat_files_are_described(tmp_path):
    path = tmp_path / "a.mat"
    with pytest.raises(FileNotFoundError, match="no file"):
        load_mat(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\0" * 99)
    with pytest.raises(ValueError, match="h5py"):
        load_mat(path)
    for content in (b"", b"text", b"x" * 500):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a complete MATLAB file"):
            load_mat(path)
    savemat(path, {"X": np.eye(3), "y": [1, 2]})
    with pytest.raises(ValueError, match="no array 'Y'"):
        load_mat(path, target="Y")
    with pytest.raises(ValueError, match="3 and 2 rows"):
        load_mat(path, data="X", target="y")


@pytest.fixture
def images(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    arrays = {}
    for name in ("cat/2.png", "cat/1.bmp", "ant/deep/3.PNG"):
        arrays[name] = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(arrays[name]).save(tmp_path / name)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path, arrays


def test_image_folder_is_read(images):
    folder, arrays = images
    bunch = load_image_folder(folder)
    assert bunch.filenames == ["ant/deep/3.PNG", "cat/1.bmp", "cat/2.png"]
    assert bunch.target.tolist() == [0, 1, 1]
    assert bunch.target_names == ["ant", "cat"]
    for row, name in zip(bunch.data, bunch.filenames, strict=True):
        np.testing.assert_array_equal(row, arrays[name])
    assert load_image_folder(folder, size=(3, 5)).data.shape == (3, 3, 5, 3)
    assert load_image_folder(folder, mode="L").data.shape == (3, 4, 6)


def test_damaged_image_folders_are_described(images):
    folder, _ = images
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(ValueError, match="mode must be"):
        load_image_folder(folder, mode="CMYK")
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_image_folder(folder / "nowhere")
    with pytest.raises(FileNotFoundError, match="no folders of images"):
        load_image_folder(folder / "cat")
    image.new("RGB", (9, 9)).save(folder / "cat" / "4.png")
    with pytest.raises(ValueError, match=r"4.png has 9 x 9 pixels, .* has 4 x 6"):
        load_image_folder(folder)
    (folder / "cat" / "4.png").write_bytes(b"text")
    with pytest.raises(ValueError, match=r"4\.png cannot be read"):
        load_image_folder(folder)


def test_label_lists_are_read(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a 1.jpg 0 1\n\nb.jpg 1 1\n")
    bunch = load_label_list(path)
    assert bunch.filenames == ["a 1.jpg", "b.jpg"]
    assert bunch.target.tolist() == [[0, 1], [1, 1]]
    path.write_text("a  b\u00a0c\u2028.jpg  0 01\n", encoding="utf-8-sig")
    assert load_label_list(path).filenames == ["a  b\u00a0c\u2028.jpg"]
    assert load_label_list(path).target.tolist() == [[0, 1]]
    path.write_text(f"a.jpg {2**63 - 1}\nb.jpg 00000000000000000000001\n")
    assert load_label_list(path).target.tolist() == [2**63 - 1, 1]
    assert load_label_list(path).target.dtype == np.int64
    path.write_text("a.jpg 12\r\nb.jpg 3\r\n")
    bunch = load_label_list(path)
    assert bunch.filenames == ["a.jpg", "b.jpg"]
    assert bunch.target.tolist() == [12, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty list"),
        ("a.jpg\n", "line 1: expected a file name and its labels"),
        ("a.jpg 0 1\nb.jpg 1\n", "line 2: expected a file name and 2 labels"),
        ("a.jpg 0 1\n\n0 1\n", "line 3: expected"),
        ("a.jpg 0 1\nb.jpg 0 x\n", "line 2: expected"),
        ("a.jpg 0 1\nb.jpg 0 2\n", "line 2: labels must be 0 or 1"),
        ("a.jpg 1\nb.jpg 9223372036854775808\n", "line 2: .* below 2.*, got 9223372"),
        ("a.jpg 1\nb.jpg " + 5000 * "9", "line 2: .* must be below"),
        ("a.jpg 0 1\nb.jpg 0 " + 5000 * "9", "line 2: labels must be 0 or 1"),
    ],
)
def test_damaged_label_lists_are_described(tmp_path, text, message):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_label_list(path)
    path.write_bytes(b"\xff\xfe\xff 0 1")
    with pytest.raises(ValueError, match="not UTF-8 text"):
        load_label_list(path)
