"""CIFAR-10 and CIFAR-100, in their binary and Python files."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skhash.datasets._files import check_file, read_bytes, read_text
from skhash.datasets._safe_pickle import load_arrays

_PIXELS = 3 * 32 * 32
# Training files and test file, by number of classes and version.
_FILES = {
    (10, "binary"): ([f"data_batch_{i}.bin" for i in range(1, 6)], "test_batch.bin"),
    (10, "python"): ([f"data_batch_{i}" for i in range(1, 6)], "test_batch"),
    (100, "binary"): (["train.bin"], "test.bin"),
    (100, "python"): (["train"], "test"),
}


def load_cifar(
    folder: str | PathLike[str], *, subset: str = "all", labels: str = "fine"
) -> Bunch:
    """Load CIFAR-10 or CIFAR-100 from a folder of its original files.

    Which of the two it is, and whether in the binary or the Python version, is seen
    from the files. The Python version consists of pickles, which are read by an
    unpickler that can build arrays of numbers and never runs code. Nothing is
    downloaded.

    Parameters
    ----------
    folder : str or path-like
        Where the files are, e.g. ``cifar-10-batches-py``.
    subset : {"all", "train", "test"}, default="all"
        Which images; "all" puts the training images first, as the published splits
        count them.
    labels : {"fine", "coarse"}, default="fine"
        The 100 classes or the 20 superclasses of CIFAR-100.

    Returns
    -------
    bunch : Bunch
        data : ndarray of shape (n, 32, 32, 3), uint8
            RGB.
        target : ndarray of shape (n,), int64
            Numbers of the classes.
        target_names : list of str
            Empty if the file of names is missing.
        n_train : int
            How many of the rows are training images.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file is not what it should be, or an option is unknown.

    Examples
    --------
    >>> from skhash.datasets import load_cifar
    >>> cifar = load_cifar("data/cifar-10-batches-py")  # doctest: +SKIP
    >>> cifar.data.shape  # doctest: +SKIP
    (60000, 32, 32, 3)
    """
    if subset not in ("all", "train", "test"):
        raise ValueError(f"subset must be 'all', 'train' or 'test', got {subset!r}.")
    if labels not in ("fine", "coarse"):
        raise ValueError(f"labels must be 'fine' or 'coarse', got {labels!r}.")
    folder = Path(folder)
    n_classes, version = _recognise(folder)
    if n_classes == 10 and labels == "coarse":
        raise ValueError(f"{folder} holds CIFAR-10, which has no coarse labels.")
    train, test = _FILES[n_classes, version]
    names = {"train": train, "test": [test], "all": [*train, test]}[subset]
    read = _read_binary if version == "binary" else _read_python
    parts = [read(folder / name, n_classes, labels) for name in names]
    return Bunch(
        data=np.concatenate([pixels for pixels, _ in parts])
        .reshape(-1, 3, 32, 32)
        .transpose(0, 2, 3, 1)
        .copy(),
        target=np.concatenate([target for _, target in parts]),
        target_names=_target_names(folder, n_classes, version, labels),
        n_train=sum(
            len(target)
            for name, (_, target) in zip(names, parts, strict=True)
            if name != test
        ),
    )


def _recognise(folder: Path) -> tuple[int, str]:
    for (n_classes, version), (train, _) in _FILES.items():
        if (folder / train[0]).is_file():
            return n_classes, version
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    first = ", ".join(train[0] for train, _ in _FILES.values())
    raise FileNotFoundError(
        f"{folder} holds none of {first}: neither version of CIFAR-10 or CIFAR-100."
    )


def _read_binary(
    path: Path, n_classes: int, labels: str
) -> tuple[np.ndarray, np.ndarray]:
    n_labels = 1 if n_classes == 10 else 2
    record = n_labels + _PIXELS
    check_file(path)
    n_bytes = path.stat().st_size
    if n_bytes == 0 or n_bytes % record:
        raise ValueError(
            f"{path} has {n_bytes} bytes, which is not a multiple of the {record} "
            f"bytes of one CIFAR-{n_classes} image."
        )
    rows = np.frombuffer(read_bytes(path), dtype=np.uint8).reshape(-1, record)
    column = 0 if labels == "coarse" or n_classes == 10 else 1
    n_known = 20 if labels == "coarse" else n_classes
    return rows[:, n_labels:], _check_target(path, rows[:, column], n_known)


def _read_python(
    path: Path, n_classes: int, labels: str
) -> tuple[np.ndarray, np.ndarray]:
    batch = _unpickle(path, "CIFAR batch")
    key = "labels" if n_classes == 10 else f"{labels}_labels"
    found = _text_keys(batch)
    if not {"data", key} <= set(found):
        raise ValueError(
            f"{path} should be a dict with the keys 'data' and {key!r}, but has "
            f"{sorted(found)!r:.200}."
        )
    data, target = found["data"], _label_array(path, found[key])
    if not isinstance(data, np.ndarray):
        raise ValueError(
            f"{path} should hold an array of uint8 data, but has "
            f"{type(data).__name__} data."
        )
    if target.ndim != 1:
        raise ValueError(
            f"{path} should hold one label per image in {key!r}, but has labels of "
            f"shape {target.shape}."
        )
    if data.dtype != np.uint8 or data.shape != (len(target), _PIXELS):
        raise ValueError(
            f"{path} should hold uint8 data of shape ({len(target)}, {_PIXELS}), but "
            f"has {data.dtype} of shape {data.shape}."
        )
    n_known = 20 if labels == "coarse" else n_classes
    return data, _check_target(path, target, n_known)


def _unpickle(path: Path, what: str) -> Any:
    content = read_bytes(path)
    try:
        return load_arrays(content)
    except ValueError as error:
        raise ValueError(f"{path} is not a {what}: {error}.") from error


def _text_keys(batch: object) -> dict[str, Any]:
    if not isinstance(batch, dict):
        return {}
    return {
        key.decode("ascii", "replace") if isinstance(key, bytes) else key: value
        for key, value in batch.items()
        if isinstance(key, str | bytes)
    }


def _label_array(path: Path, labels: Any) -> np.ndarray:
    if isinstance(labels, np.ndarray):
        return labels
    whole = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not whole:
        raise ValueError(f"{path} should hold its labels as a list of whole numbers.")
    return np.array(labels)


def _check_target(path: Path, target: np.ndarray, n_known: int) -> np.ndarray:
    if target.dtype.kind not in "iu" or not ((target >= 0) & (target < n_known)).all():
        raise ValueError(f"{path} holds labels that are not 0 to {n_known - 1}.")
    return target.astype(np.int64)


def _target_names(folder: Path, n_classes: int, version: str, labels: str) -> list[str]:
    key = "label_names" if n_classes == 10 else f"{labels}_label_names"
    if version == "binary":
        path = folder / ("batches.meta.txt" if n_classes == 10 else f"{key}.txt")
    else:
        path = folder / ("batches.meta" if n_classes == 10 else "meta")
    if not path.exists():
        return []
    names = read_text(path).split() if version == "binary" else _pickled(path, key)
    n_known = 20 if labels == "coarse" else n_classes
    if len(names) > n_known:
        raise ValueError(f"{path} has {len(names)} names for {n_known} classes.")
    try:
        return [name.decode() if isinstance(name, bytes) else name for name in names]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} has names that are not UTF-8 text: {error}"
        ) from error


def _pickled(path: Path, key: str) -> list[Any]:
    names = _text_keys(_unpickle(path, "file of CIFAR names")).get(key)
    whole = isinstance(names, list) and all(
        isinstance(name, str | bytes) for name in names
    )
    if not whole:
        raise ValueError(f"{path} should hold a list of names under {key!r}.")
    return names
