"""Dual hinge: skewed symmetric KL of a Gamma matching probability and the truth."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._pairs import item_mean, jaccard, pair_mean, similarity

Distance = Literal["squared", "inner", "euclidean"]


def pair_distance(h: Tensor, distance: Distance = "squared") -> Tensor:
    """Relaxed Hamming distances of all pairs, shape (n, n).

    "squared": ``||h_i - h_j||^2 / 4``; "inner": ``(n_bits - <h_i, h_j>) / 2``; both are
    the Hamming distance on codes of +1 and -1. "euclidean": ``||h_i - h_j||``.
    """
    if distance == "euclidean":
        # The square root has no slope at 0; this mode is exact there, with gradient 0.
        return torch.cdist(h, h, compute_mode="donot_use_mm_for_euclid_dist")
    if distance == "inner":
        return (h.shape[1] - h @ h.T) / 2
    half = h / 2
    norms = half.square().sum(1)
    # Rounding can make the squared distance of equal codes slightly negative.
    sums = norms[:, None] + norms[None, :]
    return torch.addmm(sums, half, half.T, alpha=-2).clamp_min(0)


def matching_probability(t: Tensor, shape: float) -> tuple[Tensor, Tensor]:
    """``P[X > t]`` for X ~ Gamma(shape, rate 1), and its logarithm.

    The logarithm is cut off where the probability underflows: it is only ever used
    times the probability.
    """
    if shape == 1:
        return torch.exp(-t), -t
    # At t = 0 the slope is infinite for shapes below 1, and 0 log 0 for those near 1.
    t = t.clamp_min(1e-6 if shape < 1 else 1e-30)
    u = torch.special.gammaincc(torch.full_like(t, shape), t)
    return u, u.clamp_min(torch.finfo(u.dtype).tiny).log()


def skewed_divergence(u: Tensor, log_u: Tensor, k: Tensor, skew: float) -> Tensor:
    """``D_skew(u || k) + D_skew(k || u)`` of two matching probabilities, per pair.

    With ``D_a(p || q) = p log(a p / ((a - 1) p + q))`` and ``0 log 0 = 0``: 0 where
    u = k, never above ``log(a / (a - 1))``. The truth k is 1 for similar pairs, 0 for
    dissimilar ones, and in between where labels overlap in part.
    """
    rest = skew - 1
    matched = k > 0
    # Where k = 0 the first term is u log(a / (a - 1)) and the second vanishes;
    # writing k = 1 there keeps the unused branch finite.
    safe = torch.where(matched, k, 1)
    similar = u * (math.log(skew) + log_u - torch.log(rest * u + safe)) + safe * (
        math.log(skew) + torch.log(safe) - torch.log(rest * safe + u)
    )
    return torch.where(matched, similar, math.log(skew / rest) * u)


class DualHinge(HashLoss):
    r"""Dual hinge loss: exponential penalty on hard pairs, bounded one on easy pairs.

    With :math:`h = \tanh(z)`, the relaxed Hamming distance :math:`d_{ij}` and the
    matching probability :math:`u_{ij} = P[X > d_{ij}]`, X ~ Gamma(shape a, rate
    :math:`\beta`), the loss of a similar (s) and a dissimilar (d) pair is

    .. math::

        l_s(u) &= u \log\frac{\alpha u}{(\alpha - 1) u + 1}
                  + \log\frac{\alpha}{(\alpha - 1) + u} \\
        l_d(u) &= u \log\frac{\alpha}{\alpha - 1}

    the skewed symmetric Kullback-Leibler divergence between u and the truth. Both
    are bounded by :math:`\log(\alpha / (\alpha - 1))`.

    **Derived**, not the paper's text: the abstract of [1]_ fixes the ingredients
    (Gamma distribution, symmetric KL divergence, exponential and bounding penalties),
    the formula is that of the same authors' later loss [2]_ (eq. 5) carried over to
    Hamming distances. Balanced means, `rate` and batch-normalised z (`normalize_z`)
    were chosen by measurement; with many classes ``normalize_z=False`` of the encoder
    does better.

    Parameters
    ----------
    shape : float, default=1.0
        Shape a of the Gamma law, in (0, 5]. 1 is the exponential law, the largest
        shape for which the hardest dissimilar pairs get the largest gradient. Above
        1 the curve has a flat top of width about ``(shape - 1) / rate``: a margin.
    rate : float or "auto", default="auto"
        Rate :math:`\beta > 0` of the Gamma law per unit of Hamming distance. "auto"
        is ``16 / n_bits``; try 8 to 32 over `n_bits`.
    skew : float, default=1.05
        Skew :math:`\alpha > 1`; sets the height of both penalties.
    balance : bool, default=True
        Add the means over similar and over dissimilar pairs; False is one mean over
        all pairs, as in [2]_.
    distance : {"squared", "inner", "euclidean"}, default="squared"
        ``||h_i - h_j||^2 / 4`` and ``(n_bits - <h_i, h_j>) / 2`` equal the Hamming
        distance on binary codes; "inner" also pulls towards them. "euclidean" is
        the distance of [2]_.
    quantization : float, default=0.0
        Weight of ``mean((|h| - 1)^2)``.
    similarity : {"binary", "jaccard"}, default="binary"
        Truth of a similar pair of multi-label items: 1, or the overlap
        :math:`|Y_i \cap Y_j| / |Y_i \cup Y_j|`.

    Attributes
    ----------
    rate_ : float
        Rate in use.

    References
    ----------
    .. [1] C. Yan, G. Pang, X. Bai, C. Shen, J. Zhou, E. Hancock, "Deep Hashing by
       Discriminating Hard Examples", ACM Multimedia 2019.
    .. [2] C. Yan, G. Pang, X. Bai et al., "Beyond Triplet Loss: Person
       Re-Identification with Fine-grained Difference-aware Pairwise Loss",
       IEEE Transactions on Multimedia 24, 2022, arXiv:2009.10295.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DualHinge
    >>> z = 20 * torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])
    >>> same = torch.tensor([0, 0])
    >>> loss = DualHinge(rate=0.5).setup(4, same)
    >>> print(f"{loss(z, same):.6f}")
    0.564717
    >>> print(f"{loss(z, torch.tensor([0, 1])):.6f}")
    1.120017
    """

    needs_columns = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "shape": [Interval(Real, 0, 5, closed="right")],
        "rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "skew": [Interval(Real, 1, None, closed="neither")],
        "balance": ["boolean"],
        "distance": [StrOptions({"squared", "inner", "euclidean"})],
        "quantization": [Interval(Real, 0, None, closed="left")],
        "similarity": [StrOptions({"binary", "jaccard"})],
    }

    def __init__(
        self,
        shape: float = 1.0,
        rate: float | Literal["auto"] = "auto",
        skew: float = 1.05,
        balance: bool = True,
        distance: Distance = "squared",
        quantization: float = 0.0,
        similarity: Literal["binary", "jaccard"] = "binary",
    ) -> None:
        super().__init__()
        self.shape = shape
        self.rate = rate
        self.skew = skew
        self.balance = balance
        self.distance = distance
        self.quantization = quantization
        self.similarity = similarity

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
        self.rate_ = 16 / n_bits if self.rate == "auto" else float(self.rate)
        return self

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        h = z.tanh()
        scaled = self.state("rate_") * pair_distance(h, self.distance)
        u, log_u = matching_probability(scaled, self.shape)
        similar = similarity(y)
        truth = (jaccard(y) if self.similarity == "jaccard" else similar).to(z)
        losses = skewed_divergence(u, log_u, truth, self.skew)
        pairs = pair_mean(losses, similar, sample_weight, balance=self.balance)
        if not self.quantization:
            return self.total(similarity=pairs)
        off_vertex = item_mean((h.abs() - 1).square().mean(1), sample_weight)
        return self.total(similarity=pairs, quantization=self.quantization * off_vertex)
