"""DSH: contrastive loss on real codes, pulled towards +1 and -1."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._dual_hinge import pair_distance
from skhash.losses._pairs import item_mean, pair_mean, similarity


def contrastive(squared: Tensor, similar: Tensor, margin: float) -> Tensor:
    """``D^2 / 2`` of similar and ``max(margin - D^2, 0) / 2`` of dissimilar pairs."""
    return torch.where(similar, squared, F.relu(margin - squared)) / 2


class DSH(HashLoss):
    r"""Deep supervised hashing: contrastive loss with a margin.

    With squared distances :math:`D_{ij}^2 = \|z_i - z_j\|^2` of the real outputs,

    .. math::

        L = \operatorname*{mean}_{i \ne j} \left[ \frac{s_{ij}}{2} D_{ij}^2
        + \frac{1 - s_{ij}}{2} \max(0, m - D_{ij}^2) \right]
        + \alpha \frac{2}{n} \sum_i \big\| |z_i| - 1 \big\|_1

    Exact: the loss of [1]_ in mean form. Batch-normalised z was found to do harm
    (`normalize_z` is False). For several labels, pairs that share one are similar.

    Parameters
    ----------
    margin : float or "auto", default="auto"
        Squared distance m > 0 from which dissimilar pairs cost nothing. "auto" is
        ``2 * n_bits``, the paper's value: half of the bits differ.
    quantization : float, default=0.01
        Weight :math:`\alpha \ge 0` of the distance to the vertices; 0.01 is the value
        usually given for the paper.
    balance : bool, default=False
        False is one mean over all pairs. True adds the means over similar and over
        dissimilar pairs; this was found to be much worse.

    Attributes
    ----------
    margin_ : float
        Margin in use.

    References
    ----------
    .. [1] H. Liu, R. Wang, S. Shan, X. Chen, "Deep Supervised Hashing for Fast Image
       Retrieval", CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DSH
    >>> z = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    >>> y = torch.tensor([0, 0, 0])
    >>> loss = DSH(margin=5.0).setup(2, y)
    >>> print(f"{loss(z[1:], y[1:]):.2f} {loss(z[1:], torch.tensor([0, 1])):.2f}")
    2.00 0.50
    """

    normalize_z = False
    needs_columns = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "margin": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "quantization": [Interval(Real, 0, None, closed="left")],
        "balance": ["boolean"],
    }

    def __init__(
        self,
        margin: float | Literal["auto"] = "auto",
        quantization: float = 0.01,
        balance: bool = False,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.quantization = quantization
        self.balance = balance

    @property
    def balanced_batches(self) -> bool:  # type: ignore[override]
        """The unweighted form expects pairs as they come."""
        return self.balance

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
        self.margin_ = 2.0 * n_bits if self.margin == "auto" else float(self.margin)
        return self

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        similar = similarity(y)
        losses = contrastive(4 * pair_distance(z), similar, self.state("margin_"))
        off_vertex = item_mean((z.abs() - 1).abs().sum(1), sample_weight)
        return self.total(
            similarity=pair_mean(losses, similar, sample_weight, balance=self.balance),
            quantization=2 * self.quantization * off_vertex,
        )
