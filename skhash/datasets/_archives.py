"""Arrays in NPZ and MATLAB files."""

import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import matfile_version
from scipy.sparse import issparse
from sklearn.utils import Bunch

from skhash.datasets._files import check_file
from skhash.datasets._mat_scan import check_claims
from skhash.datasets._npy import (
    ObjectArrayError,
    array_name,
    check_members,
    read_array,
)

# First bytes of a zip archive, and of one without members.
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


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
        If the file is not an NPZ file, holds objects, or an array is missing or does
        not fit.

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
    check_file(path)
    try:
        with Path(path).open("rb") as file:
            is_archive = file.read(4) in _ZIP_STARTS and zipfile.is_zipfile(file)
        if not is_archive:
            raise ValueError("is it cut short, or a single array in the NPY format?")
        archive = zipfile.ZipFile(path)
        check_members(archive.infolist(), Path(path).stat().st_size)
    # A damaged zip archive can make its readers raise nearly anything.
    except Exception as error:
        raise ValueError(
            f"{path} is not a complete NPZ file, i.e. a zip archive of arrays: {error}"
        ) from error
    with archive:
        arrays = {
            array_name(member): _member(archive, member, path)
            for member in archive.infolist()
        }
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
        vector, except one row that is the labels of one sample.
    samples_axis : int, default=0
        The axis of `data` along which the samples lie, e.g. -1 for images stored as
        (height, width, channels, n). It is moved to the front.

    Returns
    -------
    bunch : Bunch
        Every variable under its name, and `data` and `target` if they were asked for.
        Sparse variables stay sparse.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a readable MATLAB file, or a variable is missing or does not
        fit.

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
    check_file(path)
    try:
        with Path(path).open("rb") as file:
            version, _ = matfile_version(file)
            check_claims(file, Path(path).stat().st_size, version)
        variables = loadmat(path, appendmat=False)
    except NotImplementedError as error:
        raise ValueError(
            f"{path} is a MATLAB 7.3 file, i.e. HDF5: save it with '-v7', or read it "
            "with h5py."
        ) from error
    # A file of another kind can make loadmat raise nearly anything.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} is not a complete MATLAB file: {reason}") from error
    arrays = {
        name: _variable(path, name, value)
        for name, value in variables.items()
        if not name.startswith("__")
    }
    n_samples = None
    if data in arrays:
        arrays[data] = _samples_first(path, data, arrays[data], samples_axis)
        n_samples = arrays[data].shape[0]
    if isinstance(arrays.get(target), np.ndarray) and 1 in arrays[target].shape:
        one_sample = n_samples == 1 and len(arrays[target]) == 1
        if not one_sample or arrays[target].size == 1:
            arrays[target] = arrays[target].reshape(-1)
    return _bunch(path, arrays, data, target)


def _variable(path: str | PathLike[str], name: str, value: Any) -> Any:
    # In place of a variable that it could not read, scipy returns a message.
    if isinstance(value, str):
        raise ValueError(f"Variable {name!r} of {path} is damaged: {value}")
    return value if issparse(value) else np.asarray(value)


def _samples_first(
    path: str | PathLike[str], name: str | None, array: Any, samples_axis: int
) -> Any:
    try:
        if issparse(array):
            return array.transpose() if range(2)[samples_axis] else array
        return np.moveaxis(array, samples_axis, 0)
    except (np.exceptions.AxisError, IndexError, TypeError) as error:
        raise ValueError(
            f"samples_axis must be an int from {-array.ndim} to {array.ndim - 1} for "
            f"{name!r} of {path}, of shape {array.shape}; got {samples_axis!r}."
        ) from error


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str | PathLike[str]
) -> np.ndarray:
    name = array_name(member)
    try:
        array = read_array(archive, member)
    except ObjectArrayError as error:
        raise ValueError(
            f"Array {name!r} of {path} holds Python objects, which are pickles and "
            "could run code. Save it as an array of numbers or strings."
        ) from error
    # The array is as large as the file says: it is not damaged.
    except MemoryError as error:
        raise MemoryError(f"Array {name!r} of {path}: {error}") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"Array {name!r} of {path} is damaged: {reason}") from error
    if array is None:
        raise ValueError(
            f"{path} is not an NPZ file: {name!r} in it is not an array in NPY format."
        )
    return array


def _bunch(
    path: str | PathLike[str],
    arrays: dict[str, Any],
    data: str | None,
    target: str | None,
) -> Bunch:
    bunch = Bunch()
    # Not Bunch(**arrays): an array may be called self.
    bunch.update(arrays)
    for key, name in (("data", data), ("target", target)):
        if name is None:
            continue
        if name not in arrays:
            raise ValueError(f"{path} has no array {name!r}, only {sorted(arrays)}.")
        if arrays[name].ndim == 0:
            raise ValueError(f"{name!r} of {path} is a single value without rows.")
        bunch[key] = arrays[name]
    if data is not None and target is not None:
        n_data, n_target = bunch.data.shape[0], bunch.target.shape[0]
        if n_data != n_target:
            raise ValueError(
                f"{data!r} and {target!r} of {path} have {n_data} and {n_target} rows."
            )
    return bunch
