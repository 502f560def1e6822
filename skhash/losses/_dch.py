"""DCH: Cauchy likelihood of pairs, for search within a small radius."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._directions import code_directions
from skhash.losses._pairs import item_mean, pair_mean, similarity

# Added to distances, in bits: keeps the penalty of dissimilar pairs with equal codes
# finite.
NEAREST = 0.01


def cosine_distance(h: Tensor) -> Tensor:
    """``n_bits / 2 * (1 - cos(h_i, h_j))``: the Hamming distance on codes."""
    r = code_directions(h)
    return h.shape[1] / 2 * (1 - r @ r.T).clamp_min(0)


def cauchy_likelihood(d: Tensor, similar: Tensor, gamma: float) -> Tensor:
    """Negative log-likelihood of similarity under ``P = gamma / (gamma + d)``."""
    return torch.where(
        similar, torch.log1p(d / gamma), torch.log1p(gamma / (d + NEAREST))
    )


class DCH(HashLoss):
    r"""Deep Cauchy hashing: similar codes within a few bits of one another.

    With :math:`h = \tanh(z)` and :math:`d(a, b) = \frac K2 (1 - \cos(a, b))`,

    .. math::

        L = \operatorname*{mean}_{s_{ij} = 1} \log\left(1 + \frac{d_{ij}}{\gamma}\right)
        + \operatorname*{mean}_{s_{ij} = 0} \log\left(1 + \frac{\gamma}{d_{ij}}\right)
        + \frac{\lambda}{n} \sum_i \log\left(1 + \frac{d(|h_i|, 1)}{\gamma}\right)

    Exact: the weighted Cauchy cross-entropy and quantisation of [1]_ over the pairs of
    different items, except for 0.01 added to the distance of dissimilar pairs, whose
    penalty is infinite at 0. Batch-normalised z (`normalize_z`) is an addition. For
    several labels, pairs that share one are similar. With one bit, where a cosine is a
    sign and has no slope, :math:`h_i h_j` takes its place (derived).

    Parameters
    ----------
    gamma : float, default=20.0
        Scale :math:`\gamma > 0` of the Cauchy law in bits. Smaller values draw similar
        codes closer together. 20 is the value of published programs.
    quantization : float, default=0.1
        Weight :math:`\lambda \ge 0` of the quantisation; 0.1 likewise.
    balance : bool, default=True
        True is as in the paper. False is one mean over all pairs.

    References
    ----------
    .. [1] Y. Cao, M. Long, B. Liu, J. Wang, "Deep Cauchy Hashing for Hamming Space
       Retrieval", CVPR 2018.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DCH
    >>> z = 20 * torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    >>> y = torch.tensor([0, 0])
    >>> loss = DCH(gamma=1.0).setup(2, y)
    >>> print(f"{loss(z, y):.6f}")
    0.693147
    """

    needs_columns = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "quantization": [Interval(Real, 0, None, closed="left")],
        "balance": ["boolean"],
    }

    def __init__(
        self, gamma: float = 20.0, quantization: float = 0.1, balance: bool = True
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.quantization = quantization
        self.balance = balance

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        h = z.tanh()
        similar = similarity(y)
        losses = cauchy_likelihood(cosine_distance(h), similar, self.gamma)
        n_bits = h.shape[1]
        cosine = code_directions(h).abs().sum(1) / n_bits**0.5
        off_vertex = torch.log1p(n_bits / 2 * (1 - cosine).clamp_min(0) / self.gamma)
        return self.total(
            similarity=pair_mean(losses, similar, sample_weight, balance=self.balance),
            quantization=self.quantization * item_mean(off_vertex, sample_weight),
        )
