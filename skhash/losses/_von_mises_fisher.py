"""Von Mises-Fisher loss: class likelihood of directions on the unit sphere."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._centers import (
    CenterInit,
    concentration_reaching,
    first_centers,
    mixed,
    share_of_old,
    sum_by_class,
)
from skhash.losses._classes import MultilabelRule, class_loss, n_classes_of
from skhash.losses._directions import directions, unit_rows
from skhash.losses._pairs import item_mean
from skhash.losses._plan import Stage
from skhash.losses._von_mises_fisher_law import estimated_concentration

# A mean of unit vectors shorter than this has no direction.
NO_DIRECTION = 1e-6


class VonMisesFisher(HashLoss):
    r"""Von Mises-Fisher loss: softmax of cosines to the mean directions of classes.

    With :math:`r_i = z_i / \|z_i\|`, mean directions :math:`\mu_c` and concentration
    :math:`\kappa`,

    .. math::

        L = -\frac{1}{n} \sum_i \log \frac{e^{\kappa \mu_{y_i} \cdot r_i}}
        {\sum_c e^{\kappa \mu_c \cdot r_i}}
        + \lambda \frac{1}{n} \sum_i \left(1 - \frac{\|r_i\|_1}{\sqrt K}\right)

    Estimating the directions from all training data alternates with training the
    network.

    **Partly** the authors' text: the loss follows from what the abstract of [1]_ states
    (von Mises-Fisher posterior on normalised embeddings, class centres updated
    periodically) and the definition of the law. The authors' concentration and
    interval were not available. The paper learns a metric, not codes: taking the signs
    and `quantization` are extensions. First directions at vertices, their moving
    average and batch-normalised z (`normalize_z`) were chosen by measurement. The rule
    for several labels is derived. With one bit, where a direction is a sign and has no
    slope, :math:`r_i = \tanh(z_i)` (derived).

    Parameters
    ----------
    concentration : float or "auto", default="auto"
        :math:`\kappa > 0`. "auto" lets directions in a regular simplex reach a
        posterior of 0.9 (3.96 for ten classes). Larger values, usual in
        classification, leave classes diffuse and their bits unreliable.
    refresh_every : int, default=1
        Number of epochs between estimates of the directions, with at least 50
        optimisation steps in between; 0 keeps the first ones.
    ema : float or "auto", default="auto"
        Share of the old direction in the new one, in [0, 1). "auto" is 0.5, and 0.9
        where there are more classes than bits.
    center_init : {"hadamard", "far", "normal", "forward"}, default="hadamard"
        First directions: those of vertices of the cube (rows of Hadamard matrices, or
        random ones far apart), random ones, or the class means of the untrained
        network. With one bit always "hadamard".
    quantization : float, default=0.0
        Weight :math:`\lambda \ge 0` of one minus the cosine of an item and its code.
    multilabel : {"exclude", "soft"}, default="exclude"
        Loss of an item with several labels. "exclude": mean over its labels, each
        against the labels that the item does not have; "soft": cross-entropy with
        equal shares. Items without labels count in the last term only.

    Attributes
    ----------
    centers_ : Tensor of shape (n_classes, n_bits)
        Mean directions, of unit length (buffer).
    estimated_ : bool Tensor of shape (n_classes,)
        Which directions have a value (buffer).
    concentration_ : float
        :math:`\kappa` in use.
    ema_ : float
        Share of the old direction in use.
    class_concentrations_ : ndarray of shape (n_classes,)
        Concentration of each class at the last estimation of the directions (maximum
        likelihood; NaN for a class without items): how tight the classes have become.
        A diagnosis only, the loss uses the common `concentration_`.

    References
    ----------
    .. [1] X. Zhe, S. Chen, H. Yan, "Directional Statistics-based Deep Metric Learning
       for Image Classification and Retrieval", Pattern Recognition 93, 2019,
       arXiv:1802.09662.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import VonMisesFisher
    >>> y = torch.tensor([0, 1])
    >>> loss = VonMisesFisher(concentration=1.0, center_init="forward").setup(2, y)
    >>> loss.refresh(torch.eye(2), y)
    >>> print(f"{loss(3 * torch.eye(2), y):.6f}")
    0.313262
    """

    centers_: Tensor
    estimated_: Tensor

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "concentration": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "refresh_every": [Interval(Integral, 0, None, closed="left")],
        "ema": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "center_init": [StrOptions({"hadamard", "far", "normal", "forward"})],
        "quantization": [Interval(Real, 0, None, closed="left")],
        "multilabel": [StrOptions({"exclude", "soft"})],
    }

    def __init__(
        self,
        concentration: float | Literal["auto"] = "auto",
        refresh_every: int = 1,
        ema: float | Literal["auto"] = "auto",
        center_init: CenterInit = "hadamard",
        quantization: float = 0.0,
        multilabel: MultilabelRule = "exclude",
    ) -> None:
        super().__init__()
        self.concentration = concentration
        self.refresh_every = refresh_every
        self.ema = ema
        self.center_init = center_init
        self.quantization = quantization
        self.multilabel = multilabel

    def setup(
        self,
        n_bits: int,
        y: Tensor,
        *,
        sample_weight: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Self:
        """See `HashLoss.setup`."""
        super().setup(n_bits, y)
        n_classes = n_classes_of(y)
        if self.concentration == "auto":
            self.concentration_ = concentration_reaching(0.9, n_classes)
        else:
            self.concentration_ = float(self.concentration)
        # One bit has only two directions: drawn ones may be the same.
        init = "hadamard" if n_bits == 1 else self.center_init
        centers = first_centers(init, n_classes, n_bits, generator)
        known = torch.full((n_classes,), init != "forward")
        self.ema_ = share_of_old(self.ema, n_classes, n_bits)
        self.register_buffer("centers_", unit_rows(centers))
        self.register_buffer("estimated_", known)
        return self

    def plan(self, n_epochs: int) -> list[Stage]:
        """One stage, with the directions estimated between its epochs.

        See `HashLoss.plan`.
        """
        forward = self.center_init == "forward"
        return [
            Stage(n_epochs, refresh_every=self.refresh_every, refresh_first=forward)
        ]

    @torch.no_grad()
    def refresh(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Turn each centre to the mean direction of its class.

        A class without items, or whose items cancel out, keeps its direction. See
        `HashLoss.refresh`.
        """
        old = self.state("centers_")
        sums, masses = sum_by_class(directions(z), y, len(old), sample_weight)
        seen = sums.norm(dim=1) > NO_DIRECTION * masses
        new = mixed(old, unit_rows(sums).to(old), self.ema_, self.estimated_, seen)
        seen &= new.norm(dim=1) > NO_DIRECTION
        self.centers_.copy_(torch.where(seen[:, None], unit_rows(new), old))
        self.estimated_.logical_or_(seen)
        lengths = (sums.norm(dim=1) / masses).clamp(0, 1).cpu().double().numpy()
        self.class_concentrations_ = estimated_concentration(lengths, z.shape[1])

    def class_scores(self, z: Tensor) -> Tensor:
        """See `HashLoss.class_scores`."""
        return self._logits(directions(z)).log_softmax(1)

    def _logits(self, r: Tensor) -> Tensor:
        return self.concentration_ * (r @ self.state("centers_").to(r).T)

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        self.state("centers_")
        r = directions(z)
        likelihood = class_loss(self._logits(r), y, sample_weight, self.multilabel)
        if not self.quantization:
            return self.total(similarity=likelihood)
        angle = 1 - r.abs().sum(1) / r.shape[1] ** 0.5
        return self.total(
            similarity=likelihood,
            quantization=self.quantization * item_mean(angle, sample_weight),
        )
