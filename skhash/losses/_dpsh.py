"""DPSH: pairwise likelihood of real codes, drawn to their signs."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._dhn import pair_likelihood
from skhash.losses._pairs import item_mean, pair_mean, similarity
from skhash.losses._quantization import vertex_distance


class DPSH(HashLoss):
    r"""Deep pairwise-supervised hashing: likelihood of pairs and distance to signs.

    With :math:`\theta_{ij} = \langle z_i, z_j \rangle / 2` of the real outputs,

    .. math::

        L = \operatorname*{mean}_{i \ne j} \left[ \log(1 + e^{\theta_{ij}})
        - s_{ij} \theta_{ij} \right]
        + \frac{\eta}{nK} \sum_i \|z_i - \operatorname{sgn} z_i\|^2

    Exact: the loss of [1]_ in mean form. Its pairs are those of the batch, where the
    authors' program compares a batch with all training items. Batch-normalised z
    (`normalize_z`) is an addition. For several labels, pairs that share one are
    similar.

    Parameters
    ----------
    quantization : float, default=0.1
        Weight :math:`\eta \ge 0` of the distance to the signs. 0.1 is the value of
        published programs in this mean form.
    balance : bool, default=False
        False is as in the paper: one mean over all pairs. True adds the means over
        similar and over dissimilar pairs.

    References
    ----------
    .. [1] W.-J. Li, S. Wang, W.-C. Kang, "Feature Learning based Deep Supervised
       Hashing with Pairwise Labels", IJCAI 2016, arXiv:1511.03855.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DPSH
    >>> z = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    >>> y = torch.tensor([0, 0])
    >>> loss = DPSH().setup(2, y)
    >>> print(f"{loss(z, y):.6f} {loss(z, torch.tensor([0, 1])):.6f}")
    0.313262 1.313262
    """

    needs_columns = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantization": [Interval(Real, 0, None, closed="left")],
        "balance": ["boolean"],
    }

    def __init__(self, quantization: float = 0.1, balance: bool = False) -> None:
        super().__init__()
        self.quantization = quantization
        self.balance = balance

    @property
    def balanced_batches(self) -> bool:  # type: ignore[override]
        """The unweighted form expects pairs as they come."""
        return self.balance

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        similar = similarity(y)
        losses = pair_likelihood(z @ z.T / 2, similar)
        distance = item_mean(vertex_distance(z), sample_weight)
        return self.total(
            similarity=pair_mean(losses, similar, sample_weight, balance=self.balance),
            quantization=self.quantization / z.shape[1] * distance,
        )
