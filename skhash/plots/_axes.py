"""Where a display draws: in the user's axes, or in a figure of its own."""

import numpy as np


def check_axes(ax, n_panels=1):
    """Refuse a missing matplotlib and wrong axes, before any work.

    With `n_panels` None, any number of axes is right.
    """
    try:
        from matplotlib.axes import Axes
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed. Install it with: "
            "pip install matplotlib"
        ) from error
    if ax is None:
        return
    if isinstance(ax, Axes):
        splits = n_panels is not None and n_panels > 1
        if splits and ax.get_subplotspec() is None:
            raise ValueError(
                f"ax has no place in a grid that could be split into {n_panels} "
                f"panels; give a list of {n_panels} matplotlib Axes."
            )
        return
    is_sequence = isinstance(ax, list | tuple | np.ndarray)
    given = list(np.ravel(np.asarray(ax, dtype=object))) if is_sequence else [ax]
    if not all(isinstance(one, Axes) for one in given):
        wrong = next(one for one in given if not isinstance(one, Axes))
        raise TypeError(
            "ax must be matplotlib Axes, e.g. those of plt.subplots(), got "
            f"{type(wrong).__name__}."
        )
    if n_panels is not None and len(given) != n_panels:
        raise ValueError(
            f"ax must be {n_panels} matplotlib Axes for {n_panels} panels, or None, "
            f"got {len(given)}."
        )


def one_panel(ax, figsize=None):
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax if not isinstance(ax, list | tuple | np.ndarray) else np.ravel(ax)[0]
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def panels(ax, shape, figsize=None, **options):
    """Axes for several panels, of shape (rows * columns,).

    Given axes are split up, and a sequence is taken as it is; None makes a figure.
    `options` are those of ``subplots``, e.g. ``height_ratios`` and ``sharex``.
    """
    n_rows, n_columns = shape
    if isinstance(ax, list | tuple | np.ndarray):
        return np.array(list(np.ravel(ax)), dtype=object)
    if ax is None:
        from matplotlib import pyplot as plt

        _, axes = plt.subplots(
            *shape,
            figsize=figsize,
            layout="constrained",
            squeeze=False,
            **options,
        )
        return axes.ravel()
    if n_rows * n_columns == 1:
        return np.array([ax], dtype=object)
    ratios = {k: v for k, v in options.items() if k.endswith("_ratios")}
    grid = ax.get_subplotspec().subgridspec(*shape, **ratios)
    ax.set_axis_off()
    shared = {k: v for k, v in options.items() if k.startswith("share")}
    return grid.subplots(squeeze=False, **shared).ravel()
