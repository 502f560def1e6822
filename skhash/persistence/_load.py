"""Read an estimator from a file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import sklearn

from skhash.archive import LoadError, read, refused, release
from skhash.persistence._classes import OF_SKLEARN
from skhash.persistence._custom import CustomObjects
from skhash.persistence._estimators import classes_in, made


def load(
    path: str | PathLike[str],
    *,
    custom_objects: Mapping[str, Any] | None = None,
    verify: bool = False,
) -> Any:
    """Read an estimator that `save` wrote, without running any code from the file.

    It answers as it did before, and goes on training as it would have. What is in the
    file is checked against checksums; arrays of more than 16 MB that have a member of
    their own, such as codes, are mapped into memory instead of read, so that a large
    database opens at once and processes share one copy.

    Parameters
    ----------
    path : str or path
        The file.
    custom_objects : mapping of str to object, default=None
        Networks and losses that are not of skhash, by the names of their classes or
        functions: what was given as ``network=``, the class of a loss or a function
        that makes it, the function given to `skhash.losses.from_callable`. The error
        names those that are missing.
    verify : bool, default=False
        Also check the arrays that are mapped. It reads them whole.

    Returns
    -------
    estimator : estimator

    Raises
    ------
    LoadError
        A `ValueError`. If the file is damaged in any way, of another kind, written by a
        newer version, or needs `custom_objects`. It says which member, and what to do.
    OSError
        If there is no such file, or it cannot be read.

    See Also
    --------
    save : Write the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skhash import DeepHashEncoder, load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> encoder = DeepHashEncoder(8, max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.skhash"
    ...     save(encoder, path)
    ...     again = load(path)
    >>> bool((again.transform(X) == encoder.transform(X)).all())
    True
    """
    name = repr(str(path))
    content, versions = read(path, kind="estimator", verify=verify)
    with refused(name):
        _refuse_newer(name, versions, classes_in(content))
        return made(content, CustomObjects(custom_objects, name))


def _refuse_newer(file: str, versions: Mapping[str, str], classes: set[str]) -> None:
    """Refuse estimators of a scikit-learn that is newer than the one that is here."""
    theirs, ours = versions.get("sklearn", ""), sklearn.__version__
    if classes & OF_SKLEARN and release(theirs) > release(ours):
        raise LoadError(
            f"{file}: scikit-learn {theirs} wrote its {min(classes & OF_SKLEARN)}, "
            f"which is newer than scikit-learn {ours} here. Update scikit-learn, or "
            "save it again with the version that is here."
        )
