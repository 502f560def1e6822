"""IDX files, the format of MNIST and Fashion-MNIST."""

import gzip
import math
import zlib
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np
from sklearn.utils import Bunch

from skhash.datasets._files import MOST_AXES, MOST_INFLATED, check_file, describe_size

_DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
# Bytes that are read at a time.
_PIECE = 2**20
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_idx(path: str | PathLike[str]) -> np.ndarray:
    """Read one array from an IDX file, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        The file; whether it is gzipped is seen from its first bytes, not its name.

    Returns
    -------
    array : ndarray of any shape
        Shape and dtype are as the file says, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an IDX file, is cut short, or is too long.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    check_file(path)
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        is_gzipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not is_gzipped:
            return _read(path, file, n_bytes)
        try:
            with gzip.open(file) as unzipped:
                return _read(path, unzipped, MOST_INFLATED * n_bytes)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from error


def _read(path: Path, file: IO[bytes], most: int) -> np.ndarray:
    """The array of an open file of `most` bytes, or fewer if it is gzipped."""
    dtype, shape = _read_header(path, file)
    header = 4 + 4 * len(shape)
    claimed = header + math.prod(shape) * dtype.itemsize
    found, values = most, bytearray()
    if claimed <= most:
        values = _read_at_most(file, claimed - header + 1)
        found = header + len(values)
    if found != claimed:
        raise ValueError(
            f"{path} is {'cut short' if found < claimed else 'too long'}: an array of "
            f"shape {shape} and dtype {dtype.name} takes {describe_size(claimed)}, the "
            f"file has {'more' if found > claimed else f'at most {found}'}."
        )
    try:
        array = np.frombuffer(values, dtype).reshape(shape)
    # numpy refuses some shapes even where the array would be empty.
    except ValueError as error:
        raise ValueError(f"{path} is not an array of shape {shape}: {error}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(path: Path, file: IO[bytes]) -> tuple[np.dtype, tuple[int, ...]]:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _DTYPES:
        raise ValueError(
            f"{path} is not an IDX file: it should begin with two zero bytes and a "
            f"type code from 0x08 to 0x0e, but begins with 0x{start.hex()}."
        )
    n_axes = start[3]
    if n_axes > MOST_AXES:
        raise ValueError(f"{path} has {n_axes} axes; arrays have {MOST_AXES} at most.")
    sizes = file.read(4 * n_axes)
    if len(sizes) < 4 * n_axes:
        raise ValueError(f"{path} ends inside its header of {n_axes} axes.")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    return _DTYPES[start[2]], shape


def _read_at_most(file: IO[bytes], n_bytes: int) -> bytearray:
    """Bytes of a file that may claim far more than it has."""
    content = bytearray()
    while part := file.read(min(n_bytes - len(content), _PIECE)):
        content += part
    return content


def load_mnist(folder: str | PathLike[str], *, subset: str = "all") -> Bunch:
    """Load MNIST, Fashion-MNIST or another set in the same files, from a folder.

    The four files have their original names, with or without ``.gz``. Nothing is
    downloaded.

    Parameters
    ----------
    folder : str or path-like
        Where the files are.
    subset : {"all", "train", "test"}, default="all"
        Which images; "all" puts the training images first.

    Returns
    -------
    bunch : Bunch
        data : ndarray of shape (n, height, width), uint8
            Grey images.
        target : ndarray of shape (n,), int64
            Numbers of the classes.
        n_train : int
            How many of the rows are training images.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file is not what it should be, or `subset` is unknown.

    Examples
    --------
    >>> from skhash.datasets import load_mnist
    >>> mnist = load_mnist("data/mnist")  # doctest: +SKIP
    >>> mnist.data.shape  # doctest: +SKIP
    (70000, 28, 28)
    """
    if subset not in ("all", "train", "test"):
        raise ValueError(f"subset must be 'all', 'train' or 'test', got {subset!r}.")
    parts = []
    for name in ["train", "test"] if subset == "all" else [subset]:
        images, labels = (_find(Path(folder), file) for file in _FILES[name])
        data, target = read_idx(images), read_idx(labels)
        if data.ndim < 2 or target.ndim != 1 or len(data) != len(target):
            raise ValueError(
                f"{images} and {labels} should hold n images and n labels, but have "
                f"shapes {data.shape} and {target.shape}."
            )
        parts.append((data, target))
    _check_alike(folder, parts)
    return Bunch(
        data=np.concatenate([data for data, _ in parts]),
        target=np.concatenate([target for _, target in parts]).astype(np.int64),
        n_train=0 if subset == "test" else len(parts[0][0]),
    )


def _check_alike(
    folder: str | PathLike[str], parts: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Refuse parts of different dtypes, which would be joined in a third, or shapes."""
    for arrays in zip(*parts, strict=True):
        kinds = {f"{array.dtype} of shape {array.shape[1:]}" for array in arrays}
        if len(kinds) > 1:
            raise ValueError(
                f"{folder} holds training and test items that do not fit together: "
                f"{' and '.join(sorted(kinds))} each."
            )


def _find(folder: Path, name: str) -> Path:
    # Some archives put a dot where others put the first hyphen of "idx".
    names = [name, name.replace("-idx", ".idx")]
    for candidate in [folder / (n + end) for n in names for end in ("", ".gz")]:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"There is neither {name} nor {name}.gz in {folder}.")
