"""DTSH: likelihood of triplets, in which an item is nearer to a similar one."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._pairs import item_mean, pair_weights, similarity
from skhash.losses._quantization import vertex_distance
from skhash.warn import warn

# Number of triplets that are computed at a time.
CHUNK_SIZE = 2**20
# Above this, codes of one or two bits stay at the signs that they start with.
STRONGEST_FOR_TWO_BITS = 0.3


def triplet_likelihood(
    theta: Tensor,
    similar: Tensor,
    margin: float,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Mean over anchors of the mean over their triplets of a logistic loss.

    ``log(1 + exp(margin - theta_ap + theta_an))`` for anchors a, similar items p and
    dissimilar items n. A triplet weighs the product of the weights of p and n, an
    anchor its own. Memory stays n x n; without triplets the loss is 0, with zero
    gradient.
    """
    weights = pair_weights(len(theta), sample_weight, theta)
    if sample_weight is None:
        anchors = torch.ones_like(theta[0])
    else:
        anchors = sample_weight.to(theta)
        # Leave only the partners' weights in each row.
        weights = weights / torch.where(anchors > 0, anchors, 1)[:, None]
    positive = weights * similar
    negative = weights - positive
    masses = positive.sum(1) * negative.sum(1)
    anchors = anchors * (masses > 0)
    total = anchors.sum()
    share = (
        anchors / torch.where(masses > 0, masses, 1) / torch.where(total > 0, total, 1)
    )
    shares = positive * share[:, None]
    return _TripletLikelihood.apply(theta, shares, negative, margin)[0]


class _TripletLikelihood(torch.autograd.Function):
    """The gradient is computed along with the value: there is no second pass."""

    @staticmethod
    def forward(
        theta: Tensor, positive: Tensor, negative: Tensor, margin: float
    ) -> tuple[Tensor, Tensor]:
        return _loss_and_slopes(theta, positive, negative, margin)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]
    ) -> None:
        *tensors, ctx.margin = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1], *tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        slopes, theta, positive, negative = ctx.saved_tensors
        if torch.is_grad_enabled():
            # Computed again by steps that autograd can follow, for second derivatives.
            _, slopes = _loss_and_slopes(theta, positive, negative, ctx.margin)
        return grads[0] * slopes, None, None, None


def _loss_and_slopes(
    theta: Tensor, positive: Tensor, negative: Tensor, margin: float
) -> tuple[Tensor, Tensor]:
    """The weighted sum over all triplets, and its derivative by `theta`."""
    loss = theta.new_zeros(())
    slopes = torch.zeros_like(theta)
    for a, p in _chunks(positive):
        excess = margin - theta[a, p][:, None] + theta[a]
        weight = positive[a, p][:, None] * negative[a]
        loss += (weight * F.softplus(excess)).sum()
        slope = weight * torch.sigmoid(excess)
        slopes[a, p] -= slope.sum(1)
        slopes.index_add_(0, a, slope)
    return loss, slopes


def _chunks(positive: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    a, p = positive.nonzero(as_tuple=True)
    size = max(1, CHUNK_SIZE // len(positive))
    yield from zip(a.split(size), p.split(size), strict=True)


class DTSH(HashLoss):
    r"""Deep supervised hashing with triplet labels.

    With :math:`\theta_{ij} = \langle z_i, z_j \rangle / 2` of the real outputs and all
    triplets (a, p, n) of a batch in which p is similar to a, and n is not,

    .. math::

        L = \operatorname*{mean}_{a} \operatorname*{mean}_{p, n}
        \log\left(1 + e^{m - \theta_{ap} + \theta_{an}}\right)
        + \frac{\lambda}{nK} \sum_i \|z_i - \operatorname{sgn} z_i\|^2

    Exact: the loss of [1]_ in mean form. Batch-normalised z was found to do harm
    (`normalize_z` is False). For several labels, pairs that share one are similar.

    Parameters
    ----------
    margin : float or "auto", default="auto"
        Margin m > 0. "auto" is ``n_bits / 2``; published programs use 5, with twice
        the :math:`\theta` of the paper.
    quantization : float, default=1.0
        Weight :math:`\lambda \ge 0` of the distance to the signs. 1 is the value of
        published programs in this mean form. Take at most 0.3 for codes of one or two
        bits: the fewer the bits, the more it holds items at the signs they start with.

    Attributes
    ----------
    margin_ : float
        Margin in use.

    References
    ----------
    .. [1] X. Wang, Y. Shi, K. M. Kitani, "Deep Supervised Hashing with Triplet
       Labels", ACCV 2016, arXiv:1612.03900.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DTSH
    >>> z = torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    >>> y = torch.tensor([0, 0, 1])
    >>> loss = DTSH(margin=2.0, quantization=0.1).setup(2, y)
    >>> print(f"{loss(z, y):.6f}")
    0.693147
    """

    normalize_z = False
    needs_columns = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "margin": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "quantization": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        margin: float | Literal["auto"] = "auto",
        quantization: float = 1.0,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.quantization = quantization

    def setup(
        self,
        n_bits: int,
        y: Tensor,
        *,
        sample_weight: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Self:
        """Also warns if `quantization` is too strong for short codes.

        See `HashLoss.setup`.
        """
        super().setup(n_bits, y)
        if n_bits <= 2 and self.quantization > STRONGEST_FOR_TWO_BITS:
            warn(
                f"quantization={self.quantization:g} may hold codes of {n_bits} bits "
                "at the signs they start with: use DTSH(quantization=0.1), or more "
                "bits."
            )
        self.margin_ = n_bits / 2 if self.margin == "auto" else float(self.margin)
        return self

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        margin = self.state("margin_")
        triplets = triplet_likelihood(z @ z.T / 2, similarity(y), margin, sample_weight)
        distance = item_mean(vertex_distance(z), sample_weight)
        return self.total(
            similarity=triplets,
            quantization=self.quantization / z.shape[1] * distance,
        )
