"""Kernels of the search by substrings.

A table of a substring lists the items by their value there: ``offsets[first + value]``
to the next offset bound the list in ``items``. `tables` holds, for every substring,
where it starts and its size in bits, its first offset and its items, and the offsets of
all. A query's substrings are taken in an order of its own, its rarest values first;
`rank` is a place in that order.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.select import distance_at, reduced
from skhash.hamming.scan.sorting import sort_keys, with_room, write_nearest
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import key_of
from skhash.hamming.simd.vectors import lowest_bit, popcount


@inlined
def substring(codes: NDArray, i: int, start: int, size: int) -> Any:
    """Bits ``start`` to ``start + size`` of a code, as its words count them."""
    word_bits = 8 * codes.itemsize
    word, shift = start // word_bits, start % word_bits
    value = np.uint64(codes[i, word]) >> np.uint64(shift)
    if shift + size > word_bits:
        value |= np.uint64(codes[i, word + 1]) << np.uint64(word_bits - shift)
    return np.int64(value & ((np.uint64(1) << np.uint64(size)) - np.uint64(1)))


@kernel
def fill_table(
    codes: NDArray, start: int, size: int, offsets: NDArray, items: NDArray
) -> None:
    """List items by a substring's value, those of one value in ascending order."""
    n = codes.shape[0]
    for i in range(n):
        offsets[substring(codes, i, start, size) + 1] += 1
    for value in range(1 << size):
        offsets[value + 1] += offsets[value]
    position = offsets.copy()
    for i in range(n):
        value = substring(codes, i, start, size)
        items[position[value]] = i
        position[value] += 1


@inlined
def next_mask(mask: int) -> Any:
    """The next larger integer with as many ones."""
    low = mask & -mask
    up = mask + low
    return ((mask ^ up) >> (2 + np.int64(lowest_bit(np.uint64(low))))) | up


@kernel
def lists_at(
    offsets: NDArray,
    first: int,
    size: int,
    value: int,
    far: int,
    pieces: NDArray,
    n_pieces: Any,
) -> tuple[int, int]:
    """Append bounds of the lists whose value differs from a query's in `far` bits.

    Returns the new number of pieces and the number of items in the new ones.
    """
    total: Any = 0
    mask, last = (1 << far) - 1, 1 << size
    while mask < last:
        at = first + (value ^ mask)
        start, stop = np.int64(offsets[at]), np.int64(offsets[at + 1])
        pieces[n_pieces, 0] = start
        pieces[n_pieces, 1] = stop
        # A piece without items is written over.
        n_pieces += stop > start
        total += stop - start
        if mask == 0:
            break
        mask = next_mask(mask)
    return n_pieces, total


@kernel
def rank_substrings(
    queries: NDArray, q: int, tables: Any, values: NDArray, order: NDArray
) -> None:
    """Order substrings by how many items share the query's value: the rarest first."""
    starts, sizes, firsts, offsets, _ = tables
    for j in range(starts.size):
        values[j] = substring(queries, q, starts[j], sizes[j])
        at = firsts[j] + values[j]
        order[j] = (np.int64(offsets[at + 1]) - np.int64(offsets[at])) << 16 | j
    order.sort()
    for rank in range(order.size):
        order[rank] &= 0xFFFF


@kernel
def gather(items: NDArray, pieces: NDArray, out: NDArray) -> int:
    """Copy the items of some lists side by side, and return how many they are.

    Their reads are under way all at once. Compared one by one, each would be waited
    for.
    """
    stored = 0
    for piece in range(pieces.shape[0]):
        for at in range(pieces[piece, 0], pieces[piece, 1]):
            out[stored] = items[at]
            stored += 1
    return stored


@inlined
def seen_before(
    codes: NDArray,
    i: int,
    starts: NDArray,
    sizes: NDArray,
    values: NDArray,
    order: NDArray,
    level: int,
) -> bool:
    """Whether an item was listed at a level before this one.

    Level ``far * n_substrings + rank`` lists what differs from the query in `far` bits
    of the substring of that rank.
    """
    m = order.size
    for rank in range(m):
        j = order[rank]
        other = substring(codes, i, starts[j], sizes[j]) ^ values[j]
        if np.int64(popcount(np.uint64(other))) * m + rank < level:
            return True
    return False


@inlined
def lists_within(
    tables: Any,
    values: NDArray,
    order: NDArray,
    radius: int,
    limit: int,
    pieces: NDArray,
    n_pieces: NDArray,
) -> Any:
    """Bounds of all lists of levels 0 to `radius`, and the number of items in them.

    ``n_pieces[level]`` becomes the number of lists up to that level. Above the limit
    the rest is left.
    """
    _, sizes, firsts, offsets, _ = tables
    last, total = 0, 0
    for level in range(radius + 1):
        j = order[level % order.size]
        last, size = lists_at(
            offsets, firsts[j], sizes[j], values[j], level // order.size, pieces, last
        )
        n_pieces[level] = last
        total += size
        if total > limit:
            break
    return total


@kernel
def within_by_substrings(
    codes: NDArray,
    tables: Any,
    queries: NDArray,
    first_query: int,
    last_query: int,
    radius: int,
    most_probes: int,
    limit: int,
    keep: bool,
    counts: NDArray,
    work: NDArray,
    words: Any,
) -> NDArray:
    """Sorted keys of the codes within a radius, query by query, and their counts.

    No keys, only counts, unless `keep`. Levels 0 to `radius` list them all;
    `most_probes` bounds the lists of a query. `work` becomes the number of items
    listed, or -1 where that is above the limit: such a query is not answered.
    """
    starts, sizes, _, _, items = tables
    m = starts.size
    values, order = np.empty(m, np.int64), np.empty(m, np.int64)
    pieces = np.empty((most_probes + 1, 2), np.int64)
    n_pieces = np.empty(radius + 1, np.int64)
    listed = np.empty(limit, np.uint32)
    keys = np.empty(1024, np.int64)
    stored = 0
    for q in range(first_query, last_query):
        rank_substrings(queries, q, tables, values, order)
        total = lists_within(tables, values, order, radius, limit, pieces, n_pieces)
        if total > limit:
            work[q] = -1
            continue
        if keep:
            keys = with_room(keys, stored, total)
        begin, first, n_hits = stored, 0, 0
        for level in range(radius + 1):
            mine = pieces[first : n_pieces[level]]
            first = n_pieces[level]
            for c in range(gather(items[order[level % m]], mine, listed)):
                i = np.int64(listed[c])
                distance = distance_at(codes, i, queries, q, words)
                if distance <= radius and not seen_before(
                    codes, i, starts, sizes, values, order, level
                ):
                    n_hits += 1
                    if keep:
                        keys[stored] = key_of(distance, i)
                        stored += 1
        sort_keys(keys[begin:stored], codes.shape[0])
        counts[q] = n_hits
        work[q] = total
    return keys[:stored].copy()


@kernel
def nearest_by_substrings(
    codes: NDArray,
    tables: Any,
    queries: NDArray,
    first_query: int,
    last_query: int,
    k: int,
    probes: NDArray,
    most_probes: int,
    limit: int,
    distances: NDArray,
    indices: NDArray,
    work: NDArray,
    words: Any,
) -> None:
    """Answer those queries that need no more lists and items than the limits.

    Level by level, lists farther from the query are looked up. After level L all codes
    within L bits are known, so the search ends when they are k. ``probes[j, far]`` is
    the number of lists at `far` bits in substring j. `work` becomes the number of
    items listed, or -1 for a query that is not answered.
    """
    starts, sizes, firsts, offsets, items = tables
    m, n_bins = starts.size, 8 * codes.shape[1] * codes.itemsize + 1
    values, order = np.empty(m, np.int64), np.empty(m, np.int64)
    pieces = np.empty((most_probes + 1, 2), np.int64)
    listed, keys = np.empty(limit, np.uint32), np.empty(limit, np.int64)
    histogram = np.empty(n_bins, np.int64)
    for q in range(first_query, last_query):
        rank_substrings(queries, q, tables, values, order)
        histogram[:] = 0
        stored, counted, reach, level = 0, 0, n_bins - 1, 0
        n_probes, n_listed = 0, 0
        while counted < k or reach >= level:
            j, far = order[level % m], level // m
            if far <= sizes[j]:
                n_probes += probes[j, far]
                if n_probes > most_probes:
                    break
                n_pieces, total = lists_at(
                    offsets, firsts[j], sizes[j], values[j], far, pieces, 0
                )
                n_listed += total
                if n_listed > limit:
                    break
                for c in range(gather(items[j], pieces[:n_pieces], listed)):
                    i = np.int64(listed[c])
                    found = distance_at(codes, i, queries, q, words)
                    if found <= reach and not seen_before(
                        codes, i, starts, sizes, values, order, level
                    ):
                        keys[stored] = key_of(found, i)
                        stored += 1
                        counted, reach = reduced(k, found, histogram, counted, reach)
            level += 1
        work[q] = -1
        if counted >= k and reach < level:
            work[q], n_items = n_listed, codes.shape[0]
            write_nearest(keys[:stored], reach, n_items, distances[q], indices[q])
