"""Images of every mode and format, against obvious conversions of their values."""

import numpy as np
import pytest

from skhash.datasets import load_image_folder
from skhash.datasets._images import ImageOptions, to_eight_bits

Image = pytest.importorskip("PIL.Image")

WHITE = (255, 255, 255)
HEIGHT, WIDTH = 5, 7
PALETTE = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)


def values(dtype, *channels, low=0, high=256):
    rng = np.random.default_rng(0)
    return rng.integers(low, high, (HEIGHT, WIDTH, *channels)).astype(dtype)


def raw(mode, array):
    return Image.frombytes(mode, (WIDTH, HEIGHT), np.ascontiguousarray(array).tobytes())


def grey(array):
    return np.repeat(np.asarray(array, float)[:, :, None], 3, axis=2)


def composed(colours, alpha, background=WHITE):
    share = np.asarray(alpha, float)[:, :, None] / 255
    return colours * share + np.array(background) * (1 - share)


def palette_image(array):
    image = raw("P", array)
    image.putpalette(PALETTE.tobytes())
    return image


def from_ycbcr(array):
    y, cb, cr = np.moveaxis(array.astype(float), 2, 0)
    red = y + 1.402 * (cr - 128)
    green = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)
    blue = y + 1.772 * (cb - 128)
    return np.stack([red, green, blue], axis=2).clip(0, 255)


def from_hsv(array):
    from colorsys import hsv_to_rgb

    rows = array.reshape(-1, 3) / 255
    return 255 * np.array([hsv_to_rgb(*row) for row in rows]).reshape(array.shape)


def cases():
    """For each mode: the image, what it should look like, and how exactly."""
    one, byte, rgb = values(bool, high=2), values("u1"), values("u1", 3)
    rgba, la, cmyk = values("u1", 4), values("u1", 2), values("u1", 4)
    word, unit = values("u2", high=2**16), values("f8") / 255
    # Colours of which at most a share stands in the file.
    shared = np.sort(values("u1", 4, low=128), axis=2)
    grey_shared = np.sort(values("u1", 2, low=128), axis=2)
    pa = np.stack([byte, la[..., 1]], axis=2)
    yield "1", Image.fromarray(one), grey(255 * one), 0
    yield "L", raw("L", byte), grey(byte), 0
    yield "P", palette_image(byte), PALETTE[byte], 0
    yield "RGB", raw("RGB", rgb), rgb, 0
    yield "RGBX", raw("RGBX", rgba), rgba[..., :3], 0
    yield "RGBA", raw("RGBA", rgba), composed(rgba[..., :3], rgba[..., 3]), 1
    yield "LA", raw("LA", la), composed(grey(la[..., 0]), la[..., 1]), 1
    image = raw("PA", pa)
    image.putpalette(PALETTE.tobytes())
    yield "PA", image, composed(PALETTE[byte], pa[..., 1]), 1
    # On white, the share that is white adds up to the colours.
    seen = shared[..., :3] + (255.0 - shared[..., 3:])
    yield "RGBa", raw("RGBa", shared), seen, 2
    seen = grey(grey_shared[..., 0] + (255.0 - grey_shared[..., 1]))
    yield "La", raw("La", grey_shared), seen, 2
    cmy, key = cmyk[..., :3].astype(float), cmyk[..., 3:].astype(float)
    yield "CMYK", raw("CMYK", cmyk), (255 - cmy) * (255 - key) / 255, 1
    yield "YCbCr", raw("YCbCr", rgb), from_ycbcr(rgb), 2
    yield "HSV", raw("HSV", rgb), from_hsv(rgb), 5
    for mode, order in (("I;16", "<"), ("I;16L", "<"), ("I;16B", ">"), ("I;16N", "=")):
        yield mode, raw(mode, word.astype(f"{order}u2")), grey(np.rint(word / 257)), 0
    yield "I", raw("I", word.astype("i4")), grey(np.rint(word / 257)), 0
    yield "F", raw("F", unit.astype("f4")), grey(np.rint(255 * unit)), 0


CASES = {mode: rest for mode, *rest in cases()}
RANGES = {"F": (0.0, 1.0)}


def options(mode):
    return ImageOptions(None, mode, None, WHITE, True)


def lightness(colours):
    return np.asarray(colours, float) @ [0.299, 0.587, 0.114]


def test_every_mode_of_pillow_has_a_case():
    assert set(Image.MODES) <= {*CASES, "LAB"}


@pytest.mark.parametrize("mode", CASES)
def test_modes_look_as_they_should(mode):
    image, expected, tolerance = CASES[mode]
    value_range = RANGES.get(mode, (0.0, 65535.0))
    colours, transparent = to_eight_bits(image, value_range, options("RGB"))
    assert colours.dtype == np.uint8
    assert abs(colours - np.asarray(expected, float)).max() <= tolerance
    assert transparent == mode.endswith(("A", "a"))
    shades, _ = to_eight_bits(image, value_range, options("L"))
    # Half a level of rounding, and what the weights differ by.
    assert abs(shades - lightness(expected)).max() <= tolerance + 1


def test_lab_looks_as_it_should():
    image = Image.new("LAB", (2, 2), (255, 128, 128))
    for mode, shape in (("RGB", (2, 2, 3)), ("L", (2, 2))):
        pixels, _ = to_eight_bits(image, None, options(mode))
        assert pixels.shape == shape
        assert pixels.min() > 250


# Modes that come back from each format as they were.
LOSSLESS = [
    *((mode, "png") for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16")),
    *((mode, "tif") for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "PA", "CMYK")),
    *((mode, "tif") for mode in ("YCbCr", "I;16", "I;16B", "F")),
    *((mode, "bmp") for mode in ("1", "L", "P", "RGB")),
    *((mode, "gif") for mode in ("1", "L", "P")),
    *(("1", "pbm"), ("L", "pgm"), ("I;16", "pgm"), ("I", "pgm"), ("F", "pgm")),
    *(("RGB", "ppm"), ("L", "pnm"), ("RGB", "webp"), ("RGBA", "webp")),
]


def save(path, image, **how):
    path.parent.mkdir(exist_ok=True)
    form = {".pgm": "PPM", ".pbm": "PPM", ".pnm": "PPM"}.get(path.suffix)
    lossless = {"lossless": True, "exact": True} if path.suffix == ".webp" else {}
    image.save(path, form, **lossless, **how)


@pytest.mark.parametrize(("mode", "suffix"), LOSSLESS)
def test_formats_look_as_they_should(tmp_path, mode, suffix):
    image, expected, tolerance = CASES[mode]
    save(tmp_path / "a" / f"1.{suffix}", image)
    loaded = load_image_folder(tmp_path, background="white").data[0]
    assert abs(loaded - np.asarray(expected, float)).max() <= tolerance
    loaded = load_image_folder(tmp_path, background="white", mode="L").data[0]
    assert abs(loaded - lightness(expected)).max() <= tolerance + 1


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_looks_as_it_should(tmp_path, mode):
    image = Image.new("RGB", (16, 16), (200, 60, 60)).convert(mode)
    save(tmp_path / "a" / "1.jpg", image, quality=95)
    loaded = load_image_folder(tmp_path).data[0]
    expected = lightness((200, 60, 60)) if mode == "L" else (200, 60, 60)
    assert abs(loaded - np.array(expected)).max() < 5


def deep(mode, array, path, **how):
    save(path, raw(mode, array), **how)


def test_floats_beyond_0_to_1_need_a_range(tmp_path):
    path = tmp_path / "a" / "1.tif"
    array = np.linspace(-3, 255, HEIGHT * WIDTH, dtype="f4").reshape(HEIGHT, WIDTH)
    deep("F", array, path)
    with pytest.raises(ValueError, match=r"a.1\.tif .*from -3 to 255, .*value_range="):
        load_image_folder(tmp_path)
    loaded = load_image_folder(tmp_path, mode="L", value_range=(0, 255)).data[0]
    np.testing.assert_array_equal(loaded, np.rint(array.clip(0, 255)))
    for value in (np.nan, np.inf, -np.inf):
        array[2, 3] = value
        deep("F", array, path)
        for value_range in (None, (0, 255)):
            with pytest.raises(ValueError, match=r"a.1\.tif cannot be read"):
                load_image_folder(tmp_path, value_range=value_range)


@pytest.mark.parametrize(("low", "high"), [(0, 70_000), (0, 1), (-5, 5), (0, 65_535)])
def test_whole_numbers_of_32_bits_need_a_range(tmp_path, low, high):
    array = np.linspace(low, high, HEIGHT * WIDTH).astype("i4").reshape(HEIGHT, WIDTH)
    deep("I", array, tmp_path / "a" / "1.tif")
    advice = rf"a.1\.tif .*value_range=.*\({low}, {high}\)"
    with pytest.raises(ValueError, match=advice):
        load_image_folder(tmp_path)
    loaded = load_image_folder(tmp_path, mode="L", value_range=(low, high)).data[0]
    expected = np.rint((array - low) * 255.0 / (high - low))
    np.testing.assert_allclose(loaded, expected, atol=1e-9)


def test_a_range_may_cut_and_turn_values(tmp_path):
    array = values("u2", high=5000)
    deep("I;16", array, tmp_path / "a" / "1.png")
    loaded = load_image_folder(tmp_path, mode="L", value_range=(4095, 0)).data[0]
    expected = np.rint((4095 - array.clip(0, 4095).astype(float)) * 255 / 4095)
    np.testing.assert_array_equal(loaded, expected)
    # Images of 8 bits have one range only.
    save(tmp_path / "a" / "1.png", raw("L", values("u1")))
    loaded = load_image_folder(tmp_path, mode="L", value_range=(4095, 0)).data[0]
    np.testing.assert_array_equal(loaded, values("u1"))


def test_tiff_files_with_a_white_zero_need_a_range(tmp_path):
    white_is_zero = {262: 0}
    deep("I;16", values("u2"), tmp_path / "a" / "1.tif", tiffinfo=white_is_zero)
    with pytest.raises(ValueError, match=r"a.1\.tif .*zero is white.*\(65535, 0\)"):
        load_image_folder(tmp_path)


def test_tiff_files_of_12_bits_have_a_range_of_12_bits(tmp_path):
    path = tmp_path / "a" / "1.tif"
    save(path, Image.new("I;16", (2, 1)))
    content = bytearray(path.read_bytes())
    with Image.open(path) as image:
        (start,) = image.tag_v2[273]
    # Two values in three bytes: black, and white.
    content[start : start + 4] = b"\x00\x0f\xff\x00"
    # The entry of the number of bits: its tag, its type, one value, 16.
    place = content.index(b"\x02\x01\x03\x00\x01\x00\x00\x00\x10\x00")
    content[place + 8] = 12
    path.write_bytes(content)
    assert load_image_folder(tmp_path, mode="L").data[0].tolist() == [[0, 255]]


@pytest.mark.parametrize(
    "value_range", [(1, 1), (0, np.inf), (0, np.nan), 3, "ab", (0,)]
)
def test_wrong_ranges_are_described(tmp_path, value_range):
    with pytest.raises(ValueError, match=r"value_range must be \(black, white\)"):
        load_image_folder(tmp_path, value_range=value_range)


@pytest.mark.parametrize(
    "background", [3, "nocolour", (1, 2), (1, 2, 256), (1, 2, 0.5), "#12345678"]
)
def test_wrong_backgrounds_are_described(tmp_path, background):
    with pytest.raises(ValueError, match="background must be the name of a colour"):
        load_image_folder(tmp_path, background=background)


def transparent_images():
    rgba, la = values("u1", 4), values("u1", 2)
    yield "rgba.png", raw("RGBA", rgba), {}, rgba[..., :3], rgba[..., 3]
    yield "la.png", raw("LA", la), {}, grey(la[..., 0]), la[..., 1]
    byte = values("u1", high=4)
    alpha = np.array([0, 100, 200, 255])
    how = {"transparency": bytes(alpha.tolist())}
    yield "p.png", palette_image(byte), how, PALETTE[byte], alpha[byte]
    one = np.where(byte == 2, 0, 255)
    yield "p2.png", palette_image(byte), {"transparency": 2}, PALETTE[byte], one
    yield "p.gif", palette_image(byte), {"transparency": 2}, PALETTE[byte], one
    yield "l.png", raw("L", byte), {"transparency": 2}, grey(byte), one
    rgb = PALETTE[byte]
    colour = tuple(int(part) for part in PALETTE[2])
    yield "rgb.png", raw("RGB", rgb), {"transparency": colour}, rgb, one
    bits = byte == 2
    # A bit that is set is white, and here transparent.
    yield "1.png", Image.fromarray(bits), {"transparency": 1}, grey(255 * bits), one
    word = byte.astype("u2") * 257
    yield "i16.png", raw("I;16", word), {"transparency": 2 * 257}, grey(byte), one


TRANSPARENT = {name: rest for name, *rest in transparent_images()}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparent_pixels_show_the_background(tmp_path, name):
    image, how, colours, alpha = TRANSPARENT[name]
    save(tmp_path / "a" / name, image, **how)
    with pytest.warns(UserWarning, match=rf"a.{name}: .* transparent pixels") as caught:
        loaded = load_image_folder(tmp_path).data[0]
    assert caught[0].filename == __file__
    assert abs(loaded - composed(colours, alpha)).max() <= 1
    for background, rgb in ((("black"), (0, 0, 0)), ((9, 99, 199),) * 2):
        loaded = load_image_folder(tmp_path, background=background).data[0]
        assert abs(loaded - composed(colours, alpha, rgb)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("RGBA", {}),
        ("LA", {}),
        ("P", {"transparency": b"\xff" * 256}),
        ("RGB", {"transparency": (1, 2, 3)}),
        ("I;16", {"transparency": 1}),
    ],
)
def test_alpha_that_is_opaque_everywhere_is_dropped_quietly(tmp_path, mode, how):
    image, expected, _ = CASES["I;16" if mode == "I;16" else "L"]
    image = image if mode == "I;16" else image.convert(mode)
    save(tmp_path / "a" / "1.png", image, **how)
    np.testing.assert_array_equal(load_image_folder(tmp_path).data[0], expected)


def test_transparent_colours_of_16_bits_are_refused(tmp_path):
    how = {"transparency": (256, 0, 0)}
    save(tmp_path / "a" / "1.png", raw("RGB", values("u1", 3)), **how)
    with pytest.raises(ValueError, match=r"a.1\.png .*transparent colour of 16 bits"):
        load_image_folder(tmp_path)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_images_are_shown_as_they_were_taken(tmp_path, orientation, suffix):
    corners = np.zeros((16, 32), np.uint8)
    corners[:8, :16], corners[:8, 16:], corners[8:, :16] = 240, 160, 80
    turned = {
        2: corners[:, ::-1],
        3: corners[::-1, ::-1],
        4: corners[::-1],
        5: corners.T,
        6: np.rot90(corners, -1),
        7: corners[::-1, ::-1].T,
        8: np.rot90(corners),
    }.get(orientation, corners)
    image = Image.fromarray(corners).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {} if suffix in ("tif", "png") else {"quality": 100}
    save(tmp_path / "a" / f"1.{suffix}", image, exif=exif, **how)
    for option, expected in ((True, turned), (False, corners)):
        loaded = load_image_folder(tmp_path, mode="L", exif_orientation=option).data[0]
        assert loaded.shape == expected.shape
        assert abs(loaded.astype(int) - expected).max() < 9


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_are_passed_over(tmp_path):
    image = Image.fromarray(values("u1"))
    path = tmp_path / "a" / "1.png"
    save(path, image, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(
        load_image_folder(tmp_path, mode="L").data[0], values("u1")
    )


@pytest.mark.parametrize("suffix", ["gif", "png", "tif", "webp"])
def test_the_first_of_several_frames_is_read(tmp_path, suffix):
    first, second = (Image.new("RGB", (8, 8), (shade,) * 3) for shade in (40, 90))
    save(tmp_path / "a" / f"0.{suffix}", first)
    path = tmp_path / "a" / f"1.{suffix}"
    save(path, first, save_all=True, append_images=[second])
    with pytest.warns(UserWarning, match=rf"a.1\.{suffix}: .*more than one frame"):
        loaded = load_image_folder(tmp_path).data
    assert (loaded == 40).all()


def test_further_pictures_of_a_jpeg_are_quiet(tmp_path):
    first, second = (Image.new("RGB", (8, 8), (shade,) * 3) for shade in (40, 90))
    path = tmp_path / "a" / "1.jpg"
    path.parent.mkdir()
    first.save(path, "MPO", save_all=True, append_images=[second])
    assert Image.open(path).format == "MPO"
    assert (load_image_folder(tmp_path).data == 40).all()
