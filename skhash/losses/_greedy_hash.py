"""GreedyHash: a classifier on the signs, trained straight through them."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from skhash.losses._base import HashLoss
from skhash.losses._classes import (
    class_loss,
    classify,
    n_classes_of,
    new_classifier,
)
from skhash.losses._pairs import item_mean


def straight_through_sign(z: Tensor) -> Tensor:
    """Codes of +1 (where z > 0) and -1 whose gradient is passed to `z` unchanged."""
    signs = torch.where(z > 0, 1, -1).to(z)
    return z + (signs - z).detach()


class GreedyHash(HashLoss):
    r"""GreedyHash: linear classification of the codes themselves.

    With the code :math:`b_i = \operatorname{sgn} z_i` and class weights W, learned
    along with the network,

    .. math::

        L = \frac{1}{n} \sum_i \operatorname{CE}(W b_i, y_i)
        + \frac{\alpha}{nK} \sum_{ik} \big| |z_{ik}| - 1 \big|^3

    where the gradient with respect to b is passed on to z unchanged.

    Exact: the loss of [1]_, without batch-normalised z, which was not found to help.
    For several labels the target is equal shares of them (derived); items without
    labels count in the second term only.

    Parameters
    ----------
    quantization : float, default=0.1
        Weight :math:`\alpha \ge 0` of the distance to the vertices. The authors use 0.1
        for ten classes and 1 for ImageNet.

    Attributes
    ----------
    classifier_ : nn.Linear
        Class weights W, without bias (trained).

    References
    ----------
    .. [1] S. Su, C. Zhang, K. Han, Y. Tian, "Greedy Hash: Towards Fast Optimization for
       Accurate Hash Coding in CNN", NeurIPS 2018.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import GreedyHash
    >>> z = torch.tensor([[0.5, -0.5], [2.0, 1.0]])
    >>> y = torch.tensor([0, 1])
    >>> loss = GreedyHash().setup(2, y, generator=torch.Generator().manual_seed(0))
    >>> torch.nn.init.zeros_(loss.classifier_.weight).shape
    torch.Size([2, 2])
    >>> print(f"{loss(z, y):.6f}")
    0.724397
    """

    normalize_z = False
    balanced_batches = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantization": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, quantization: float = 0.1) -> None:
        super().__init__()
        self.quantization = quantization

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
        self.classifier_: nn.Linear = new_classifier(
            n_bits, n_classes_of(y), generator, bias=False
        )
        return self

    def class_scores(self, z: Tensor) -> Tensor:
        """Log-posteriors given the code. See `HashLoss.class_scores`."""
        return self._logits(z).log_softmax(1)

    def _logits(self, z: Tensor) -> Tensor:
        return classify(self.state("classifier_"), straight_through_sign(z))

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        logits = self._logits(z)
        off_vertex = (z.abs() - 1).abs().pow(3).mean(1)
        return self.total(
            similarity=class_loss(logits, y, sample_weight, rule="soft"),
            quantization=self.quantization * item_mean(off_vertex, sample_weight),
        )
