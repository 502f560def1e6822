"""Packing, unpacking, and what counts as codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skhash.hamming import check_codes, pack, unpack, warm_up


def bits_arrays(max_bits=70):
    shape = st.tuples(st.integers(0, 5), st.integers(1, max_bits))
    return shape.flatmap(lambda s: hnp.arrays(bool, s))


@given(bits_arrays())
def test_pack_puts_the_first_bit_highest_and_pads_with_zeros(bits):
    codes = pack(bits)
    assert codes.dtype == np.uint8
    assert codes.flags.c_contiguous
    assert codes.shape == (len(bits), -(-bits.shape[1] // 8))
    for row, code in zip(bits, codes, strict=True):
        for byte in range(len(code)):
            value = 0
            for position in range(8):
                bit = 8 * byte + position
                value = 2 * value + (bit < len(row) and int(row[bit]))
            assert code[byte] == value


@given(bits_arrays())
def test_unpack_undoes_pack(bits):
    unpacked = unpack(pack(bits), bits.shape[1])
    assert unpacked.dtype == bool
    np.testing.assert_array_equal(unpacked, bits)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32])
def test_pack_takes_zeros_and_ones_of_any_dtype(dtype):
    bits = np.array([[1, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(pack(bits.astype(dtype)), pack(bits == 1))


def test_widest_codes_are_4096_bits():
    bits = np.ones((1, 4096), bool)
    np.testing.assert_array_equal(unpack(pack(bits), 4096), bits)
    with pytest.raises(ValueError, match="1 to 4096 bits"):
        pack(np.ones((1, 4097), bool))


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        ([1, 0, 1], "Expected 2D array"),
        (np.empty((3, 0)), "1 to 4096 bits"),
        ([[1, 2]], "bool or 0/1"),
        ([[1, -1]], "bool or 0/1"),
        ([[0.5, 1.0]], "bool or 0/1"),
        ([[np.nan, 1.0]], "bool or 0/1"),
        ([["1", "0"]], "bool or 0/1"),
    ],
)
def test_pack_refuses_what_is_no_bits(bits, message):
    with pytest.raises(ValueError, match=message):
        pack(bits)


def test_unpack_refuses_another_width():
    with pytest.raises(ValueError, match="9 bits take 2 bytes, got codes of 1 bytes"):
        unpack(np.zeros((2, 1), np.uint8), 9)


def test_check_codes_takes_bytes_as_they_are():
    codes = np.arange(12, dtype=np.uint8).reshape(4, 3)
    assert check_codes(codes) is codes
    fortran = check_codes(np.asfortranarray(codes))
    assert fortran.flags.c_contiguous
    np.testing.assert_array_equal(fortran, codes)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint64, np.float64, object])
def test_check_codes_casts_whole_numbers(dtype):
    numbers = np.array([[0, 7], [100, 127]])
    codes = check_codes(numbers.astype(dtype))
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, numbers)


def test_check_codes_packs_bool():
    bits = np.array([[True, False, True]])
    np.testing.assert_array_equal(check_codes(bits), pack(bits))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros(3, np.uint8), "Expected 2D array as codes, got 1D"),
        (np.zeros((3, 0), np.uint8), r"0 feature\(s\) \(shape=\(3, 0\)\)"),
        (np.zeros((3, 513), np.uint8), "1 to 512 bytes"),
        ([[1, -1]], "Negative values in data"),
        ([[0.25, 1.0]], "no integers"),
        ([[0.0, 256.0]], "above 255"),
        ([[0.0, np.nan]], "NaN"),
        ([[0.0, np.inf]], "above 255"),
        ([["a", "b"]], "no codes"),
        ([[1j, 0]], "no codes"),
    ],
)
def test_check_codes_refuses_what_is_no_codes(codes, message):
    with pytest.raises(ValueError, match=message):
        check_codes(codes)


def test_check_codes_names_the_array_and_the_expected_width():
    with pytest.raises(ValueError, match="queries must be 4 bytes wide, got 2 bytes"):
        check_codes(np.zeros((1, 2), np.uint8), n_bytes=4, name="queries")


@pytest.mark.parametrize("n_bits", [0, -8, 4097])
def test_number_of_bits_that_cannot_be_is_refused(n_bits):
    codes = np.zeros((2, 1), np.uint8)
    for call in (lambda: unpack(codes, n_bits), lambda: warm_up(n_bits)):
        with pytest.raises(ValueError, match=f"1 to 4096 bits, got n_bits={n_bits}"):
            call()


@pytest.mark.parametrize("n_bits", [8.0, True, None, "8"])
def test_number_of_bits_that_is_no_integer_is_refused(n_bits):
    with pytest.raises(TypeError, match="n_bits must be an integer"):
        unpack(np.zeros((2, 1), np.uint8), n_bits)
