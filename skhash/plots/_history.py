"""The course of a training."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skhash.plots._axes import check_axes, panels
from skhash.plots._stages import stages_of
from skhash.plots._style import draw_line, legend_beside, nth_style, style_panel

# Labels of the numbers of code health, and of the panels.
_HEALTH = {
    "dead_bits": "dead bits",
    "mean_balance": "imbalance",
    "mean_correlation": "mean correlation",
    "max_correlation": "max. correlation",
}
_LABELS = {
    "loss": "training loss",
    "score": "validation mAP",
    "health": "code health\n(0 is best)",
}


class TrainingHistoryDisplay:
    """Loss, validation score and code health over the epochs of a training.

    Stages of the training plan are shaded alternately and named after the setting that
    they change. Use :meth:`from_estimator` or :meth:`from_history` to make a display.

    Parameters
    ----------
    epochs : array-like of shape (n_epochs,)
        Numbers of the epochs.
    loss : array-like of shape (n_epochs,)
        Mean loss of each epoch.
    valid_loss : array-like of shape (n_epochs,), default=None
        Mean loss of the validation items.
    terms : dict of str to array-like of shape (n_epochs,), default=None
        Parts of the loss.
    score : array-like of shape (n_epochs,), default=None
        Validation score of each epoch; NaN where there is none.
    health : dict of str to array-like of shape (n_epochs,), default=None
        Numbers of :func:`skhash.metrics.code_health`.
    stages : list of (int, int, str), default=None
        First epoch, last epoch and name of each stage.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        The curves: "loss", "valid_loss", the names of terms, "score", the names of
        health.
    bands_ : list of matplotlib Artist
        The shaded stages.
    panels_ : tuple of str
        Names of the panels.
    ax_ : ndarray of shape (n_panels,) of matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from skhash.plots import TrainingHistoryDisplay
    >>> history = [
    ...     {"epoch": 1, "stage": 0, "beta": 1.0, "train_loss": 0.9},
    ...     {"epoch": 2, "stage": 1, "beta": 2.0, "train_loss": 0.5},
    ... ]
    >>> display = TrainingHistoryDisplay.from_history(history)
    >>> display.stages
    [(1, 1, 'beta = 1'), (2, 2, 'beta = 2')]
    >>> display.panels_
    ('loss',)
    """

    def __init__(
        self,
        epochs,
        loss,
        *,
        valid_loss=None,
        terms=None,
        score=None,
        health=None,
        stages=None,
    ):
        self.epochs = epochs
        self.loss = loss
        self.valid_loss = valid_loss
        self.terms = terms
        self.score = score
        self.health = health
        self.stages = stages

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the training of a fitted encoder.

        Parameters
        ----------
        estimator : estimator
            With `history_`, a pipeline with a step that has it, or a fitted search.
        ax : matplotlib Axes, or sequence of them, default=None
            Where to draw: axes are split up. None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator keeps no history.
        """
        check_axes(ax, None)
        return cls.from_history(_history_of(estimator), ax=ax, **kwargs)

    @classmethod
    def from_history(cls, history, *, ax=None, **kwargs):
        """Draw a training from its records.

        Parameters
        ----------
        history : list of dict
            One row per epoch, like ``DeepHashEncoder.history_``: "train_loss" and,
            where there are such numbers, "epoch", "stage" and settings of the stage,
            "train_<term>", "valid_loss", "valid_score", and those of code health.
        ax : matplotlib Axes, or sequence of them, default=None
            Where to draw: axes are split up. None makes a figure.
        **kwargs
            Passed on to :meth:`plot`.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If there are no epochs, or a row has no "train_loss".
        """
        check_axes(ax, None)
        rows = list(history)
        if not rows:
            raise ValueError("history is empty: there is no epoch to draw.")
        lacking = [n for n, row in enumerate(rows) if "train_loss" not in row]
        if lacking:
            raise ValueError(
                f'Row {lacking[0]} of history has no "train_loss". Each row must be a '
                "dict like those of DeepHashEncoder.history_."
            )
        epochs = np.array([row.get("epoch", n + 1) for n, row in enumerate(rows)])
        names = dict.fromkeys(name for row in rows for name in row)
        terms = [n for n in names if n.startswith("train_") and n != "train_loss"]
        display = cls(
            epochs,
            _column(rows, "train_loss"),
            valid_loss=_column(rows, "valid_loss") if "valid_loss" in names else None,
            terms={name.removeprefix("train_"): _column(rows, name) for name in terms},
            score=_column(rows, "valid_score") if "valid_score" in names else None,
            health={name: _column(rows, name) for name in _HEALTH if name in names},
            stages=stages_of(rows, epochs),
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, panels=None, **kwargs):
        """Draw the panels, one below the other.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of them, default=None
            Where to draw: axes are split up. None makes a figure.
        panels : list of {"loss", "score", "health"}, default=None
            What to draw; None means all there is.
        **kwargs
            Passed on to matplotlib's ``plot``, for all curves.

        Returns
        -------
        self : TrainingHistoryDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `ax` is not a matplotlib Axes.
        ValueError
            If there is nothing to draw in a panel, or the number of axes is wrong.
        """
        self.panels_ = self._check_panels(panels)
        check_axes(ax, len(self.panels_))
        self.ax_ = _stacked(ax, self.panels_)
        self.figure_ = self.ax_[0].figure
        self.lines_, self.bands_ = {}, []
        for panel, axes in zip(self.panels_, self.ax_, strict=True):
            self._shade(axes, with_names=axes is self.ax_[0])
            curves = list(self._curves(panel))
            for n, (key, label, values) in enumerate(curves):
                style = {**nth_style(n), "label": label}
                self.lines_[key] = draw_line(axes, self.epochs, values, style, **kwargs)
            both = panel == "loss" and self.valid_loss is not None
            axes.set_ylabel("loss" if both else _LABELS[panel])
            style_panel(axes)
            if len(curves) > 1 or panel == "health":
                legend_beside(axes)
        self._label_epochs()
        return self

    def _check_panels(self, panels):
        known = ["loss"]
        known += ["score"] if self.score is not None else []
        known += ["health"] if self.health else []
        chosen = known if panels is None else np.atleast_1d(panels).tolist()
        for panel in chosen:
            if panel not in known:
                raise ValueError(
                    f"There is no {panel!r} to draw: this history has {known}."
                )
        return tuple(chosen)

    def _curves(self, panel):
        """Key, label and values of the curves of a panel."""
        if panel == "loss":
            yield "loss", "loss" if self.valid_loss is None else "training", self.loss
            if self.valid_loss is not None:
                yield "valid_loss", "validation", self.valid_loss
            for name, values in (self.terms or {}).items():
                yield name, name.replace("_", " "), values
        elif panel == "score":
            yield "score", "validation mAP", self.score
        else:
            for name, values in self.health.items():
                yield name, _HEALTH.get(name, name.replace("_", " ")), values

    def _shade(self, axes, with_names):
        stages = self.stages or []
        if len(stages) < 2:
            return
        for place, (first, last, name) in enumerate(stages):
            low, high = first - 0.5, last + 0.5
            shade = ("0.5", 0.14) if place % 2 else "none"
            self.bands_.append(
                axes.axvspan(low, high, facecolor=shade, edgecolor="none", zorder=0)
            )
            if place:
                axes.axvline(low, color="0.7", linewidth=0.8, zorder=0.5)
            if with_names:
                axes.annotate(
                    name,
                    ((low + high) / 2, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(0, 3),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    rotation=0 if len(stages) < 4 else 90,
                    fontsize="small",
                )

    def _label_epochs(self):
        epochs = np.asarray(self.epochs)
        for axes in self.ax_:
            axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.tick_params(labelbottom=axes is self.ax_[-1])
        self.ax_[-1].set_xlabel("epoch")
        if "health" in self.panels_:
            axes = self.ax_[self.panels_.index("health")]
            axes.set_ylim(-0.03, max(1.0, axes.get_ylim()[1]))


def _history_of(estimator):
    if hasattr(estimator, "best_estimator_"):
        return _history_of(estimator.best_estimator_)
    for _, step in reversed(getattr(estimator, "steps", [])):
        if hasattr(step, "history_"):
            return step.history_
    if not hasattr(estimator, "history_"):
        check_is_fitted(estimator)
        raise TypeError(
            f"{type(estimator).__name__} keeps no history_ of its training, as "
            "DeepHashEncoder does. Use from_history for records of another kind."
        )
    return estimator.history_


def _column(rows, name):
    return np.array([row.get(name, np.nan) for row in rows], dtype=float)


def _stacked(ax, names):
    """One axes for each panel; that of the loss is taller."""
    return panels(
        ax,
        (len(names), 1),
        (6.8, 1.2 + 1.9 * len(names)),
        height_ratios=[1.4 if name == "loss" else 1 for name in names],
    )
