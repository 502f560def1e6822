"""OrthoHash: softmax of cosines to fixed orthogonal class codes, with a margin."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal, Self

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._batches import check_class_numbers
from skhash.losses._classes import class_loss, n_classes_of
from skhash.losses._directions import directions
from skhash.losses._vertices import TargetChoice, target_codes

MarginType = Literal["cosine", "angle"]


def with_margin(
    cosines: Tensor, own: Tensor, margin: float, kind: MarginType
) -> Tensor:
    """Cosines of shape (n, n_classes), made harder where `own` is 1: for own labels.

    The margin is taken from the cosine, or added to the angle in radians.
    """
    if kind == "cosine":
        return cosines - margin * own
    # acos has an infinite slope at both ends.
    angles = torch.acos(cosines.clamp(-1 + 1e-5, 1 - 1e-5))
    return torch.where(own > 0, torch.cos(angles + margin), cosines)


class OrthoHash(HashLoss):
    r"""OrthoHash: one softmax of cosines to orthogonal binary class codes.

    With the code :math:`t_c` of class c, of :math:`\pm 1`,

    .. math::

        L = -\frac{1}{n} \sum_i \log \frac{e^{s (\cos(z_i, t_{y_i}) - m)}}
        {e^{s (\cos(z_i, t_{y_i}) - m)} + \sum_{c \ne y_i} e^{s \cos(z_i, t_c)}}

    Exact: the loss of [1]_, its margins and its rule for several labels
    (cross-entropy with equal shares; items without labels are left out).
    Batch-normalised z (`normalize_z`) is part of the method. Class codes from Hadamard
    matrices are the default here; the authors' program draws random bits. With one bit,
    where a cosine is a sign and has no slope, :math:`t_c \tanh(z_i)` takes its place
    (derived).

    Parameters
    ----------
    scale : float, default=8.0
        Scale s > 0 of the cosines; the authors' value.
    margin : float, default=0.2
        Margin m >= 0; the authors use 0.2 and 0.3.
    margin_type : {"cosine", "angle"}, default="cosine"
        Whether the margin is taken from the cosine or added to the angle (radians).
    targets : {"hadamard", "far", "balanced", "random"}, default="hadamard"
        Codes of the classes: from Hadamard matrices, random ones far apart, random
        ones with as many +1 as -1, or independent random bits.

    Attributes
    ----------
    centers_ : Tensor of shape (n_classes, n_bits)
        Codes of the classes (buffer).

    References
    ----------
    .. [1] J. T. Hoe, K. W. Ng, T. Zhang, C. S. Chan, Y.-Z. Song, T. Xiang, "One Loss
       for All: Deep Hashing with a Single Cosine Similarity based Learning
       Objective", NeurIPS 2021, arXiv:2109.14449.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import OrthoHash
    >>> y = torch.tensor([0, 1])
    >>> loss = OrthoHash(scale=1.0, margin=0.0)
    >>> loss = loss.setup(4, y, generator=torch.Generator().manual_seed(0))
    >>> print(f"{loss(loss.centers_, y):.6f}")
    0.126928
    """

    balanced_batches = False
    centers_: Tensor

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "scale": [Interval(Real, 0, None, closed="neither")],
        "margin": [Interval(Real, 0, None, closed="left")],
        "margin_type": [StrOptions({"cosine", "angle"})],
        "targets": [StrOptions({"hadamard", "far", "balanced", "random"})],
    }

    def __init__(
        self,
        scale: float = 8.0,
        margin: float = 0.2,
        margin_type: MarginType = "cosine",
        targets: TargetChoice = "hadamard",
    ) -> None:
        super().__init__()
        self.scale = scale
        self.margin = margin
        self.margin_type = margin_type
        self.targets = targets

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
        centers = target_codes(self.targets, n_classes_of(y), n_bits, generator)
        self.register_buffer("centers_", centers)
        return self

    def class_scores(self, z: Tensor) -> Tensor:
        """Log-posteriors without margin. See `HashLoss.class_scores`."""
        return (self.scale * self._cosines(z)).log_softmax(1)

    def _cosines(self, z: Tensor) -> Tensor:
        codes = self.state("centers_").to(z)
        return directions(z) @ codes.T / codes.shape[1] ** 0.5

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        cosines = self._cosines(z)
        n_classes = cosines.shape[1]
        own = y
        if y.ndim == 1:
            own = y[:, None] == torch.arange(n_classes, device=y.device)
        else:
            check_class_numbers(y, n_classes)
        harder = with_margin(cosines, own.to(z), self.margin, self.margin_type)
        return self.total(
            similarity=class_loss(self.scale * harder, y, sample_weight, rule="soft")
        )
