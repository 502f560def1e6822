"""Codes written to a folder by the workers: only those that are not there yet."""

import math

import numpy as np

from skhash.distributed import _store, _zarr
from skhash.distributed._chunks import joined
from skhash.distributed._cluster import Cluster


def in_parts(codes, sizes, folder, fingerprint):
    """Write the npy parts that are not there, and return what reads all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster, path = Cluster(), str(folder)
    whole = cluster.dask.delayed(_store.whole_part, pure=False)
    write = cluster.dask.delayed(_store.write_part, pure=False)
    rows = [None if math.isnan(size) else int(size) for size in sizes]
    records = cluster.compute(
        [whole(path, i, fingerprint, n) for i, n in enumerate(rows)]
    )
    missing = [i for i, record in enumerate(records) if record is None]
    tasks = [write(codes[i], path, i, fingerprint) for i in missing]
    for i, record in zip(missing, _written(cluster, tasks, missing), strict=True):
        records[i] = record
    if len({(record["dtype"], *record["shape"][1:]) for record in records}) > 1:
        raise ValueError(
            f"The parts in {folder} are of different widths: empty it, and encode "
            "again."
        )
    read = cluster.dask.delayed(_store.read_part, pure=True)
    parts = [read(path, i, record) for i, record in enumerate(records)]
    like = np.empty((0, *records[0]["shape"][1:]), records[0]["dtype"])
    return joined(parts, [record["shape"][0] for record in records], like)


def in_zarr(codes, sizes, folder, fingerprint, like):
    """Write the chunks that are not there, and return what reads the array."""
    rows, cluster, path = _zarr.regular_rows(sizes), Cluster(), str(folder)
    _zarr.prepare(path, fingerprint, sizes, like)
    whole = cluster.dask.delayed(_zarr.is_whole, pure=False)
    write = cluster.dask.delayed(_zarr.write_chunk, pure=False)
    found = cluster.compute([whole(path, i, rows) for i in range(len(sizes))])
    missing = [i for i, is_whole in enumerate(found) if not is_whole]
    tasks = [write(codes[i], path, i, rows, int(sizes[i])) for i in missing]
    _written(cluster, tasks, missing)
    return _zarr.read_array(path)


def _written(cluster, tasks, numbers):
    """Results of tasks that write; an error names the chunk, and others are kept."""
    try:
        tasks = cluster.persist(tasks)
        return cluster.compute(tasks)
    except Exception as error:
        found = cluster.chunk_error(error, tasks, [f"Chunk {i}" for i in numbers])
        raise found from found.__cause__
