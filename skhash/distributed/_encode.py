"""Encoding on workers: each chunk of items becomes a chunk of codes."""

import math
from functools import lru_cache
from pathlib import Path

import joblib
import numpy as np

from skhash.distributed import _store, _stored, _zarr
from skhash.distributed._chunks import check_array, joined
from skhash.distributed._cluster import dask_module, place
from skhash.distributed.errors import ChunkError


def encode(encoder, X, *, store=None):
    """Make codes of a dask array, chunk by chunk, on the workers.

    The encoder travels once to each worker, not with every task; of a path the workers
    open the file themselves. Codes are those of one process, but for bits whose real
    output is all but zero, since networks round differently in batches of other sizes.

    Parameters
    ----------
    encoder : estimator, str or path
        A fitted encoder with ``transform``, or a file of :func:`skhash.save` that all
        workers can read.
    X : dask array of shape (n_items, ...), or list of delayed arrays
        Items in chunks of rows: features, images, or blocks of CSR. Or delayed objects
        that each read some rows, e.g. of a file.
    store : str or path, default=None
        A folder that all workers can write to. Each chunk is a part there,
        ``part-000000.npy`` and so on, with a checksum beside it; or, where the name
        ends in ``.zarr``, a chunk of a zarr array with checksums, for which all chunks
        of `X` but the last have the same number of rows. Parts of the same encoder that
        are there and whole are not computed again, so that an encoding that was cut off
        goes on. The items are not compared: one folder for each `X`.

    Returns
    -------
    codes : dask array of shape (n_items, n_bytes)
        Chunked as `X`, computed when it is asked for; with `store` all parts are
        written, and this reads them.

    Raises
    ------
    TypeError
        If `X` is neither a dask array nor a list of delayed arrays.
    ValueError
        If chunks of `X` are of sizes that a zarr array does not have.
    FileNotFoundError
        If there is no file of the encoder.
    ChunkError
        If a chunk cannot be encoded, here with `store`, else when codes are computed;
        the message names it and its worker. With `store`, also if it cannot be read.
        Parts that were written stay.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from skhash.baselines import RotatedSigns
    >>> from skhash.distributed import encode
    >>> X = np.random.default_rng(0).normal(size=(100, 16)).astype(np.float32)
    >>> encoder = RotatedSigns(random_state=0).fit(X)
    >>> codes = encode(encoder, da.from_array(X, chunks=(30, 16)))
    >>> codes
    dask.array<concatenate, shape=(100, 2), dtype=uint8, chunksize=(30, 2), ...>
    >>> bool((codes.compute() == encoder.transform(X)).all())
    True
    """
    dask = dask_module()
    chunks, sizes, empty = _chunks_of(X)
    folder = None if store is None else Path(store).resolve()
    in_zarr = folder is not None and folder.suffix == ".zarr"
    if in_zarr:
        _zarr.zarr_module(), _zarr.regular_rows(sizes)
    if isinstance(encoder, str | Path):
        path = Path(encoder).resolve()
        fingerprint = _store.checksum(path)
        # Told apart by what the file holds; each worker loads it once.
        model, transform = (str(path), fingerprint), _encode_by_file
    else:
        fingerprint = None if store is None else joblib.hash(encoder)
        model = dask.delayed(encoder, traverse=False, pure=False)
        transform = _encode
    task = dask.delayed(transform, pure=True)
    codes = [task(model, chunk, i) for i, chunk in enumerate(chunks)]
    if folder is not None and not in_zarr:
        return _stored.in_parts(codes, sizes, folder, fingerprint)
    if empty is None:
        (like,) = dask.compute(dask.delayed(_first, pure=True)(codes[0]))
    else:
        fitted = _loaded(*model) if transform is _encode_by_file else encoder
        like = np.asarray(fitted.transform(empty))
    if in_zarr:
        return _stored.in_zarr(codes, sizes, folder, fingerprint, like)
    return joined(codes, sizes, like)


def _chunks_of(X):
    """Chunks of items, numbers of their rows, and an item of the kind, if known."""
    if isinstance(X, list | tuple) and X and all(hasattr(x, "dask") for x in X):
        return list(X), [math.nan] * len(X), None
    check_array(X, "X", known=False)
    if X.ndim > 1 and any(n > 1 for n in X.numblocks[1:]):
        X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    item = None
    if isinstance(X._meta, np.ndarray) and not any(map(math.isnan, X.shape[1:])):
        item = np.zeros((1, *X.shape[1:]), X.dtype)
    return X.to_delayed().ravel().tolist(), list(X.chunks[0]), item


def _encode(encoder, X, i):
    """Codes of a chunk."""
    try:
        return np.asarray(encoder.transform(X))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ChunkError(f"Chunk {i} failed {place()}: {said}") from error


def _encode_by_file(model, X, i):
    """Codes of a chunk by an encoder in a file."""
    return _encode(_loaded(*model), X, i)


@lru_cache(maxsize=2)
def _loaded(path, fingerprint):
    """The encoder in a file, which holds what it held when the work was planned."""
    from skhash.persistence import load

    if _store.checksum(path) != fingerprint:
        raise ValueError(f"{path} has changed since the encoding began: begin anew.")
    return load(path)


def _first(codes):
    return codes[:1]
