"""Rows as a stream of Arrow batches, which several engines take."""

from __future__ import annotations

from typing import Any

from skhash.export._engines import engine
from skhash.export._rows import Rows
from skhash.export.code_columns import code_array


def reader(rows: Rows, *, lists: bool = False, metadata: Any = None) -> Any:
    """A pyarrow.RecordBatchReader over the rows, which makes batches as it is read.

    Codes are of type fixed_size_binary; with `lists`, fixed_size_list of uint8.
    """
    pa = engine("pyarrow")
    types = {name: _type(pa, rows, name, lists) for name in rows.kinds}
    fields = [pa.field(name, each, nullable=False) for name, each in types.items()]
    schema = pa.schema(fields, metadata=metadata)
    batches = (
        pa.record_batch([_array(pa, block[n], types[n]) for n in types], schema=schema)
        for block in rows.blocks()
    )
    return pa.RecordBatchReader.from_batches(schema, batches)


def _type(pa: Any, rows: Rows, name: str, lists: bool) -> Any:
    """The Arrow type of a column."""
    kind = rows.kinds[name]
    if kind == "code":
        return pa.list_(pa.uint8(), rows.n_bytes) if lists else pa.binary(rows.n_bytes)
    if kind == "vector":
        assert rows.held.vectors is not None
        return pa.list_(pa.float32(), rows.held.vectors(slice(0, 1)).shape[1])
    plain = {"integer": pa.int64(), "text": pa.string(), "bool": pa.bool_()}
    return (plain | {"float": pa.float32(), "double": pa.float64()})[kind]


def _array(pa: Any, values: Any, of_type: Any) -> Any:
    """A column as Arrow's; the bytes of codes are not copied."""
    if pa.types.is_fixed_size_binary(of_type):
        return code_array(values)
    if pa.types.is_fixed_size_list(of_type):
        flat = pa.array(values.ravel(), of_type.value_type)
        return pa.FixedSizeListArray.from_arrays(flat, type=of_type)
    return pa.array(values, of_type)
