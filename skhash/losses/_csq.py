"""CSQ: each bit classified towards the code of its class."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._classes import labelled_weight, majority_codes, n_classes_of
from skhash.losses._pairs import item_mean
from skhash.losses._vertices import TargetChoice, random_vertices, target_codes


class CSQ(HashLoss):
    r"""Central similarity quantisation: binary cross-entropy to fixed class codes.

    With :math:`h = \tanh(z)`, :math:`p = (h + 1) / 2` and the code :math:`t_i` of the
    class of item i, of :math:`\pm 1`,

    .. math::

        L = -\frac{1}{nK} \sum_{ik} \left[ \frac{1 + t_{ik}}{2} \log p_{ik}
        + \frac{1 - t_{ik}}{2} \log(1 - p_{ik}) \right]
        + \frac{\lambda}{nK} \sum_{ik} (|h_{ik}| - 1)^2

    Exact: the loss of [1]_ and its rule for several labels. The authors take the class
    codes from one Hadamard matrix of order K and its negative where that is possible
    and draw balanced ones otherwise; here "hadamard" uses that matrix for K to 2 K
    classes, and otherwise builds codes in which no bit is the same for all classes.
    Batch-normalised z (`normalize_z`) is an addition.

    Parameters
    ----------
    quantization : float, default=1e-4
        Weight :math:`\lambda \ge 0` of the distance to the vertices; the paper's value.
    targets : {"hadamard", "far", "balanced", "random"}, default="hadamard"
        Codes of the classes: from Hadamard matrices, random ones far apart, random
        ones with as many +1 as -1, or independent random bits.

    Attributes
    ----------
    centers_ : Tensor of shape (n_classes, n_bits)
        Codes of the classes (buffer).
    tie_breaker_ : Tensor of shape (n_bits,)
        Bits of an item of several labels where the codes of its labels tie (buffer).
        Other bits are those of the majority; items without labels are left out.

    References
    ----------
    .. [1] L. Yuan et al., "Central Similarity Quantization for Efficient Image and
       Video Retrieval", CVPR 2020, arXiv:1908.00347.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import CSQ
    >>> y = torch.tensor([0, 1])
    >>> loss = CSQ().setup(4, y, generator=torch.Generator().manual_seed(0))
    >>> print(f"{loss(0 * loss.centers_, y):.6f} {loss(9 * loss.centers_, y):.6f}")
    0.693247 0.000000
    """

    balanced_batches = False
    centers_: Tensor

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantization": [Interval(Real, 0, None, closed="left")],
        "targets": [StrOptions({"hadamard", "far", "balanced", "random"})],
    }

    def __init__(
        self, quantization: float = 1e-4, targets: TargetChoice = "hadamard"
    ) -> None:
        super().__init__()
        self.quantization = quantization
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
        self.register_buffer("tie_breaker_", random_vertices(1, n_bits, generator)[0])
        return self

    def class_scores(self, z: Tensor) -> Tensor:
        """See `HashLoss.class_scores`."""
        # log sigmoid(2 t z) summed over bits is t.z up to what all classes share.
        return (z @ self.state("centers_").to(z).T).log_softmax(1)

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        centers = self.state("centers_").to(z)
        targets = majority_codes(y, centers, self.state("tie_breaker_").to(z))
        # (tanh z + 1) / 2 = sigmoid(2 z); the softplus form never takes log 0.
        losses = F.softplus(-2 * targets * z).mean(1)
        off_vertex = (z.tanh().abs() - 1).square().mean(1)
        labelled = labelled_weight(y, sample_weight, z)
        return self.total(
            similarity=item_mean(losses, labelled),
            quantization=self.quantization * item_mean(off_vertex, sample_weight),
        )
