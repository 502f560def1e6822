"""Other ways to search float vectors approximately, behind one signature.

A peer is made of vectors, a metric and a number of bits a dimension. It returns what it
takes in memory, in bytes, and pairs of an option and a search, which takes queries and
k and returns indices. One that is not installed raises ImportError, and one that knows
no such number of bits `NoSuchSize`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np


class NoSuchSize(Exception):
    """A peer has no codes of that many bits a dimension."""


Search = Callable[[np.ndarray, int], np.ndarray]
Peer = tuple[int, Iterator[tuple[str, Search]]]

# Times k: candidates that are compared by their floats.
FACTORS = (5, 10, 20)
PROBES = (8, 32)
EFFORTS = (32, 64, 128, 256)


def rabitq(X: np.ndarray, metric: str, bits: int) -> Peer:
    """faiss' IndexRaBitQ after a rotation, alone and with floats behind it."""
    faiss, code = _faiss(metric)
    base = faiss.IndexRaBitQ(X.shape[1], code, bits)
    base.qb = 4
    rotation = faiss.RandomRotationMatrix(X.shape[1], X.shape[1])
    rotation.init(7)
    index = faiss.IndexPreTransform(rotation, base)
    index.train(X)
    index.add(X)
    return _size(faiss, index), _refined(faiss, index, X)


def rabitq_fast(X: np.ndarray, metric: str, bits: int) -> Peer:
    """The same by faiss' FastScan, which reads codes in blocks."""
    faiss, code = _faiss(metric)
    if bits > 1:
        raise NoSuchSize
    base = faiss.IndexRaBitQFastScan(X.shape[1], code)
    rotation = faiss.RandomRotationMatrix(X.shape[1], X.shape[1])
    rotation.init(7)
    index = faiss.IndexPreTransform(rotation, base)
    index.train(X)
    index.add(X)
    return _size(faiss, index), _refined(faiss, index, X)


def ivfpq(X: np.ndarray, metric: str, bits: int) -> Peer:
    """faiss' inverted lists of product-quantised vectors, with floats behind them."""
    faiss, code = _faiss(metric)
    d, lists = X.shape[1], 256
    if d * bits > 1024:  # its codebooks take an hour
        raise NoSuchSize
    quantizer = faiss.IndexFlat(d, code)
    index = faiss.IndexIVFPQ(quantizer, d, lists, d * bits // 8, 8, code)
    index.train(X[:: max(1, len(X) // 30_000)])
    index.add(X)

    def searches() -> Iterator[tuple[str, Search]]:
        for probes in PROBES:
            index.nprobe = probes
            for option, search in _refined(faiss, index, X):
                yield f"{probes} lists, {option}", search

    return _size(faiss, index), searches()


def hnsw(X: np.ndarray, metric: str, bits: int) -> Peer:
    """faiss' graph over the floats."""
    faiss, code = _faiss(metric)
    if bits > 1:
        raise NoSuchSize
    index = faiss.IndexHNSWFlat(X.shape[1], 32, code)
    index.add(X)

    def searches() -> Iterator[tuple[str, Search]]:
        for effort in EFFORTS:
            index.hnsw.efSearch = effort
            yield f"ef {effort}", lambda Q, k: index.search(Q, k)[1]

    return _size(faiss, index), searches()


def usearch(X: np.ndarray, metric: str, bits: int) -> Peer:
    """USearch's graph over bytes."""
    from usearch.index import Index

    if bits > 1:
        raise NoSuchSize
    names = {"cosine": "cos", "euclidean": "l2sq"}
    # Bytes hold -1 to 1: longer vectors are scaled, which changes no order.
    scale = np.float32(1 / np.abs(X).max())
    index = Index(ndim=X.shape[1], metric=names[metric], dtype="i8")
    index.add(np.arange(len(X)), X * scale, threads=1)

    def searches() -> Iterator[tuple[str, Search]]:
        for effort in EFFORTS:
            index.expansion_search = effort
            yield (
                f"ef {effort}",
                lambda Q, k: index.search(Q * scale, k, threads=1).keys,
            )

    return index.memory_usage, searches()


PEERS = {
    "faiss IndexRaBitQ": rabitq,
    "faiss IndexRaBitQFastScan": rabitq_fast,
    "faiss IndexIVFPQ": ivfpq,
    "faiss IndexHNSWFlat": hnsw,
    "usearch int8": usearch,
}


def _faiss(metric: str):
    """faiss on one thread, and its name for a metric of vectors."""
    import faiss

    faiss.omp_set_num_threads(1)
    by_product = metric == "cosine"
    return faiss, faiss.METRIC_INNER_PRODUCT if by_product else faiss.METRIC_L2


def _size(faiss, index) -> int:
    """Bytes of an index in memory, by what it takes on a disk."""
    return faiss.serialize_index(index).nbytes


def _refined(faiss, index, X: np.ndarray) -> Iterator[tuple[str, Search]]:
    """The index alone, and with the floats of its best candidates."""
    yield "codes alone", lambda Q, k: index.search(Q, k)[1]
    refined = faiss.IndexRefineFlat(index, faiss.swig_ptr(X))
    for factor in FACTORS:
        refined.k_factor = factor
        yield f"floats of {factor} k", lambda Q, k: refined.search(Q, k)[1]
