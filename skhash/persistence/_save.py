"""Write an estimator into a file."""

from __future__ import annotations

from os import PathLike
from typing import Any

from skhash.archive import write
from skhash.persistence._estimators import told
from skhash.warn import warn

_ABOUT = """A fitted estimator of skhash, saved by `skhash.save`.

    import skhash
    model = skhash.load("this_file.skhash")

opens it. Loading runs no code from the file. What is inside, each stored as it is:

* `manifest.json`: what the estimator is: its classes, parameters and other plain
  values, the versions of the libraries that wrote it, and for every array the member it
  lies in, its shape and its dtype; and the SHA-256 of every member.
* `weights.safetensors`: arrays of weights (see https://github.com/huggingface/safetensors).
* `*.npy`: arrays that may be large, to be read by `numpy.load`. `codes.npy` has a row
  for each item, eight bits a byte, the most significant first.
"""


def save(estimator: Any, path: str | PathLike[str]) -> None:
    """Write a fitted estimator into one file, from which no code is ever run.

    The file is a ZIP of stored members that any tool can open: what the estimator is in
    ``manifest.json``, weights in ``weights.safetensors``, codes and other large arrays
    in an ``.npy`` each. It takes the place of `path` once it is whole and on the disk:
    a process that is killed at any moment leaves the former file as it was.

    Parameters
    ----------
    estimator : estimator
        One of skhash, fitted or not, or a scikit-learn ``Pipeline`` or ``FeatureUnion``
        of these and of StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler,
        Normalizer, SimpleImputer, PCA, TruncatedSVD, TfidfVectorizer or
        FrozenEstimator.
    path : str or path
        The file, by custom ``*.skhash``.

    Raises
    ------
    TypeError
        If it is another estimator, or holds a value that no file can hold, such as a
        function that it needs to answer.
    OSError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        If a parameter that only training needs is no plain value: callbacks, the class
        of an optimiser, a function of `augment`, a ``RandomState``. It is saved as
        None. The warning names all of them.

    See Also
    --------
    load : Read the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skhash import HammingNeighbors, load, save
    >>> codes = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
    >>> neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ids=["x", "y", "z"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "database.skhash"
    ...     save(neighbors, path)
    ...     again = load(path)
    >>> again.kneighbors([[0b110]], return_distance=False)
    array([['z']], dtype='<U1')
    """
    left_out: list[str] = []
    content = told(estimator, left_out)
    if left_out:
        warn(
            f"{', '.join(left_out)}: no plain values, which a file could hold, and of "
            "no use but for training. Saved as None; set them again before the next "
            "fit."
        )
    write(path, content, kind="estimator", about=_ABOUT)
