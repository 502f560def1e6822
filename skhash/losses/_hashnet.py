"""HashNet: weighted pairwise likelihood, learned by continuation towards the sign."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._dhn import pair_likelihood
from skhash.losses._pair_counts import pairs_per_similar
from skhash.losses._pairs import (
    jaccard,
    pair_mean,
    pair_weights,
    similarity,
    weighted_mean,
)
from skhash.losses._plan import Stage

Schedule = Literal["sqrt", "linear", "geometric"]


def continuation(
    schedule: Schedule, n_stages: int, final_beta: float | None = None
) -> list[float]:
    """The slopes of tanh, one for each stage, rising from 1.

    Parameters
    ----------
    schedule : {"sqrt", "linear", "geometric"}
        How the slope rises. "sqrt" without `final_beta` is the authors' code:
        ``beta_t = sqrt(1 + t)``.
    n_stages : int
        Number of stages.
    final_beta : float, default=None
        Slope of the last stage; None means ``sqrt(n_stages)``, where "sqrt" ends.

    Returns
    -------
    betas : list of float

    References
    ----------
    Z. Cao, M. Long, J. Wang, P. S. Yu, "HashNet: Deep Learning to Hash by
    Continuation", ICCV 2017, arXiv:1702.00758.

    Examples
    --------
    >>> from skhash.losses import continuation
    >>> [round(beta, 4) for beta in continuation("sqrt", 4)]
    [1.0, 1.4142, 1.7321, 2.0]
    >>> continuation("linear", 3, final_beta=5.0)
    [1.0, 3.0, 5.0]
    """
    final = n_stages**0.5 if final_beta is None else float(final_beta)
    shares = [t / max(n_stages - 1, 1) for t in range(n_stages)]
    if schedule == "sqrt":
        return [(1 + share * (final**2 - 1)) ** 0.5 for share in shares]
    if schedule == "linear":
        return [1 + share * (final - 1) for share in shares]
    return [final**share for share in shares]


class HashNet(HashLoss):
    r"""HashNet: pairs weighted by rarity, ``tanh(beta z)`` growing into the sign.

    With :math:`h_i = \tanh(\beta z_i)` and :math:`x_{ij} = \alpha \langle h_i, h_j
    \rangle`,

    .. math::

        L = \frac{1}{|S|} \sum_{i \ne j} w_{ij} \left[ \log(1 + e^{x_{ij}})
        - s_{ij} x_{ij} \right], \quad
        w_{ij} = c_{ij} \begin{cases} |S| / |S_1| & s_{ij} = 1 \\
        |S| / |S_0| & s_{ij} = 0 \end{cases}

    Exact: eq. (4) and the continuation of [1]_ and of the authors' released code.
    With :math:`c = 1` this is the mean over similar pairs plus the mean over
    dissimilar pairs. The default `alpha` and batch-normalised z (`normalize_z`) were
    chosen by measurement; they are not the paper's.

    Parameters
    ----------
    alpha : float or "auto", default="auto"
        Scale of the inner product, > 0. "auto" is ``5 / n_bits``; the authors' value
        is ``10 / n_bits``.
    weighting : {"batch", "dataset"} or None, default="batch"
        "batch": the counts of the formula are those of the batch. "dataset": as in
        the authors' released code, similar pairs weigh the constant
        :math:`|S| / |S_1|` of the training set, dissimilar pairs 1, and the sum is
        divided by the sum of weights; for a million label sets or so the constant is
        estimated from :math:`2^{20}` random pairs. None: all pairs weigh the same.
    similarity : {"binary", "jaccard"}, default="binary"
        "jaccard" is the paper's variant "+C" for multi-label data: similar pairs are
        weighted by :math:`c_{ij} = |Y_i \cap Y_j| / |Y_i \cup Y_j|`; dissimilar
        pairs keep weight 1.
    schedule : {"sqrt", "linear", "geometric"}, default="sqrt"
        How beta rises over the stages, see `continuation`. "sqrt" is the authors'.
    n_stages : int, default=10
        Number of stages of equal length; at most the number of epochs.
    final_beta : float, default=None
        Slope of the last stage, >= 1. None is ``sqrt(n_stages)``.

    Attributes
    ----------
    beta_ : Tensor of shape ()
        Current slope (buffer).
    alpha_ : float
        Scale in use.
    positive_weight_ : float
        Weight of similar pairs under ``weighting="dataset"``.

    References
    ----------
    .. [1] Z. Cao, M. Long, J. Wang, P. S. Yu, "HashNet: Deep Learning to Hash by
       Continuation", ICCV 2017, arXiv:1702.00758.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import HashNet
    >>> z = 20 * torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
    >>> y = torch.tensor([0, 0, 1])
    >>> loss = HashNet(alpha=1.0).setup(2, y)
    >>> print(f"{loss(z, y):.6f}")
    0.820075
    >>> HashNet(n_stages=3).plan(6)[-1]
    Stage(epochs=2, settings={'beta_': 1.7320508075688772})
    """

    needs_columns = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "weighting": [StrOptions({"batch", "dataset"}), None],
        "similarity": [StrOptions({"binary", "jaccard"})],
        "schedule": [StrOptions({"sqrt", "linear", "geometric"})],
        "n_stages": [Interval(Integral, 1, None, closed="left")],
        "final_beta": [Interval(Real, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        alpha: float | Literal["auto"] = "auto",
        weighting: Literal["batch", "dataset"] | None = "batch",
        similarity: Literal["binary", "jaccard"] = "binary",
        schedule: Schedule = "sqrt",
        n_stages: int = 10,
        final_beta: float | None = None,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.weighting = weighting
        self.similarity = similarity
        self.schedule = schedule
        self.n_stages = n_stages
        self.final_beta = final_beta

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
        self.alpha_ = 5 / n_bits if self.alpha == "auto" else float(self.alpha)
        self.register_buffer("beta_", torch.tensor(1.0))
        if self.weighting == "dataset":
            self.positive_weight_ = pairs_per_similar(y, sample_weight, generator)
        return self

    def plan(self, n_epochs: int) -> list[Stage]:
        """One stage for each slope; with fewer epochs than stages, one for each epoch.

        See `HashLoss.plan`.
        """
        betas = continuation(self.schedule, self.n_stages, self.final_beta)
        if n_epochs < self.n_stages:
            last = self.n_stages - 1
            ends = range(n_epochs)
            betas = [betas[round(e * last / max(n_epochs - 1, 1))] for e in ends]
        bounds = [t * n_epochs // len(betas) for t in range(len(betas) + 1)]
        return [
            Stage(end - start, settings={"beta_": beta})
            for beta, start, end in zip(betas, bounds, bounds[1:], strict=False)
        ]

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        h = torch.tanh(self.state("beta_").to(z) * z)
        similar = similarity(y)
        losses = pair_likelihood(self.alpha_ * (h @ h.T), similar)
        if self.similarity == "jaccard":
            overlap = jaccard(y).to(losses)
            losses = losses * torch.where(similar, overlap, 1)
        if self.weighting == "dataset":
            return self.total(
                similarity=_positive_weighted_mean(
                    losses, similar, sample_weight, self.positive_weight_
                )
            )
        balance = self.weighting == "batch"
        return self.total(
            similarity=pair_mean(losses, similar, sample_weight, balance=balance)
        )


def _positive_weighted_mean(
    losses: Tensor, similar: Tensor, sample_weight: Tensor | None, positive: float
) -> Tensor:
    weights = pair_weights(len(losses), sample_weight, losses)
    return weighted_mean(losses, torch.where(similar, positive * weights, weights))
