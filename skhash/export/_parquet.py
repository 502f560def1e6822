"""Codes, ids and factors as a Parquet file, and back."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.archive import replacing
from skhash.export._arrow import reader
from skhash.export._engines import engine
from skhash.export._rows import rows_of
from skhash.export.code_columns import codes_in, notes
from skhash.hamming.codes import check_n_bits, check_padding
from skhash.neighbors import HammingNeighbors


def to_parquet(
    neighbors: Any | ArrayLike,
    path: str | PathLike[str],
    *,
    vectors: bool = False,
    n_bits: int | None = None,
) -> None:
    """Write codes, ids and factors into a Parquet file, a block of rows at a time.

    Columns are ``id``, ``code`` (fixed_size_binary, the first bit highest), and, where
    there are any, ``label``, ``slope`` and ``intercept`` (float32) and ``vector``. The
    metadata of the schema has ``n_bits``, ``ids`` ("given", or "rows" for row numbers)
    and, with factors, ``metric``. Needs pyarrow.

    Parameters
    ----------
    neighbors : estimator, or array-like of shape (n, n_bytes)
        As :func:`to_numpy` takes it. Codes and vectors that lie on a disk are read in
        blocks.
    path : str or path
        The file, made or replaced; it is written whole or not at all.
    vectors : bool, default=False
        Whether to write the vectors that an EmbeddingNeighbors keeps, as float32.
    n_bits : int, default=None
        As in :func:`to_numpy`.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    TypeError, ValueError
        For what :func:`to_numpy` refuses, and for ids and labels that are no text in
        UTF-8, such as names of files in another encoding.
    OSError
        If the file cannot be written.

    See Also
    --------
    from_parquet : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pyarrow.parquet as pq
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import to_parquet
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "codes.parquet"
    ...     to_parquet(neighbors, path)
    ...     pq.read_table(path).to_pylist()
    [{'id': 'a', 'code': b'\\x05'}, {'id': 'b', 'code': b'\\x04'}]
    """
    pq = engine("pyarrow.parquet")
    rows = rows_of(neighbors, n_bits, vectors=vectors)
    metadata = notes(rows.n_bits, rows.ids is not None)
    if rows.held.metric is not None:
        metadata["metric"] = rows.held.metric
    batches = reader(rows, metadata=metadata)
    with (
        replacing(Path(path)) as file,
        pq.ParquetWriter(file, batches.schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def from_parquet(
    path: str | PathLike[str],
    *,
    code: str = "code",
    id: str | None = "id",
    label: str | None = None,
) -> HammingNeighbors:
    """Read codes, ids and labels from a Parquet file, of whichever program.

    Parameters
    ----------
    path : str or path
        The file. It must not change while it is read.
    code : str, default="code"
        The column of codes: fixed_size_binary, or fixed_size_list of uint8.
    id : str or None, default="id"
        The column of ids, unique integers or strings. With None, codes are known by
        their rows; also where the file is of :func:`to_parquet` and says so.
    label : str, default=None
        The column of labels. None takes "label", if there is one.

    Returns
    -------
    neighbors : HammingNeighbors
        Fitted. Factors and vectors are not read: they are for engines.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If the file is not Parquet or lacks a column, the codes are of another type, or
        have another width or more ones than the metadata's ``n_bits``, values are
        missing, or ids are not unique.
    OSError
        If the file cannot be read.

    See Also
    --------
    to_parquet : Writes such files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash import HammingNeighbors
    >>> from skhash.export import from_parquet, to_parquet
    >>> neighbors = HammingNeighbors().fit([[0b101], [0b100]], ids=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_parquet(neighbors, Path(folder) / "codes.parquet")
    ...     again = from_parquet(Path(folder) / "codes.parquet")
    >>> again.kneighbors([[0b111]], n_neighbors=1)
    (array([[1]], dtype=int32), array([['a']], dtype='<U1'))
    """
    pq = engine("pyarrow.parquet")
    with pq.ParquetFile(fspath(path)) as file:
        schema = file.schema_arrow
        metadata = schema.metadata or {}
        if id == "id" and metadata.get(b"ids") == b"rows":
            id = None
        if label is None and "label" in schema.names:
            label = "label"
        for name in (code, id, label):
            if name is not None and name not in schema.names:
                raise ValueError(
                    f"{fspath(path)} has no column {name!r}; it has {schema.names}. "
                    "Name the columns by code=, id= (None for none) and label=."
                )
        codes = _codes(file, code, _width(schema.field(code)))
        _check_bits(codes, metadata.get(b"n_bits"), fspath(path))
        ids, labels = _values(file, id), _values(file, label)
    return HammingNeighbors().fit(codes, labels, ids=ids)


def _width(field: Any) -> int:
    """Bytes of a code in a column, or say why it holds none."""
    pa = engine("pyarrow")
    kind = field.type
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width:
        return int(kind.byte_width)
    if pa.types.is_fixed_size_list(kind) and kind.value_type == pa.uint8():
        return int(kind.list_size)
    raise ValueError(
        f"The column {field.name!r} is {kind}: codes are fixed_size_binary, or "
        "fixed_size_list of uint8."
    )


def _codes(file: Any, name: str, n_bytes: int) -> NDArray[np.uint8]:
    """The column of codes, a block at a time."""
    codes = np.empty((file.metadata.num_rows, n_bytes), np.uint8)
    start = 0
    for batch in file.iter_batches(columns=[name]):
        column = batch.column(0)
        missing = column.null_count
        if hasattr(column, "flatten") and not missing:
            missing = column.flatten().null_count
        if missing:
            raise ValueError(f"The column {name!r} has missing values.")
        end = start + len(column)
        if hasattr(column, "flatten"):
            codes[start:end] = column.flatten().to_numpy().reshape(-1, n_bytes)
        else:
            codes[start:end] = codes_in(column)
        start = end
    return codes


def _values(file: Any, name: str | None) -> Any:
    """A column of ids or labels as an array; None for none."""
    if name is None:
        return None
    column = file.read([name]).column(0)
    if column.null_count:
        raise ValueError(
            f"The column {name!r} has {column.null_count} missing values of "
            f"{len(column)}: give each row a value."
        )
    return column.to_pylist()


def _check_bits(codes: NDArray[np.uint8], told: bytes | None, path: str) -> None:
    """Hold codes to the number of bits that the metadata tells of."""
    if told is None:
        return
    if not told.isdigit():
        raise ValueError(f"The metadata's n_bits is no number of bits, but {told!r}.")
    check_padding(codes, check_n_bits(int(told)), f"{path}, by its metadata,")
