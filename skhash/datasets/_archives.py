"""Arrays in NPZ and MATLAB files."""

import zipfile
from os import PathLike
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from sklearn.utils import Bunch


def load_npz(
    path: str | PathLike[str], *, data: str | None = None, target: str | None = None
) -> Bunch:
    """Load the arrays of an NPZ file.

    Arrays of Python objects are pickles, which could run code, and are refused.

    Parameters
    ----------
    path : str or path-like
        The file.
    data, target : str, default=None
        Names of the arrays that become ``bunch.data`` and ``bunch.target``; they must
        have the same number of rows.

    Returns
    -------
    bunch : Bunch
        Every array under its name, and `data` and `target` if they were asked for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no NPZ file, holds objects, or an array is missing or does not
        fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skhash.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "toy.npz")
    ...     np.savez(path, X=[[0.0, 1.0]], y=[3])
    ...     bunch = load_npz(path, data="X", target="y")
    >>> bunch.data, bunch.target
    (array([[0., 1.]]), array([3]))
    """
    _check_file(path)
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is no whole NPZ file, i.e. no zip archive of arrays; is it cut "
            "short, or a single array in the NPY format?"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: _member(archive, name, path) for name in archive.files}
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"{path} is no whole NPZ file: {error}") from error
    return _bunch(path, arrays, data, target)


def load_mat(
    path: str | PathLike[str],
    *,
    data: str | None = None,
    target: str | None = None,
    samples_axis: int = 0,
) -> Bunch:
    """Load the arrays of a MATLAB file (version 4 to 7.2).

    Parameters
    ----------
    path : str or path-like
        The file.
    data, target : str, default=None
        Names of the variables that become ``bunch.data`` and ``bunch.target``; they
        must have the same number of rows. Labels in one row or one column become a
        vector.
    samples_axis : int, default=0
        The axis of `data` that counts the samples, e.g. -1 for images stored as
        (height, width, channels, n). It is moved to the front.

    Returns
    -------
    bunch : Bunch
        Every variable under its name, and `data` and `target` if they were asked for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no MATLAB file that can be read, or a variable is missing or
        does not fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> from skhash.datasets import load_mat
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "toy.mat")
    ...     savemat(path, {"X": np.eye(2), "y": [1, 2]})
    ...     bunch = load_mat(path, data="X", target="y")
    >>> bunch.data.shape, bunch.target
    ((2, 2), array([1, 2]))
    """
    _check_file(path)
    try:
        variables = loadmat(path)
    except NotImplementedError as error:
        raise ValueError(
            f"{path} is a MATLAB 7.3 file, i.e. HDF5: save it with '-v7', or read it "
            "with h5py."
        ) from error
    # A file of something else makes loadmat raise nearly anything.
    except Exception as error:
        raise ValueError(f"{path} is no whole MATLAB file: {error}") from error
    arrays = {
        name: np.asarray(value)
        for name, value in variables.items()
        if not name.startswith("__")
    }
    if data in arrays:
        arrays[data] = np.moveaxis(arrays[data], samples_axis, 0)
    if target in arrays and 1 in arrays[target].shape:
        arrays[target] = arrays[target].reshape(-1)
    return _bunch(path, arrays, data, target)


def _check_file(path: str | PathLike[str]) -> None:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")


def _member(
    archive: np.lib.npyio.NpzFile, name: str, path: str | PathLike[str]
) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ValueError(
            f"Array {name!r} of {path} holds Python objects, which are pickles and "
            "could run code. Save it as an array of numbers or strings."
        ) from error


def _bunch(
    path: str | PathLike[str],
    arrays: dict[str, np.ndarray],
    data: str | None,
    target: str | None,
) -> Bunch:
    bunch = Bunch(**arrays)
    for key, name in (("data", data), ("target", target)):
        if name is None:
            continue
        if name not in arrays:
            raise ValueError(f"{path} has no array {name!r}, only {sorted(arrays)}.")
        bunch[key] = arrays[name]
    if data is not None and target is not None and len(bunch.data) != len(bunch.target):
        raise ValueError(
            f"{data!r} and {target!r} of {path} have {len(bunch.data)} and "
            f"{len(bunch.target)} rows."
        )
    return bunch
