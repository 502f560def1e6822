"""Exponentiated code product, in its bilinear smooth form, with pre-training."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._classes import (
    class_loss,
    classify,
    n_classes_of,
    new_classifier,
)
from skhash.losses._expected import expected_exponential
from skhash.losses._pairs import item_mean, jaccard, pair_mean, similarity
from skhash.losses._plan import Stage

# Beyond exp(40), sums and squares of pair losses may overflow in float32.
LARGEST_EXPONENT = 40


class Exponentiated(HashLoss):
    r"""Exponentiated hashing loss, each bit smoothed bilinearly.

    With :math:`h = \tanh(z)` and :math:`y_{ij} = +1` for similar, :math:`-1` for
    dissimilar pairs, the loss of a pair is

    .. math::

        \tilde E_{ij} = \prod_{k=1}^{K} \left[\cosh\gamma - y_{ij} h_{ik} h_{jk}
        \sinh\gamma\right]

    and the loss of a batch the mean over similar plus the mean over dissimilar pairs.
    On codes of :math:`\pm 1` it is exactly :math:`e^{-\gamma y_{ij} \langle b_i, b_j
    \rangle}`; inside the cube it is the expectation of that over random bits with
    means h, which punishes indecision. No quantisation term is needed.

    **Derived**, not the paper's text: the abstract of [1]_ names "an exponentiated
    hashing loss function and its bilinear smooth approximation" and a pre-training
    scheme; this is what those words lead to. `gamma`, balanced means and
    batch-normalised z (`normalize_z`) were chosen by measurement.

    Parameters
    ----------
    gamma : float or "auto", default="auto"
        Scale :math:`\gamma > 0` of the code product. "auto" is ``4 / n_bits``; try 2 to
        8 over `n_bits` (2 only without batch-normalised z); 40 is the limit.
    surrogate : {"bilinear", "exp"}, default="bilinear"
        "exp" is :math:`e^{-\gamma y_{ij} \langle h_i, h_j \rangle}`, a lower bound of
        the bilinear form.
    balance : bool, default=True
        Add the means over similar and over dissimilar pairs; False is one mean over
        all pairs.
    pretrain : float, default=0.0
        Share of the epochs spent on training the network below the hash layer as a
        classifier, in [0, 1). A short stage for the hash layer alone follows, then
        fine-tuning with a tenth of the learning rate below the hash layer.
    similarity : {"binary", "jaccard"}, default="binary"
        "jaccard" weighs the loss of similar multi-label pairs by
        :math:`|Y_i \cap Y_j| / |Y_i \cup Y_j|`.

    Attributes
    ----------
    gamma_ : float
        Scale in use.
    pretraining_ : bool
        Whether `forward` receives features and classifies them.
    classifier_ : nn.Linear
        Classifier of the pre-training.

    References
    ----------
    .. [1] Y. Mu, Z. Liu, "Deep Hashing: A Joint Approach for Image Signature
       Learning", AAAI 2017, arXiv:1608.03658.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import Exponentiated
    >>> z = 20 * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    >>> y = torch.tensor([0, 0, 0])
    >>> loss = Exponentiated(gamma=0.5).setup(2, y)
    >>> print(f"{loss(z[:2], y[:2]):.6f} {loss(z[::2], y[:2]):.6f}")
    1.000000 2.718282
    >>> for stage in Exponentiated(pretrain=0.3).plan(10):
    ...     print(stage.epochs, stage.train, stage.input)
    3 all features
    1 head z
    6 all z
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "surrogate": [StrOptions({"bilinear", "exp"})],
        "balance": ["boolean"],
        "pretrain": [Interval(Real, 0, 1, closed="left")],
        "similarity": [StrOptions({"binary", "jaccard"})],
    }

    def __init__(
        self,
        gamma: float | Literal["auto"] = "auto",
        surrogate: Literal["bilinear", "exp"] = "bilinear",
        balance: bool = True,
        pretrain: float = 0.0,
        similarity: Literal["binary", "jaccard"] = "binary",
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.surrogate = surrogate
        self.balance = balance
        self.pretrain = pretrain
        self.similarity = similarity

    @property
    def needs_columns(self) -> bool:  # type: ignore[override]
        """Whether there is pre-training, which classifies by column."""
        return self.pretrain > 0

    def setup(
        self,
        n_bits: int,
        y: Tensor,
        *,
        sample_weight: Tensor | None = None,
        generator: torch.Generator | None = None,
        n_features: int | None = None,
    ) -> Self:
        """Also takes `n_features`, the width below the hash layer, for pre-training.

        See `HashLoss.setup`.
        """
        super().setup(n_bits, y)
        self.gamma_ = 4 / n_bits if self.gamma == "auto" else float(self.gamma)
        if self.gamma_ * n_bits > LARGEST_EXPONENT:
            raise ValueError(
                f"gamma={self.gamma} with {n_bits} bits lets the loss of a pair reach "
                f"exp({self.gamma_ * n_bits:g}). Choose gamma at most "
                f"{LARGEST_EXPONENT} / n_bits = {LARGEST_EXPONENT / n_bits:g}; "
                "'auto' is 4 / n_bits."
            )
        self.pretraining_ = False
        if n_features is not None:
            self.classifier_ = new_classifier(n_features, n_classes_of(y), generator)
        return self

    def plan(self, n_epochs: int) -> list[Stage]:
        """Classification, hash layer alone, fine-tuning; or one plain stage.

        See `HashLoss.plan`.
        """
        first = min(round(self.pretrain * n_epochs), n_epochs - 1)
        if first == 0:
            return [Stage(n_epochs, settings={"pretraining_": False})]
        rest = n_epochs - first
        alone = min(max(1, rest // 5), rest - 1)
        hashing = {"pretraining_": False}
        stages = [
            Stage(first, input="features", settings={"pretraining_": True}),
            Stage(alone, train="head", settings=hashing) if alone else None,
            Stage(rest - alone, lr_scale={"body": 0.1}, settings=hashing),
        ]
        return [stage for stage in stages if stage is not None]

    def _check_outputs(self, z: Tensor) -> None:
        if not getattr(self, "pretraining_", False):
            super()._check_outputs(z)

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """While `pretraining_`, z are features. See `HashLoss.forward`."""
        gamma = self.state("gamma_")
        if self.pretraining_:
            logits = classify(self.state("classifier_"), z)
            return self.total(classification=_label_loss(logits, y, sample_weight))
        h = z.tanh()
        similar = similarity(y)
        sign = torch.where(similar, 1, -1).to(h)
        if self.surrogate == "bilinear":
            losses = expected_exponential(h, sign, gamma)
        else:
            losses = torch.exp(-gamma * sign * (h @ h.T))
        if self.similarity == "jaccard":
            losses = losses * torch.where(similar, jaccard(y).to(h), 1)
        return self.total(
            similarity=pair_mean(losses, similar, sample_weight, balance=self.balance)
        )


def _label_loss(logits: Tensor, y: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Cross-entropy of one label, binary cross-entropy of several."""
    if y.ndim == 1:
        return class_loss(logits, y, sample_weight)
    losses = F.binary_cross_entropy_with_logits(logits, y.to(logits), reduction="none")
    return item_mean(losses.mean(1), sample_weight)
