"""DHN: pairwise logistic likelihood with a bimodal Laplacian prior on the codes."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal

import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._pairs import item_mean, pair_mean, similarity
from skhash.losses._quantization import laplacian_prior


def pair_likelihood(x: Tensor, similar: Tensor) -> Tensor:
    """Negative log-likelihood of similarity under ``P(similar) = sigmoid(x)``."""
    return F.softplus(x) - x * similar


class DHN(HashLoss):
    r"""Deep hashing network: pairwise likelihood and quantisation loss.

    With relaxed codes :math:`h_i = \tanh(z_i)` and similarities :math:`s_{ij}`,

    .. math::

        L = \operatorname*{mean}_{i \ne j} \left[ \log(1 + e^{\alpha \langle h_i, h_j
        \rangle}) - s_{ij} \alpha \langle h_i, h_j \rangle \right]
        + \alpha \lambda \frac{2}{n} \sum_i \sum_k \log\cosh(|h_{ik}| - 1)

    Exact: equations (2) to (10) of [1]_, in mean form (eqs. 5 and 7: every ordered
    pair of different items of a batch; the prior is summed over bits). The pairs are
    not weighted; the encoder batch-normalises z (`normalize_z`), which the paper does
    not.

    The paper has no scale, :math:`\alpha = 1`. With many bits the likelihood is then
    content as soon as a few more than half of them agree, while the quantisation loss
    pulls as hard as ever and fixes bits before their class has: the score falls with
    the number of bits. ``alpha="auto"`` keeps the balance that the two have at 12 bits,
    the paper's shortest codes, at any length.

    Parameters
    ----------
    quantization : float, default=0.1
        Weight :math:`\lambda \ge 0` of the quantisation loss. The authors' released
        settings amount to 0.1 or 0.15 in this form; 0 gives the paper's DHN-Q.
    balance : bool, default=False
        False is as in the paper: one mean over all pairs. True adds the means over
        similar and over dissimilar pairs.
    alpha : float or "auto", default=1.0
        Scale :math:`\alpha > 0` of the inner product and, with it, of the quantisation
        loss; 1 is as in the paper. "auto" is ``12 / n_bits``.

    Attributes
    ----------
    alpha_ : float
        Scale in use.

    References
    ----------
    .. [1] H. Zhu, M. Long, J. Wang, Y. Cao, "Deep Hashing Network for Efficient
       Similarity Retrieval", AAAI 2016.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DHN
    >>> z = torch.atanh(torch.tensor([[1.0, 1.0], [1.0, -1.0], [0.5, -0.5]]))
    >>> y = torch.tensor([0, 1, 0])
    >>> loss = DHN(quantization=0.1).setup(2, y)
    >>> print(f"{loss(z, y):.6f}")
    0.915867
    """

    needs_columns = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantization": [Interval(Real, 0, None, closed="left")],
        "balance": ["boolean"],
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        quantization: float = 0.1,
        balance: bool = False,
        alpha: float | Literal["auto"] = 1.0,
    ) -> None:
        super().__init__()
        self.quantization = quantization
        self.balance = balance
        self.alpha = alpha

    @property
    def alpha_(self) -> float:
        """Scale of the inner product in use."""
        return 12 / self.state("n_bits_") if self.alpha == "auto" else float(self.alpha)

    @property
    def balanced_batches(self) -> bool:  # type: ignore[override]
        """The unweighted form does worse when batches over-represent similar pairs."""
        return self.balance

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        h = z.tanh()
        similar = similarity(y)
        likelihood = pair_likelihood(self.alpha_ * (h @ h.T), similar)
        prior = 2 * item_mean(laplacian_prior(h), sample_weight)
        return self.total(
            similarity=pair_mean(
                likelihood, similar, sample_weight, balance=self.balance
            ),
            quantization=self.alpha_ * self.quantization * prior,
        )
