"""Columns of codes and sums of table entries, on this processor and on lesser ones."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skhash.hamming.simd.bytes import (
    DIGITS,
    GROUP,
    ROWS,
    columns_of_4,
    columns_of_8,
    columns_of_16,
    digit_sums,
)
from skhash.hamming.simd.jit import kernel


@kernel
def lay_4(codes, first, at, columns, item):
    columns_of_4(codes, first, at, columns, item)


@kernel
def lay_8(codes, first, at, columns, item):
    columns_of_8(codes, first, at, columns, item)


@kernel
def lay_16(codes, first, at, columns, item):
    columns_of_16(codes, first, at, columns, item)


@kernel
def add_digits(columns, item, tables, sums):
    digit_sums(columns, item, tables, sums)


@pytest.mark.parametrize("lay", [lay_4, lay_8, lay_16], ids=["4", "8", "16"])
@pytest.mark.parametrize("n_bytes", [16, 17, 23, 32])
def test_columns_hold_one_byte_of_all_rows(lay, n_bytes):
    width = {lay_4: 4, lay_8: 8, lay_16: 16}[lay]
    rng = np.random.default_rng(n_bytes)
    codes = rng.integers(0, 256, (100, n_bytes), np.uint8)
    for first, at, item in ((0, 0, 0), (7, n_bytes - width, 32)):
        columns = np.full((n_bytes, 80), 9, np.uint8)
        expected = columns.copy()
        part = codes[first : first + ROWS, at : at + width]
        expected[at : at + width, item : item + ROWS] = part.T
        lay(codes, first, at, columns, item)
        np.testing.assert_array_equal(columns, expected)


def check_sums():
    """Compare sums of table entries with numpy's."""
    rng = np.random.default_rng(0)
    for n_columns in (2, 8, 512):
        columns = rng.integers(0, 256, (n_columns, 3 * GROUP), np.uint8)
        tables = rng.integers(0, 61, (n_columns, 2 * DIGITS), np.uint8)
        tables[:2] = 60  # the most
        sums = np.full(3 * GROUP, 7, np.uint16)
        add_digits(columns, GROUP, tables, sums)
        middle = columns[:, GROUP : 2 * GROUP]
        rows = np.arange(n_columns)[:, None]
        entries = tables[rows, middle >> 4].astype(np.int64)
        entries += tables[rows, DIGITS + (middle & 15)]
        expected = np.full(3 * GROUP, 7)
        expected[GROUP : 2 * GROUP] = entries.sum(axis=0)
        np.testing.assert_array_equal(sums, expected)


def test_sums_are_those_of_the_tables():
    check_sums()


def print_machine_code():
    """Compile sums of table entries, without running them."""
    from numba import njit, types

    array = types.Array(types.uint8, 2, "C")
    signature = array, types.int64, array, types.Array(types.uint16, 1, "C")
    anew = njit(add_digits.py_func)  # a cache would hold no text
    anew.compile(signature)
    print(anew.inspect_asm(signature))


def on_processor(name, features, call):
    """What a function of this file prints, compiled for another processor."""
    environment = os.environ | {
        "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }  # fmt: skip
    code = f"from tests.hamming.simd.test_bytes import {call}; {call}()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


intel = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="names features of x86"
)


@intel
@pytest.mark.slow
@pytest.mark.parametrize("features", ["", "+ssse3", "+ssse3,+avx,+avx2"])
def test_sums_are_the_same_on_lesser_processors(features):
    on_processor("x86-64", features, "check_sums")


@intel
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "features", "register"),
    [
        ("icelake-server", "+avx,+avx2,+avx512f,+avx512bw", "zmm"),
        ("x86-64", "+ssse3,+avx,+avx2", "ymm"),
    ],
)
def test_wide_registers_are_used_where_there_are_any(name, features, register):
    code = on_processor(name, features, "print_machine_code")
    lookups = [line for line in code.splitlines() if "pshufb" in line]
    assert lookups
    assert all(f"%{register}" in line for line in lookups)
