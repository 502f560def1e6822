"""The stages of a training plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Stage:
    """One stretch of a training plan: what is trained, how, and for how long.

    A plan is a list of stages. It is data: it can be printed and tested before
    any training takes place, and one callback carries it out.

    Parameters
    ----------
    epochs : int
        Length of the stage in epochs, at least 1.
    train : {"all", "body", "head", "loss"}, default="all"
        The part whose parameters receive gradients. Frozen parts stay in evaluation
        mode, so that their batch-norm statistics do not move.
    lr_scale : mapping of str to float, default={}
        Factor on the learning rate of a part ("body", "head", "loss").
    input : {"z", "features"}, default="z"
        What `HashLoss.forward` receives: the real outputs of the hash layer or the
        features of the body below it (pre-training).
    settings : mapping of str to object, default={}
        State set on the loss when the stage begins, e.g. ``{"beta_": 2.0}``. Each
        stage names every attribute that any stage of the plan changes.
    refresh_every : int, default=0
        Number of epochs between calls of `HashLoss.refresh` with the outputs of all
        training data, with at least 50 optimisation steps in between; 0 means never.
    refresh_first : bool, default=False
        Also call `HashLoss.refresh` before the first epoch of this stage.

    Examples
    --------
    >>> from skhash.losses import Stage
    >>> Stage(3, settings={"beta_": 2.0})
    Stage(epochs=3, settings={'beta_': 2.0})
    """

    epochs: int
    train: Literal["all", "body", "head", "loss"] = "all"
    lr_scale: Mapping[str, float] = field(default_factory=dict)
    input: Literal["z", "features"] = "z"
    settings: Mapping[str, Any] = field(default_factory=dict)
    refresh_every: int = 0
    refresh_first: bool = False

    def __post_init__(self) -> None:
        allowed = {"train": ("all", "body", "head", "loss"), "input": ("z", "features")}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(
                    f"Stage has {name}={getattr(self, name)!r}, but it must be one of "
                    f"{values}."
                )
        if self.epochs < 1 or self.refresh_every < 0:
            raise ValueError(
                f"Stage has epochs={self.epochs} and refresh_every="
                f"{self.refresh_every}, but needs at least 1 and 0."
            )

    def __repr__(self) -> str:
        plain = Stage(self.epochs)
        changed = [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if name == "epochs" or value != getattr(plain, name)
        ]
        return f"Stage({', '.join(changed)})"
