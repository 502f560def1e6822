"""Images in folders, one for each class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skhash.datasets._reading import check_options, read_all, warn_of
from skhash.hints import hint
from skhash.warn import warn

_SUFFIXES = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
# Folders in which operating systems keep previews, copies and deleted files, as they do
# in those whose name begins with a dot.
_SYSTEM = {
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}


def load_image_folder(
    folder: str | PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    mode: str = "RGB",
    value_range: tuple[float, float] | None = None,
    background: str | tuple[int, int, int] | None = None,
    exif_orientation: bool = True,
    on_error: str = "raise",
    target_names: Sequence[str] | None = None,
) -> Bunch:
    """Load images that lie in one folder for each class.

    An image is what a viewer shows of its file: the first frame of an animation, or
    the first page of a file with several, with a warning that names the file. Warnings
    also name folders without images, images outside the folders of classes, and pipes
    and devices with the name of an image, all of which are skipped.

    Parameters
    ----------
    folder : str or path-like
        Holds a folder for each class, which holds images, possibly in folders again
        (links to folders are followed for classes only). The images' names end in .bmp,
        .gif, .jpeg, .jpg, .pbm, .pgm, .png, .pnm, .ppm, .tif, .tiff or .webp. Names
        that begin with a dot, and the folders in which systems keep copies
        (``__MACOSX``, ``@eaDir``, ``$RECYCLE.BIN``), are skipped at every level.
    size : tuple of int, default=None
        (height, width) to which each image is resized (bilinear; the aspect ratio is
        not kept). None means that all images must have the same size.
    mode : {"RGB", "L"}, default="RGB"
        Colour or grey.
    value_range : tuple of float, default=None
        (black, white): the values that become 0 and 255 where grey images have more
        than 8 bits; those beyond are clipped. None takes all values of 16 bits (or 12,
        in a TIFF file that says so), and 0 to 1 for floats; other floats, and whole
        numbers of 32 bits, are refused. Colours of 16 bits keep the upper 8.
    background : str or tuple of int, default=None
        The colour behind transparent pixels, as a name or (red, green, blue). None is
        white, with a warning if there are any such pixels.
    exif_orientation : bool, default=True
        Whether to turn images upright by the orientation that the camera noted. False
        keeps rows and columns as they are stored.
    on_error : {"raise", "skip"}, default="raise"
        What to do about a file that cannot be read: refuse all, or leave it out with a
        warning.
    target_names : sequence of str, default=None
        Names of the classes, in the order of their numbers, such as the `target_names`
        of the folder that the encoder learned from. Those without a folder stay
        classes without rows. None takes the names of the folders, sorted.

    Returns
    -------
    bunch : Bunch
        data : ndarray of shape (n, height, width, 3) or (n, height, width), uint8
            Colour or grey images.
        target : ndarray of shape (n,), int64
            Numbers of the classes.
        target_names : list of str
            Names of the classes' folders, sorted, or those given.
        filenames : list of str
            Paths of the images below `folder`.
        skipped : dict of str to str
            Paths below `folder` of files that were skipped, and why.
        options : dict
            How the images were read, `size` included. Queries and folders that come
            later are read alike with ``read_images(paths, **bunch.options)`` and
            ``load_image_folder(folder, **bunch.options)``.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no image in it.
    ImportError
        If Pillow is not installed.
    MemoryError
        If all images together are too large.
    ValueError
        If an image cannot be read, differs in size from the first, or has values whose
        meaning is unknown; if a folder is none of `target_names`; or if an option is
        invalid.

    See Also
    --------
    read_images : Read a list of files.

    Examples
    --------
    >>> from skhash.datasets import load_image_folder
    >>> birds = load_image_folder("data/birds", size=(64, 64))  # doctest: +SKIP
    >>> birds.target_names  # doctest: +SKIP
    ['crow', 'gull', 'wren']
    """
    given = {"size": size, "mode": mode, "value_range": value_range}
    given |= {"background": background, "exif_orientation": exif_orientation}
    options = check_options(**given, on_error=on_error)
    folder = Path(folder)
    classes, paths = _find_images(folder, target_names)
    files = [path for _, path in paths]
    data, skipped = read_all(files, options, background is None, on_error)
    names = [path.relative_to(folder).as_posix() for path in files]
    index = {label: i for i, label in enumerate(classes)}
    kept = [i for i in range(len(files)) if i not in skipped]
    return Bunch(
        data=data,
        target=np.array([index[paths[i][0]] for i in kept], dtype=np.int64),
        target_names=classes,
        filenames=[names[i] for i in kept],
        skipped={names[i]: reason for i, reason in skipped.items()},
        options={**given, "size": data.shape[1:3]},
    )


def list_images(folder: str | PathLike[str]) -> list[Path]:
    """Paths of all images below a folder, in folders of any depth, in order.

    Parameters
    ----------
    folder : str or path-like
        What is an image, and which folders are skipped, is as in
        :func:`load_image_folder`. Links to folders are not followed.

    Returns
    -------
    paths : list of Path
        Sorted; of :func:`read_images`. They begin with `folder` as it was given.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no image in it.

    Examples
    --------
    >>> from skhash.datasets import list_images, read_images
    >>> photos = read_images(list_images("photos"), size=(64, 64))  # doctest: +SKIP
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if paths := _images(folder):
        return paths
    raise FileNotFoundError(f"{folder} holds no images ({', '.join(_SUFFIXES)}).")


def _find_images(
    folder: Path, target_names: Any
) -> tuple[list[str], list[tuple[str, Path]]]:
    """Names of the classes, and each image's class and path."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    entries = [entry for entry in folder.iterdir() if not _is_hidden(entry.name)]
    folders = sorted(entry.name for entry in entries if entry.is_dir())
    classes = folders if target_names is None else _known(target_names, folders, folder)
    found = {label: _images(folder / label) for label in folders}
    paths = [(label, path) for label in folders for path in found[label]]
    if not paths:
        raise FileNotFoundError(
            f"{folder} holds no folders of images ({', '.join(_SUFFIXES)})."
        )
    outside = [entry for entry in entries if entry.is_file() and _is_image(entry.name)]
    warn_of(sorted(outside), "lie outside the folders of classes, and are skipped.")
    empty = [label for label in folders if not found[label]]
    if empty:
        warn(
            f"{folder} has folders without images: {', '.join(empty)}. They stay in "
            "target_names, as classes without rows."
        )
    return classes, paths


def _known(target_names: Any, folders: list[str], folder: Path) -> list[str]:
    """The names of classes that were given, which must be those of the folders."""
    names = list(target_names) if not isinstance(target_names, str) else [target_names]
    if not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        raise ValueError(
            f"target_names must be different names of folders, got {target_names!r}."
        )
    if unknown := [label for label in folders if label not in names]:
        raise ValueError(
            f"{folder} has folders that are none of target_names: {', '.join(unknown)}."
            f"{hint(unknown[0], names)}"
        )
    return names


def _images(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [
            Path(parent, name)
            for name in files
            if _is_image(name) and not _is_hidden(name)
        ]
    # Broken links are kept, for the reader to complain about.
    special = [path for path in found if path.exists() and not path.is_file()]
    warn_of(sorted(special), "are not regular files, and are skipped.")
    return sorted(set(found) - set(special))


def _raise(error: OSError) -> None:
    raise error


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def _is_image(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)
