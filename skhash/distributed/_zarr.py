"""Codes in a zarr array, each chunk of which is whole or is not there."""

from pathlib import Path

from skhash.distributed._cluster import dask_module

# Where the array says which encoder made its codes.
_ENCODER = "skhash_encoder"


def regular_rows(sizes):
    """The rows of each chunk but the last, which may be short.

    Raises
    ------
    ValueError
        If rows are not counted, or chunks have several sizes.
    """
    known = sizes and all(size == size for size in sizes)
    if not known or len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0] or not sizes[0]:
        raise ValueError(
            f"A zarr array has chunks of one size, of which the last may be shorter; X "
            f"has chunks of {sizes if known else 'unknown'} rows. Call "
            "X.rechunk({0: n}), or store npy parts: a folder whose name does not end "
            "in .zarr."
        )
    return int(sizes[0])


def prepare(folder, fingerprint, sizes, like):
    """Make an array for codes of an encoder, unless it is there.

    One of another encoder, width or number of rows is emptied.
    """
    rows = regular_rows(sizes)
    shape, chunks = (int(sum(sizes)), *like.shape[1:]), (rows, *like.shape[1:])
    known = {_ENCODER: fingerprint}
    there = _opened(folder)
    form = None
    if there is not None:
        form = there.shape, there.chunks, there.dtype, dict(there.attrs)
    if form == (shape, chunks, like.dtype, known):
        return
    zarr = zarr_module()
    zarr.create_array(
        store=str(folder),
        shape=shape,
        chunks=chunks,
        dtype=like.dtype,
        compressors=[zarr.codecs.Crc32cCodec()],  # codes do not compress
        fill_value=0,
        attributes=known,
        overwrite=True,
    )


def is_whole(folder, i, rows):
    """Whether a chunk is there, and is what its checksum says."""
    # A chunk without a file would be read as zeros.
    if not Path(folder, "c", str(i), "0").exists():
        return False
    try:
        _opened(folder)[i * rows : (i + 1) * rows]
    except Exception:  # whatever a codec says of bytes that are cut or turned
        return False
    return True


def write_chunk(codes, folder, i, rows, n_rows):
    """Write a chunk of codes, which has this many rows."""
    # A chunk of zeros is a chunk, too.
    with zarr_module().config.set({"array.write_empty_chunks": True}):
        array = _opened(folder, "r+")
        wanted = (n_rows, *array.shape[1:])
        if codes.shape != wanted or codes.dtype != array.dtype:
            raise ValueError(
                f"The codes are of shape {codes.shape} and dtype {codes.dtype}, but "
                f"others of shape {wanted} and dtype {array.dtype}."
            )
        array[i * rows : i * rows + n_rows] = codes


def read_array(folder):
    """The codes as a dask array."""
    return dask_module("dask.array").from_zarr(_opened(folder))


def zarr_module():
    """The package, or an error that says how to get it."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            "A folder whose name ends in .zarr needs the package zarr: "
            "pip install 'skhash[zarr]'."
        ) from error
    return zarr


def _opened(folder, mode="r"):
    """The array in a folder, or None if there is none."""
    try:
        return zarr_module().open_array(str(folder), mode=mode)
    except (OSError, ValueError, KeyError):
        return None
