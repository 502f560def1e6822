"""The least values of a stream, kept in a heap: the worst of them on top.

Items come in order of index, so an equal value that comes later is worse.
"""

from numpy.typing import NDArray

from skhash.hamming.simd.jit import inlined, kernel

# Items that are asked together whether any is near enough.
RUN = 64


@inlined
def worse(value: float, index: int, other_value: float, other_index: int) -> bool:
    """Whether an item comes after another in an answer."""
    return value > other_value or (value == other_value and index > other_index)


@kernel
def sift_down(values: NDArray, indices: NDArray, size: int, at: int) -> None:
    """Move the item at a place of a heap down to where none below is worse."""
    value, index = values[at], indices[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        right = child + 1
        if right < size and worse(
            values[right], indices[right], values[child], indices[child]
        ):
            child = right
        if not worse(values[child], indices[child], value, index):
            break
        values[at], indices[at] = values[child], indices[child]
        at = child
    values[at], indices[at] = value, index


@kernel
def take_least(
    bounds: NDArray, first: int, values: NDArray, indices: NDArray, size: int
) -> int:
    """Put items ``first, first + 1, ...`` into a heap of `size` items.

    Returns its new size, at most as many as the arrays hold.
    """
    start, k = 0, values.size
    while size < k and start < bounds.size:
        values[size], indices[size] = bounds[start], first + start
        start, size = start + 1, size + 1
        if size == k:
            for at in range(k // 2 - 1, -1, -1):
                sift_down(values, indices, k, at)
    for run in range(start, bounds.size, RUN):
        some = bounds[run : run + RUN]
        near, top = 0, values[0]
        for i in range(some.size):
            near += some[i] < top
        if near:
            for i in range(some.size):
                if some[i] < values[0]:
                    values[0], indices[0] = some[i], first + run + i
                    sift_down(values, indices, k, 0)
    return size


@kernel
def sort_heap(values: NDArray, indices: NDArray) -> None:
    """Turn a full heap into an answer, the best first."""
    for last in range(values.size - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        indices[0], indices[last] = indices[last], indices[0]
        sift_down(values, indices, last, 0)
