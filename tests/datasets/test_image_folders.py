"""What lies in folders beside images, and images that are damaged."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.datasets import list_images, load_image_folder

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path):
    for name in ("ant/1.png", "ant/deep/2.png", "bee/1.png"):
        put(tmp_path / name)
    return tmp_path


def put(path, shade=7):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (3, 2), shade).save(path, "PNG")


WHOLE = ["ant/1.png", "ant/deep/2.png", "bee/1.png"]


def test_tidy_folders_give_no_warning(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image_folder(folder).filenames == WHOLE


@pytest.mark.parametrize("level", [".", "ant", "ant/deep"])
@pytest.mark.parametrize(
    "name",
    [
        *(".ipynb_checkpoints/1.png", "__MACOSX/1.png", "__MACOSX/ant/1.png"),
        *("@eaDir/1.png", "$RECYCLE.BIN/1.png", ".hidden/deep/1.png", "._1.png"),
        *("Thumbs.db", "desktop.ini", ".DS_Store", "lost+found/1.png"),
    ],
)
def test_hidden_names_are_passed_over_at_every_level(folder, level, name):
    put(folder / level / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bunch = load_image_folder(folder)
    assert bunch.filenames == WHOLE
    assert bunch.target_names == ["ant", "bee"]


def test_folders_without_images_are_named(folder):
    (folder / "cow").mkdir()
    put(folder / "auk" / ".hidden.png")
    (folder / "auk" / "notes.txt").write_text("nothing to see")
    with pytest.warns(UserWarning, match="without images: auk, cow") as caught:
        bunch = load_image_folder(folder)
    assert caught[0].filename == __file__
    assert bunch.target_names == ["ant", "auk", "bee", "cow"]
    assert bunch.target.tolist() == [0, 0, 2]


def test_images_outside_the_folders_are_named(folder):
    put(folder / "1.png")
    put(folder / "2.png")
    with pytest.warns(UserWarning, match=r"1\.png and 1 more: .* lie outside"):
        assert load_image_folder(folder).filenames == WHOLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_are_named(folder):
    os.mkfifo(folder / "ant" / "0.png")
    (folder / "bee" / "0.png").symlink_to("/dev/zero")
    with pytest.warns(UserWarning, match="not regular files") as caught:
        assert load_image_folder(folder).filenames == WHOLE
    named = [str(warning.message) for warning in caught]
    assert [str(folder / "ant" / "0.png") in named[0], len(named)] == [True, 2]


def test_links_are_followed_to_images_and_classes(folder):
    (folder / "cow").symlink_to(folder / "bee")
    (folder / "ant" / "0.png").symlink_to(folder / "bee" / "1.png")
    assert load_image_folder(folder).filenames == ["ant/0.png", *WHOLE, "cow/1.png"]
    (folder / "ant" / "3.png").symlink_to(folder / "nowhere")
    with pytest.raises(ValueError, match=r"ant.3\.png cannot be read .*No such file"):
        load_image_folder(folder)


def test_images_are_listed_at_every_depth_in_order(folder):
    for name in ("z.jpg", "bee/.hidden/1.png", "bee/__MACOSX/1.png"):
        put(folder / name)
    (folder / "ant" / "notes.txt").write_text("no image")
    assert list_images(str(folder)) == [folder / name for name in [*WHOLE, "z.jpg"]]


def test_folders_without_any_image_are_not_listed(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no images \(\.bmp"):
        list_images(tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        list_images(tmp_path / "nowhere")


def test_folders_with_names_of_images_hold_images(folder):
    put(folder / "bee" / "more.png" / "2.png")
    assert load_image_folder(folder).filenames == [*WHOLE, "bee/more.png/2.png"]


def test_netpbm_files_of_every_suffix_are_read(folder):
    for suffix in ("pbm", "pgm", "pnm", "ppm"):
        (folder / "bee" / f"2.{suffix}").write_bytes(b"P5 3 2 255\n" + bytes(6))
    assert len(load_image_folder(folder).filenames) == len(WHOLE) + 4


def test_programs_that_print_pictures_are_not_run(folder):
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 3 2\n%%EndComments\n%%EOF\n"
    (folder / "bee" / "2.png").write_bytes(page)
    with pytest.raises(ValueError, match=r"bee.2\.png cannot be read as an image"):
        load_image_folder(folder)


def png_claiming(width, height):
    def chunk(kind, content):
        sum_ = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + sum_

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + start + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png_claiming(10**5, 10**5), "decompression bomb"),
        (png_claiming(2**31 - 1, 2**31 - 1), "decompression bomb"),
        (png_claiming(0, 3), ""),
        (b"P6 100000 100000 255\n", "decompression bomb"),
        (b"P6 99999999999 1 255\n", ""),
        (b"P6 " + b"9" * 5000 + b" 1 255\n", ""),
        (b"P6 3 2\n", ""),
        (b"P6 3 2 0\n" + bytes(18), "maxval"),
        (b"P6 3 2 70000\n" + bytes(36), "maxval"),
        (b"P6 3 x 255\n", ""),
        (b"P6 -3 2 255\n" + bytes(18), ""),
        (b"P6 0 2 255\n", ""),
        (b"P5 3 2 255\nabc", "truncated"),
        (b"P3 3 2 255\n1 2 x", ""),
        (b"P2 3 2 255\n1 2 999999999999999999999999", ""),
        (b"P1 3 2\n012", ""),
        (b"P4 3 2\n", ""),
        (b"Pf 3 2 0\n" + bytes(24), "scale"),
        (b"Pf 3 2 nan\n" + bytes(24), "scale"),
        (b"", "cannot identify"),
        (b"P6", ""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_damaged_images_are_named_with_a_reason(folder, content, message):
    (folder / "ant" / "3.ppm").write_bytes(content)
    start = r"ant.3\.ppm cannot be read as an image: (?=.*\S)"
    with pytest.raises(ValueError, match=rf"{start}.*{message}"):
        load_image_folder(folder)


def test_tiff_files_without_all_their_strips_are_refused(folder):
    content = bytearray(written("TIFF", "L"))
    place = content.index(struct.pack("<HHII", 257, 4, 1, 6)) + 8
    struct.pack_into("<I", content, place, 10)
    (folder / "ant" / "3.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"ant.3\.tif .*has 30 of its 50 pixels"):
        load_image_folder(folder)


def test_reasons_without_words_are_named(folder, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ValueError, match=r"1\.png cannot be read .*: MemoryError"):
        load_image_folder(folder)


def test_images_that_do_not_fit_in_memory_together_are_counted(folder, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(np, "empty", fail)
    with pytest.raises(MemoryError, match=r"3 images of 2 x 3 pixels .*smaller size="):
        load_image_folder(folder)


def written(form, mode, **how):
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(stream, form, **how)
    return stream.getvalue()


FILES = [
    *((form, written(form, "RGB")) for form in ("BMP", "JPEG", "PNG", "PPM", "WEBP")),
    *(("TIFF", written("TIFF", mode)) for mode in ("RGB", "F", "I")),
    *(("TIFF", written("TIFF", "L", compression=how)) for how in ("raw", "tiff_lzw")),
    *(("GIF", written("GIF", "P")), ("PNG", written("PNG", "P", transparency=3))),
    ("PPM", b"P3 2 1 9\n1 2 3\n4 5 6\n"),
    ("PPM", b"P1 3 2\n1 0 1\n0 1 0\n"),
    ("PPM", b"Pf 2 1 -1.0\n" + bytes(8)),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Pillow's, of whatever it makes of the bytes
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, data, refused_by_name):
    _, content = data.draw(st.sampled_from(FILES))
    content = bytearray(content)
    places = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(places) :]
    folder = tmp_path_factory.getbasetemp() / "mutated"
    (folder / "a").mkdir(parents=True, exist_ok=True)
    (folder / "a" / "mutated.png").write_bytes(content)
    with refused_by_name("mutated.png"):
        load_image_folder(folder, size=(4, 4))
