"""Images that come later: read as the first ones were, broken ones left out."""

import numpy as np
import pytest

from skhash.datasets import load_image_folder, read_images

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path):
    """Two classes; images of three sizes, all of one shade each."""
    put(tmp_path / "photos" / "ant" / "1.png", (6, 4), 10)
    put(tmp_path / "photos" / "ant" / "2.png", (3, 9), 20)
    put(tmp_path / "photos" / "bee" / "1.png", (5, 5), 30)
    return tmp_path / "photos"


def put(path, size=(5, 5), shade=7):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, shade).save(path)


def broken(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no image")
    return path


def test_options_read_other_files_alike(folder, tmp_path):
    photos = load_image_folder(folder, size=(2, 3), mode="L")
    put(tmp_path / "new.png", (50, 40), 40)
    new = read_images([tmp_path / "new.png"], **photos.options)
    assert new.data.tolist() == [[[40] * 3] * 2]
    assert new.filenames == [str(tmp_path / "new.png")]
    assert (new.skipped, new.options) == ({}, photos.options)


def test_size_that_all_images_had_is_remembered(tmp_path):
    put(tmp_path / "a" / "1.png", (6, 4))
    photos = load_image_folder(tmp_path)
    assert photos.options["size"] == (4, 6)
    put(tmp_path / "new.png", (30, 10))
    new = read_images([tmp_path / "new.png"], **photos.options)
    assert new.data.shape == (1, 4, 6, 3)


def test_every_option_is_remembered(tmp_path):
    deep = np.full((4, 4), 1000, np.uint16)
    (tmp_path / "a").mkdir()
    Image.fromarray(deep).save(tmp_path / "a" / "1.png")
    how = {"size": (2, 2), "mode": "L", "value_range": (0, 4000)}
    how |= {"background": "black", "exif_orientation": False}
    photos = load_image_folder(tmp_path, **how)
    assert photos.options == how
    again = read_images([tmp_path / "a" / "1.png"], **photos.options)
    assert np.unique(again.data).tolist() == np.unique(photos.data).tolist() == [64]


def test_folders_and_lists_give_the_same_pixels(folder):
    photos = load_image_folder(folder, size=(4, 4))
    paths = [folder / name for name in photos.filenames]
    assert np.array_equal(read_images(paths, size=(4, 4)).data, photos.data)


def test_broken_files_are_skipped_and_named(folder):
    path = broken(folder / "ant" / "1a.png")
    with pytest.warns(UserWarning, match=r"1a\.png: these images cannot be read") as w:
        photos = load_image_folder(folder, size=(4, 4), on_error="skip")
    assert w[0].filename == __file__
    assert photos.filenames == ["ant/1.png", "ant/2.png", "bee/1.png"]
    assert photos.target.tolist() == [0, 0, 1]
    assert photos.data[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert list(photos.skipped) == ["ant/1a.png"]
    assert "cannot identify" in photos.skipped["ant/1a.png"]
    with pytest.raises(ValueError, match=r"1a\.png cannot be read"):
        load_image_folder(folder, size=(4, 4))
    with pytest.warns(UserWarning, match="these images cannot be read"):
        some = read_images(
            [path, folder / "bee" / "1.png"], size=(4, 4), on_error="skip"
        )
    assert some.filenames == [str(folder / "bee" / "1.png")]
    assert some.data[:, 0, 0, 0].tolist() == [30]
    assert list(some.skipped) == [str(path)]


def test_the_first_that_can_be_read_sets_the_size(folder):
    broken(folder / "ant" / "0.png")
    with pytest.raises(ValueError, match=r"2\.png has 9 x 3 .*1\.png has 4 x 6"):
        load_image_folder(folder, on_error="skip")


def test_nothing_but_broken_files_is_refused(tmp_path):
    broken(tmp_path / "a" / "1.png")
    with pytest.raises(ValueError, match=r"None of 1 images can be read. .*a.1\.png"):
        load_image_folder(tmp_path, on_error="skip")


def test_class_names_are_shared_between_folders(folder, tmp_path):
    names = load_image_folder(folder, size=(2, 2)).target_names
    put(tmp_path / "later" / "bee" / "7.png")
    later = load_image_folder(tmp_path / "later", target_names=names)
    assert (later.target_names, later.target.tolist()) == (["ant", "bee"], [1])
    backwards = load_image_folder(folder, size=(2, 2), target_names=["bee", "ant"])
    assert backwards.target_names == ["bee", "ant"]
    assert backwards.target.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("target_names", "message"),
    [
        (["ant"], "none of target_names: bee"),
        (["ant", "beet"], r"none of target_names: bee\. Did you mean 'beet'\?"),
        (["ant", "ant", "bee"], "must be different names"),
        ([1, 2], "must be different names"),
        ("ant", "none of target_names: bee"),
    ],
)
def test_folders_that_are_no_class_are_refused(folder, target_names, message):
    with pytest.raises(ValueError, match=message):
        load_image_folder(folder, size=(2, 2), target_names=target_names)


@pytest.mark.parametrize("paths", ["a.png", b"a.png"])
def test_a_path_alone_is_refused(paths, tmp_path):
    for alone in (paths, tmp_path / "a.png"):
        with pytest.raises(TypeError, match=r"Give \[path\] for one file"):
            read_images(alone)


def test_no_paths_are_refused():
    with pytest.raises(ValueError, match="paths is empty"):
        read_images([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_error": "ignore"}, "on_error must be 'raise' or 'skip', got 'ignore'"),
        ({"mode": "HSV"}, "mode must be 'RGB' or 'L'"),
        ({"size": 3}, "size must be"),
    ],
)
def test_options_are_checked_before_files_are_looked_for(options, message):
    with pytest.raises(ValueError, match=message):
        read_images(["nowhere.png"], **options)
    with pytest.raises(ValueError, match=message):
        load_image_folder("nowhere", **options)
