"""Readers name the file and what is wrong, whatever is in it."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from skhash.datasets import (
    load_cifar,
    load_image_folder,
    load_label_list,
    load_mat,
    load_npz,
    read_idx,
)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def write_zip(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_npy", ".npy"), content)


@pytest.mark.parametrize("start", range(60, 100, 7))
def test_damaged_streams_of_npz_files_are_described(tmp_path, start):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=np.random.default_rng(0).random(100))
    content = bytearray(path.read_bytes())
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"'X' of .*a\.npz is damaged"):
        load_npz(path)


def test_damaged_headers_of_npz_files_are_described(tmp_path):
    path = tmp_path / "a.npz"
    whole = npy(np.zeros(3))
    for content in (
        whole.replace(b"'descr'", b"'descz'"),
        whole.replace(b"{", b"("),
        whole.replace(b"'<f8'", b"'<q8'"),
        whole[:50],
        whole[:-1],
    ):
        write_zip(path, X_npy=content)
        with pytest.raises(ValueError, match=r"'X' of .*a\.npz is damaged"):
            load_npz(path)


@pytest.mark.parametrize("name", ["notes.txt", "X_npy"])
def test_what_is_no_array_in_an_npz_file_is_named(tmp_path, name):
    path = tmp_path / "a.npz"
    write_zip(path, y_npy=npy(np.zeros(2)), **{name: b"text"})
    with pytest.raises(ValueError, match=r"a\.npz is not an NPZ file: '(notes.txt|X)'"):
        load_npz(path)


def test_an_array_behind_which_a_zip_archive_lies_is_no_npz_file(tmp_path):
    path = tmp_path / "a.npz"
    write_zip(path, X_npy=npy(np.zeros(2)))
    path.write_bytes(npy(np.zeros(2)) + path.read_bytes())
    with pytest.raises(ValueError, match="not a complete NPZ file"):
        load_npz(path)


def test_arrays_may_have_any_name(tmp_path):
    path = tmp_path / "a.npz"
    members = {"self_npy": npy(np.arange(2)), "items_npy": npy(np.arange(3))}
    write_zip(path, **members)
    bunch = load_npz(path, data="self")
    assert bunch["self"].tolist() == bunch.data.tolist() == [0, 1]
    assert bunch["items"].tolist() == [0, 1, 2]


def test_single_values_are_no_data(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=3.0, y=[1])
    with pytest.raises(ValueError, match=r"'X' of .* is a single value"):
        load_npz(path, data="X", target="y")


@pytest.mark.parametrize("samples_axis", [2, 7, -3, 0.5, None])
def test_wrong_samples_axes_are_described(tmp_path, samples_axis):
    path = tmp_path / "a.mat"
    savemat(path, {"X": np.zeros((2, 3))})
    with pytest.raises(ValueError, match="must be an int from -2 to 1 for 'X'"):
        load_mat(path, data="X", samples_axis=samples_axis)


@pytest.mark.parametrize(
    ("n", "stored", "shape"),
    [(1, (1, 4), (1, 4)), (1, (1, 1), (1,)), (4, (1, 4), (4,)), (4, (4, 1), (4,))],
)
def test_one_row_of_labels_of_one_sample_stays_a_row(tmp_path, n, stored, shape):
    path = tmp_path / "a.mat"
    savemat(path, {"X": np.zeros((n, 2)), "y": np.ones(stored)})
    assert load_mat(path, data="X", target="y").target.shape == shape


@pytest.mark.parametrize("size", [(0, 3), (3, -1), (3,), (3, 4, 3), (2.5, 3), 3, "ab"])
def test_wrong_sizes_of_images_are_described(tmp_path, size):
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "cat").mkdir()
    image.new("RGB", (4, 4)).save(tmp_path / "cat" / "1.png")
    with pytest.raises(ValueError, match=r"size must be \(height, width\), two ints"):
        load_image_folder(tmp_path, size=size)


@pytest.mark.parametrize("load", [read_idx, load_label_list, load_npz, load_mat])
def test_missing_files_are_described(tmp_path, load):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*nowhere\."):
        load(tmp_path / "nowhere")


@pytest.fixture
def cifar(tmp_path):
    batch = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (tmp_path / name).write_bytes(pickle.dumps(batch))
    return tmp_path


TWO = np.zeros((2, 3072), np.uint8)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({b"data": 3, b"labels": 4}, "labels as a list of whole numbers"),
        ({b"data": 3, b"labels": [1, 2]}, "an array of uint8 data, but has int"),
        ({b"data": TWO, b"labels": [[1], [2, 3]]}, "labels as a list"),
        ({b"data": TWO, b"labels": [1, 2.0]}, "labels as a list"),
        ({b"data": TWO, b"labels": [1, 10**400]}, "labels that are not 0 to 9"),
        ({b"data": TWO, b"labels": np.ones((2, 2), int)}, r"labels of shape \(2, 2\)"),
        ({b"data": [[1], [2, 3]], b"labels": [1, 2]}, "uint8 data, but has list"),
        ({b"data": TWO, b"labels": {b"a": 1}}, "labels as a list"),
        ({10**5000: 0, b"labels": [1]}, "keys 'data' and 'labels'"),
        (dict.fromkeys(map(str, range(9999))), r"keys 'data' and .{,300}\Z"),
    ],
)
def test_cifar_batches_of_the_wrong_shape_are_described(cifar, batch, message):
    (cifar / "data_batch_2").write_bytes(pickle.dumps(batch))
    with pytest.raises(ValueError, match=rf"data_batch_2 .*{message}"):
        load_cifar(cifar)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"label_names": io.BytesIO()}), "asks for _io.BytesIO"),
        (b"text", "not a complete pickle"),
        (pickle.dumps({b"label_names": [b"\xff\xfe"]}), "not UTF-8"),
        (pickle.dumps({b"label_names": "plane"}), "hold a list of names"),
        (pickle.dumps({b"label_names": ["plane", [1]]}), "hold a list of names"),
        (pickle.dumps({b"label_names": ["plane"] * 11}), "11 names for 10 classes"),
        (pickle.dumps({b"names": []}), "hold a list of names under 'label_names'"),
    ],
)
def test_damaged_cifar_names_are_described(cifar, content, message):
    (cifar / "batches.meta").write_bytes(content)
    with pytest.raises(ValueError, match=rf"batches\.meta .*{message}"):
        load_cifar(cifar)


def test_cifar_names_of_no_text_are_described(tmp_path):
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        (tmp_path / name).write_bytes(bytes(3073))
    (tmp_path / "batches.meta.txt").write_bytes(b"v\xf6lf\n")
    with pytest.raises(ValueError, match=r"batches\.meta\.txt is not UTF-8 text"):
        load_cifar(tmp_path)


@pytest.mark.parametrize("version", ["binary", "python"])
def test_missing_cifar_files_are_described(cifar, version):
    if version == "binary":
        (cifar / "data_batch_1.bin").write_bytes(bytes(3073))
        with pytest.raises(FileNotFoundError, match=r"no file .*data_batch_2\.bin\."):
            load_cifar(cifar)
        return
    (cifar / "test_batch").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*test_batch\."):
        load_cifar(cifar)
