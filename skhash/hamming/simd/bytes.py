"""Loops over bytes of codes: columns of a group of codes, and sums of table entries.

A byte of a code is two digits of four bits. What a query gives for each of the sixteen
values of a digit is a table of bytes, and processors look up a whole vector of digits
in such a table at once. For that, a vector must hold the same byte of many codes.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

from skhash.hamming.simd.ir import INT, call, data, load, number, shuffle
from skhash.hamming.simd.words import VECTOR_BYTES

# Codes whose bytes are worked on together: one a byte of a vector.
GROUP = VECTOR_BYTES
# Entries of a table, one for each value of a digit.
DIGITS = 16
# Bytes of a part of a vector within which processors shuffle at once.
_LANE = 16
# Codes that are laid out together.
ROWS = 2 * _LANE

_BYTES = ir.VectorType(ir.IntType(8), VECTOR_BYTES)
_PAIRS = ir.VectorType(ir.IntType(16), VECTOR_BYTES // 2)
# Instructions that look digits up, best first: the feature or the kind of processor
# that has it, bytes at a time, name.
_LOOKUPS: tuple[tuple[str, int, str], ...] = (
    ("+avx512bw", 64, "llvm.x86.avx512.pshuf.b.512"),
    ("+avx2", 32, "llvm.x86.avx2.pshuf.b"),
    ("+ssse3", 16, "llvm.x86.ssse3.pshuf.b.128"),
    ("aarch64", 16, "llvm.aarch64.neon.tbl1.v16i8"),
    ("arm64", 16, "llvm.aarch64.neon.tbl1.v16i8"),
)

# Untyped: callers do not pass the typing context.
intrinsic: Any = _intrinsic


def _columns_of(width: int) -> Any:
    """An intrinsic that lays out `width` bytes of codes: 4, 8 or 16."""
    # Two lanes, of sixteen codes each, fill as many registers as there are.
    n_bytes, word = 2 * _LANE, ir.IntType(8 * width)
    words_type = ir.VectorType(word, n_bytes // width)

    def columns_of(
        typingctx: Any, codes: Any, first: Any, at: Any, columns: Any, item: Any
    ) -> Any:
        integer = types.int64
        signature = types.void(codes, integer, integer, columns, integer)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            codes, columns = (
                _array(context, builder, signature, args, i) for i in (0, 3)
            )
            row_bytes, start = _cell(builder, codes, args[1], args[2])
            step, target = _cell(builder, columns, args[2], args[4])
            words: list[Any] = [ir.Constant(words_type, ir.Undefined)] * width
            of_lane = _LANE // width  # rows that share a lane of a vector
            for i in range(n_bytes):
                vector, place = i % _LANE // of_lane, i // _LANE * of_lane + i % of_lane
                value = load(builder, start, 0, word, align=1)
                index = ir.Constant(ir.IntType(32), place)
                words[vector] = builder.insert_element(words[vector], value, index)
                start = builder.gep(start, [row_bytes])
            bytes_type = ir.VectorType(ir.IntType(8), n_bytes)
            vectors = [builder.bitcast(each, bytes_type) for each in words]
            # Each turn moves a bit of the row from the vector's number into the place
            # within the vector, and one of the column out of it.
            for _ in range(4):
                pairs = zip(vectors[: width // 2], vectors[width // 2 :], strict=True)
                vectors = [v for pair in pairs for v in _interleaved(builder, *pair)]
            for vector in vectors:
                _store(builder, vector, target)
                target = builder.gep(target, [step])
            return context.get_dummy_value()

        return signature, codegen

    return intrinsic(columns_of)


# Copy some bytes of `ROWS` codes, so that a row holds the same byte of all:
# ``columns[at + j, item + i]`` becomes ``codes[first + i, at + j]``.
columns_of_4 = _columns_of(4)
columns_of_8 = _columns_of(8)
columns_of_16 = _columns_of(16)


@intrinsic
def digit_sums(typingctx: Any, columns: Any, item: Any, tables: Any, sums: Any) -> Any:
    """Write what a query's tables hold for the digits of `GROUP` codes, summed up.

    ``columns`` are those of `word_columns`, an even number; ``tables[column]`` holds
    the tables of the high and of the low digit, whose entries are at most 63; sums
    below 2**16 go to ``sums[item : item + GROUP]``.
    """
    integer = types.int64
    signature = types.void(columns, integer, tables, sums)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = _array(context, builder, signature, args, 0)
        width, cells = _cell(builder, array, number(0), args[1])
        n_columns = builder.extract_value(array.shape, 0)
        base = data(context, builder, signature, args, 2)
        look_up = _Lookup(context, builder)
        low, high = (
            cgutils.alloca_once_value(builder, ir.Constant(_PAIRS, [0] * _PAIRS.count))
            for _ in range(2)
        )
        turns = builder.udiv(n_columns, number(2))
        with cgutils.for_range(builder, turns, intp=INT) as turn:
            column = builder.mul(turn.index, number(2))
            row = builder.gep(cells, [builder.mul(column, width)])
            table = builder.gep(base, [builder.mul(column, number(2 * DIGITS))])
            # Four entries fit a byte.
            total = builder.add(
                look_up.entries(row, table),
                look_up.entries(
                    builder.gep(row, [width]),
                    builder.gep(table, [number(2 * DIGITS)]),
                ),
            )
            pairs = builder.bitcast(total, _PAIRS)
            eight = ir.Constant(_PAIRS, [8] * _PAIRS.count)
            # The sums of even items carry what belongs to odd ones, until the end.
            builder.store(builder.add(builder.load(low), pairs), low)
            odd = builder.lshr(pairs, eight)
            builder.store(builder.add(builder.load(high), odd), high)
        odd = builder.load(high)
        even = builder.sub(builder.load(low), builder.shl(odd, eight))
        target = data(context, builder, signature, args, 3)
        order = [i // 2 + i % 2 * _PAIRS.count for i in range(GROUP)]
        merged = shuffle(builder, even, odd, order)
        _store(builder, merged, builder.gep(target, [builder.mul(args[1], number(2))]))
        return context.get_dummy_value()

    return signature, codegen


class _Lookup:
    """Looking digits up in tables, by what the processor offers."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.builder = builder
        triple, _, features = context.codegen().magic_tuple()
        has = {triple.split("-")[0], *features.split(",")}
        found = [(step, name) for each, step, name in _LOOKUPS if each in has]
        self.step, self.name = found[0] if found else (_LANE, "")

    def entries(self, row: Any, tables: Any) -> Any:
        """Sums of the entries of both digits of a vector of bytes."""
        builder = self.builder
        digits = load(builder, row, 0, _BYTES)
        four, mask = (ir.Constant(_BYTES, [x] * VECTOR_BYTES) for x in (4, 15))
        table_type = ir.VectorType(ir.IntType(8), DIGITS)
        high, low = (load(builder, tables, x, table_type) for x in (0, DIGITS))
        return builder.add(
            self._of(high, builder.lshr(digits, four)),
            self._of(low, builder.and_(digits, mask)),
        )

    def _of(self, table: Any, digits: Any) -> Any:
        """The table's entry for each digit."""
        builder, step = self.builder, self.step
        wide = shuffle(builder, table, table, [i % DIGITS for i in range(step)])
        parts = []
        for first in range(0, VECTOR_BYTES, step):
            part = shuffle(builder, digits, digits, list(range(first, first + step)))
            if self.name:
                parts.append(call(builder, self.name, part.type, wide, part))
            else:
                parts.append(self._one_by_one(wide, part))
        while len(parts) > 1:
            order = list(range(2 * parts[0].type.count))
            parts = [
                shuffle(builder, *pair, order)
                for pair in zip(parts[::2], parts[1::2], strict=True)
            ]
        return parts[0]

    def _one_by_one(self, table: Any, digits: Any) -> Any:
        """The same where the processor has no instruction for it."""
        found = ir.Constant(digits.type, ir.Undefined)
        for i in range(digits.type.count):
            place = ir.Constant(ir.IntType(32), i)
            digit = self.builder.extract_element(digits, place)
            entry = self.builder.extract_element(table, digit)
            found = self.builder.insert_element(found, entry, place)
        return found


def _interleaved(builder: Any, left: Any, right: Any) -> list[Any]:
    """Bytes of both vectors in turn: of the first halves of lanes, of the second."""
    found, count = [], left.type.count
    for half in range(2):
        order = []
        for i in range(count):
            place = i // _LANE * _LANE + half * (_LANE // 2) + i % _LANE // 2
            order.append(place + i % 2 * count)
        found.append(shuffle(builder, left, right, order))
    return found


def _array(context: Any, builder: Any, signature: Any, args: Any, i: int) -> Any:
    """An array argument."""
    return context.make_array(signature.args[i])(context, builder, args[i])


def _cell(builder: Any, array: Any, row: Any, column: Any) -> tuple[Any, Any]:
    """Bytes of a row of an array of bytes, and the address of one of its cells."""
    width = builder.extract_value(array.shape, 1)
    offset = builder.add(builder.mul(row, width), column)
    base = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    return width, builder.gep(base, [offset])


def _store(builder: Any, vector: Any, address: Any) -> None:
    """Write a vector at an address."""
    pointer = builder.bitcast(address, vector.type.as_pointer())
    builder.store(vector, pointer, align=1)
