"""Text lists of files and their labels, as deep-hashing papers publish them."""

from os import PathLike

import numpy as np
from sklearn.utils import Bunch

from skhash.datasets._files import read_text


def load_label_list(path: str | PathLike[str]) -> Bunch:
    """Load a text list of files with their labels.

    Each line holds a file's name, then its labels, separated by blanks: either a 0 or
    1 for every class (NUS-WIDE, COCO and ImageNet lists of HashNet and others), or the
    number of its only class. Names may contain blanks. Empty lines and a byte order
    mark are skipped.

    Parameters
    ----------
    path : str or path-like
        The list.

    Returns
    -------
    bunch : Bunch
        filenames : list of str
            As they stand in the list.
        target : ndarray of shape (n, n_classes) or (n,), int64
            Multi-hot rows, or numbers of classes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line does not fit; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skhash.datasets import load_label_list
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "database.txt")
    ...     _ = path.write_text("images/a.jpg 0 1 1\\nimages/b.jpg 1 0 0\\n")
    ...     bunch = load_label_list(path)
    >>> bunch.filenames, bunch.target
    (['images/a.jpg', 'images/b.jpg'], array([[0, 1, 1], [1, 0, 0]]))
    """
    lines = [
        (number, line)
        for number, line in enumerate(read_text(path).split("\n"), start=1)
        if line.strip()
    ]
    if not lines:
        raise ValueError(f"{path} is an empty list.")
    number, line = lines[0]
    words = line.split()
    n_labels = min(_trailing_integers(words), len(words) - 1)
    if n_labels == 0:
        raise ValueError(
            f"{path}, line {number}: expected a file name and its labels, got "
            f"{line.strip()!r:.80}."
        )
    filenames, labels = [], []
    for number, line in lines:
        # A name keeps its own blanks, e.g. two in a row.
        name, *words = line.strip().rsplit(maxsplit=n_labels)
        if len(words) < n_labels or _trailing_integers(words) < n_labels:
            raise ValueError(
                f"{path}, line {number}: expected a file name and {n_labels} labels, "
                f"as in line {lines[0][0]}, got {line.strip()!r:.80}."
            )
        filenames.append(name)
        labels.append(_labels(words, f"{path}, line {number}"))
    if n_labels == 1:
        return Bunch(filenames=filenames, target=np.array(labels, np.int64)[:, 0])
    return Bunch(filenames=filenames, target=np.array(labels, dtype=np.int64))


def _labels(words: list[str], place: str) -> list[int]:
    if len(words) > 1:
        if not {word.lstrip("0") for word in words} <= {"", "1"}:
            raise ValueError(f"{place}: labels must be 0 or 1.")
        return [int(word[-1]) for word in words]
    digits = words[0].lstrip("0") or "0"
    # Longer numbers may have more digits than Python agrees to read.
    if len(digits) > 19 or int(digits) >= 2**63:
        raise ValueError(
            f"{place}: the number of a class must be below 2**63, got {digits:.40}. "
            "Number the classes from 0."
        )
    return [int(digits)]


def _trailing_integers(words: list[str]) -> int:
    """How many of the last words are whole numbers; a list begins with a name."""
    count = 0
    for word in reversed(words):
        if not (word.isascii() and word.isdigit()):
            break
        count += 1
    return count
