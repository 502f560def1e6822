"""Refused codes: the line in the message makes codes with the right distances."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

import skhash
from skhash import hamming
from skhash.metrics import mean_average_precision
from skhash.neighbors import HammingNeighbors, HammingNeighborsClassifier

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 256, (12, 32), dtype=np.uint8)
CODES[0], CODES[1] = 0, 255
WORDS = CODES.view(np.uint64)
BITS = hamming.unpack(CODES, 256)
WIDE = np.tile(BITS, 8)

# What people have.
GIVEN = {
    "signed bytes": (CODES.astype(int) - 128).astype(np.int8),
    "signed bytes in lists": (CODES.astype(int) - 128).tolist(),
    "uint64": WORDS,
    "uint32": CODES.view(np.uint32),
    "uint16": CODES.view(np.uint16),
    "int64": WORDS.view(np.int64),
    "other byte order": WORDS.astype(WORDS.dtype.newbyteorder(">")),
    "columns first": np.asfortranarray(WORDS),
    "words in lists": WORDS.tolist(),
    "frame of words": pd.DataFrame(WORDS),
    "objects": WORDS.astype(object),
    "bits, integers": WIDE.astype(int),
    "bits, floats": WIDE.astype(float),
    "bits, uint8": WIDE.astype(np.uint8),
    "signs": np.where(BITS, 1, -1),
    "signs, int8": np.where(BITS, 1, -1).astype(np.int8),
    "real outputs": np.where(BITS, 1, -1) * RNG.uniform(0.1, 2, BITS.shape),
    "one word": CODES[:, :8].copy().view(np.uint64)[:, 0],
    "one word, list": CODES[:, :8].copy().view(np.uint64)[:, 0].tolist(),
    "byte strings": [code.tobytes() for code in CODES],
    "hexadecimal": [code.tobytes().hex() for code in CODES],
    "strings of bits": ["".join("01"[int(bit)] for bit in row) for row in BITS],
    "rows in an array": pd.Series(list(CODES)),
}
LABELS = np.arange(12) % 3
FUNCTIONS = {
    "check_codes": hamming.check_codes,
    "distances": lambda X: hamming.distances(X, X),
    "nearest": lambda X: hamming.nearest(X, X, 1),
    "GroupedCodes": hamming.GroupedCodes,
    "TorchCodes": lambda X: hamming.TorchCodes(X, "cpu"),
    "MultiIndex": hamming.MultiIndex,
    "metric": lambda X: mean_average_precision(X, X, LABELS, LABELS),
    "fit": lambda X: HammingNeighbors().fit(X),
    "classifier": lambda X: HammingNeighborsClassifier().fit(X, LABELS),
    "query": lambda X: HammingNeighbors(n_neighbors=1).fit(CODES).kneighbors(X),
    "add": lambda X: HammingNeighbors().fit(CODES).add(X),
}


def advised(message, X):
    """What the lines in a message make of X."""
    lines = [line for line in re.findall("`(.*?)`", message) if "X" in line]
    names = {"X": X, "np": np, "skhash": skhash}
    return [eval(line, names) for line in lines]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", GIVEN)
def test_the_advised_line_makes_codes_with_the_right_distances(kind, function):
    X = GIVEN[kind]
    with pytest.raises(ValueError, match="`") as error:
        FUNCTIONS[function](X)
    made = advised(
        str(error.value), np.array(X) if kind == "signed bytes in lists" else X
    )
    assert made
    expected = hamming.distances(CODES, CODES).astype(int)
    if "one word" in kind:
        expected = hamming.distances(CODES[:, :8], CODES[:, :8])
    if "bits, " in kind:
        expected = 8 * expected
    for codes in made:
        assert codes.dtype in (bool, np.uint8)
        np.testing.assert_array_equal(hamming.distances(codes, codes), expected)


def test_advised_lines_keep_the_codes_where_they_can():
    for kind in ("signed bytes", "uint64", "hexadecimal", "byte strings"):
        with pytest.raises(ValueError, match="become codes") as error:
            hamming.check_codes(GIVEN[kind])
        (codes,) = advised(str(error.value), GIVEN[kind])
        np.testing.assert_array_equal(codes, CODES)


RAGGED = "have different lengths"
REFUSED = {
    "ragged": ([[1, 2], [3]], RAGGED),
    "ragged bits": ([[True, False], [True]], RAGGED),
    "ragged arrays": (
        np.array([CODES[0], CODES[1, :5]], dtype=object),
        RAGGED,
    ),
    "scalar among rows": ([[1, 2], 3], RAGGED),
    "words of people": ([["a", "b"]], "Strings are no codes"),
    "a dict": ({"a": 1}, "Expected 2D array"),
    "objects": ([[object(), 1]], "no numbers|number"),
    "pictures": (np.zeros((3, 4, 5), np.uint8), r"X.reshape\(len\(X\), -1\)"),
    "features": (RNG.integers(0, 256, (9, 784), dtype=np.uint8), "DeepHashEncoder"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_codes_is_told_in_a_sentence(kind):
    X, message = REFUSED[kind]
    for call in (hamming.check_codes, lambda X: HammingNeighbors().fit(X)):
        with pytest.raises((ValueError, TypeError), match=message):
            call(X)


def test_a_single_code_and_sparse_ones_are_told_what_to_do():
    with pytest.raises(ValueError, match=r"code\.reshape\(1, -1\)"):
        hamming.check_codes(CODES[0])
    with pytest.raises(ValueError, match=r"X\.toarray\(\)\.astype\(bool\)"):
        hamming.check_codes(csr_array(BITS))


def test_bits_that_are_no_bits():
    with pytest.raises(ValueError, match="packed codes already"):
        hamming.pack(CODES)
    with pytest.raises(ValueError, match=RAGGED):
        hamming.pack([[1, 0], [1]])


def test_queries_of_bits_for_packed_codes():
    fitted = HammingNeighbors(n_neighbors=1).fit(CODES)
    with pytest.raises(ValueError, match=r"skhash\.hamming\.pack\(X\)"):
        fitted.kneighbors(BITS.astype(int))
    with pytest.raises(ValueError, match="0 and 1 are bits"):
        hamming.distances(BITS.astype(int), CODES)
