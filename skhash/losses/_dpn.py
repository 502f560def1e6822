"""DPN: each bit polarised beyond a margin, on the side of its class code."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._centers import sum_by_class
from skhash.losses._classes import labelled_weight, majority_codes, n_classes_of
from skhash.losses._pairs import item_mean
from skhash.losses._plan import Stage
from skhash.losses._vertices import TargetChoice, random_vertices, target_codes


class DPN(HashLoss):
    r"""Deep polarised network: a hinge on each bit towards the code of its class.

    With the code :math:`t_i` of the class of item i, of :math:`\pm 1`,

    .. math:: L = \frac{1}{nK} \sum_{ik} \max(0, m - t_{ik} z_{ik})

    Exact: the polarisation loss of [1]_ divided by the number of bits. Class codes
    from Hadamard matrices are the default here; the paper draws random ones
    ("balanced"), or moves them (`refresh_every`). Batch-normalised z (`normalize_z`) is
    an addition. The rule for several labels is that of CSQ, derived.

    Parameters
    ----------
    margin : float, default=1.0
        Margin m > 0; the paper's value.
    targets : {"hadamard", "far", "balanced", "random"}, default="hadamard"
        First codes of the classes: from Hadamard matrices, random ones far apart,
        random ones with as many +1 as -1, or independent random bits.
    refresh_every : int, default=0
        Number of epochs after which the code of a class becomes the majority of the
        codes of its items, counting only outputs beyond the margin (the paper's
        adaptive variant; classes may end up sharing codes). 0 keeps the first codes.

    Attributes
    ----------
    centers_ : Tensor of shape (n_classes, n_bits)
        Codes of the classes (buffer).
    tie_breaker_ : Tensor of shape (n_bits,)
        Bits of an item of several labels where the codes of its labels tie (buffer).
        Other bits are those of the majority; items without labels are left out.

    References
    ----------
    .. [1] L. Fan, K. W. Ng, C. Ju, T. Zhang, C. S. Chan, "Deep Polarized Network for
       Supervised Learning of Accurate Binary Hashing Codes", IJCAI 2020.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DPN
    >>> y = torch.tensor([0, 1])
    >>> loss = DPN().setup(4, y, generator=torch.Generator().manual_seed(0))
    >>> print(f"{loss(0.25 * loss.centers_, y):.2f}")
    0.75
    """

    balanced_batches = False
    centers_: Tensor

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "margin": [Interval(Real, 0, None, closed="neither")],
        "targets": [StrOptions({"hadamard", "far", "balanced", "random"})],
        "refresh_every": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        margin: float = 1.0,
        targets: TargetChoice = "hadamard",
        refresh_every: int = 0,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.targets = targets
        self.refresh_every = refresh_every

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
        self.register_buffer("tie_breaker_", random_vertices(1, n_bits, generator)[0])
        return self

    def plan(self, n_epochs: int) -> list[Stage]:
        """One stage, between whose epochs the class codes may move.

        See `HashLoss.plan`.
        """
        return [Stage(n_epochs, refresh_every=self.refresh_every)]

    @torch.no_grad()
    def refresh(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Set each class code to the majority of its items; ties keep the old bit.

        See `HashLoss.refresh`.
        """
        old = self.state("centers_")
        decided = torch.where(z.abs() > self.margin, z.sign(), 0)
        votes, _ = sum_by_class(decided, y, len(old), sample_weight)
        self.centers_.copy_(torch.where(votes == 0, old, votes.sign().to(old)))

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        centers = self.state("centers_").to(z)
        targets = majority_codes(y, centers, self.state("tie_breaker_").to(z))
        losses = F.relu(self.margin - targets * z).mean(1)
        return self.total(
            similarity=item_mean(losses, labelled_weight(y, sample_weight, z))
        )
