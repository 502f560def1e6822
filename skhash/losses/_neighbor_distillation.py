"""Neighbour distillation: codes without labels, that keep who is near to whom."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.baselines import ITQ
from skhash.losses._base import HashLoss
from skhash.losses._pairs import item_mean, pair_weights, weighted_mean

# "auto" temperatures: the teacher's in spreads of its similarities, the student's in
# spreads of the agreement of random codes, 1 over the root of the number of bits.
# Chosen on parts of the training items of text embeddings and of digits.
_TEACHER, _STUDENT = 0.3, 0.8
# Rows that tell the spread of similarities.
_ROWS = 1000
# Variance, relative to the greatest, that counts as none.
_NOTHING = 1e-10


def unit_rows(vectors: Tensor) -> Tensor:
    """Rows of length 1; rows of zeros stay so."""
    # Squares of large and of tiny numbers do not fit into float32.
    largest = vectors.abs().amax(dim=1, keepdim=True)
    return F.normalize(vectors / torch.where(largest > 0, largest, 1))


def agreement(z: Tensor, temperature: float) -> Tensor:
    """How far outputs agree with the signs of others, shape (n, n), over a temperature.

    Row i is item i as a real query, of length sqrt(n_bits), against the codes of all;
    the mean over the bits. Gradients pass through the signs as through tanh.
    """
    h = z.tanh()
    signs = h + (torch.where(z > 0, 1, -1).to(z) - h).detach()
    return F.normalize(z) / (math.sqrt(z.shape[1]) * temperature) @ signs.T


def log_shares(logits: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Log-softmax of each row over the other items of the batch; changes `logits`.

    An item of weight 2 counts as two; one of weight 0 is absent.
    """
    # Not -inf: there may be no other item.
    nothing = torch.finfo(logits.dtype).min / 2
    if sample_weight is not None:
        weight = sample_weight.to(logits)
        logits = logits + torch.where(weight > 0, weight, 1).log()
        logits = logits.masked_fill(weight <= 0, nothing)
    return F.log_softmax(logits.fill_diagonal_(nothing), dim=1)


class NeighborDistillation(HashLoss):
    r"""Neighbour distillation: the neighbours of real vectors become those of codes.

    Without labels: the teacher are vectors x, by default the items themselves. With
    their similarities :math:`c_{ij}`, the real outputs z of b bits, and codes
    :math:`s = \operatorname{sgn} z`,

    .. math::

        p_{ij} = \operatorname*{softmax}_{j \ne i} \frac{c_{ij}}{\tau_t}, \quad
        q_{ij} = \operatorname*{softmax}_{j \ne i}
        \frac{\langle z_i, s_j \rangle}{\tau_s \sqrt b \, \|z_i\|}, \quad
        L = \frac{1}{n} \sum_i \operatorname{KL}(p_i \,\|\, q_i)

    over the items of a batch. Gradients pass through the signs as through tanh.

    **Derived**: chances of being neighbours as in [1]_, with a temperature each for
    teacher and student as in [2]_; new are the student, which compares real queries
    with signs, as codes are searched best, and a smoothed teacher: :math:`c_{ij} =
    (1 - \alpha) \cos(x_i, x_j) + \alpha \cos(P x_i, P x_j)`, where P centres and
    projects onto the b / 2 directions of most variance. These tell topics apart where
    small directions are noise: codes then find more items of the same kind, for a
    little recall. A linear hash layer starts at iterative quantisation [3]_.

    Parameters
    ----------
    teacher : {"X", "y"}, default="X"
        Where the vectors come from: "X" takes the items, which are rows of features,
        and ignores y. "y" takes real vectors of shape (n, d) given as y, such as those
        of a costly model.
    teacher_temperature : float or "auto", default="auto"
        :math:`\tau_t > 0`. "auto" is 0.3 times the spread (standard deviation) of the
        similarities c of pairs.
    student_temperature : float or "auto", default="auto"
        :math:`\tau_s > 0`. "auto" is 0.8 over the root of the number of bits.
    smoothing : float, default=0.3
        :math:`\alpha` in [0, 1]: 0 is best for the recall of neighbours, more is better
        for finding items of the same kind.

    Attributes
    ----------
    teacher_temperature_, student_temperature_ : float
        The temperatures.
    mean_ : Tensor of shape (d,)
        Mean of the teacher's vectors, each of length 1, by their weights.
    directions_ : Tensor of shape (k, d)
        The directions of P.

    References
    ----------
    .. [1] G. Hinton, S. Roweis, "Stochastic Neighbor Embedding", NIPS 2002.
    .. [2] Z. Fang, J. Wang, L. Wang, L. Zhang, Y. Yang, Z. Liu, "SEED: Self-supervised
       Distillation for Visual Representation", ICLR 2021.
    .. [3] Y. Gong, S. Lazebnik, "Iterative Quantization: A Procrustean Approach to
       Learning Binary Codes", CVPR 2011.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import NeighborDistillation
    >>> x = torch.eye(4).repeat(2, 1)
    >>> loss = NeighborDistillation().setup(4, x)
    >>> z = 2 * x - 0.5
    >>> swapped = z[[1, 0, 2, 3, 4, 5, 6, 7]]
    >>> bool(loss(z, x) < loss(swapped, x))
    True
    """

    supervision = "vectors"
    batch_size = 1024
    steps = 2500
    network = "residual"
    balanced_batches = False
    mean_: Tensor
    directions_: Tensor
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "teacher": [StrOptions({"X", "y"})],
        "teacher_temperature": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "student_temperature": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "smoothing": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        teacher: Literal["X", "y"] = "X",
        teacher_temperature: float | Literal["auto"] = "auto",
        student_temperature: float | Literal["auto"] = "auto",
        smoothing: float = 0.3,
    ) -> None:
        super().__init__()
        self.teacher = teacher
        self.teacher_temperature = teacher_temperature
        self.student_temperature = student_temperature
        self.smoothing = smoothing

    def setup(
        self,
        n_bits: int,
        y: Tensor,
        *,
        sample_weight: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Self:
        """See `HashLoss.setup`."""
        super().setup(n_bits, y, sample_weight=sample_weight, generator=generator)
        vectors = unit_rows(y.double())
        weight = vectors.new_ones(len(vectors))
        if sample_weight is not None:
            weight = sample_weight.to(weight)
        k = max(1, min(n_bits // 2, y.shape[1]))
        mean = weight @ vectors / weight.sum()
        centered = vectors - mean
        found = torch.linalg.eigh(centered.T @ (weight[:, None] * centered))
        self.register_buffer("mean_", mean.float())
        self.register_buffer("directions_", found.eigenvectors[:, -k:].T.float())
        teacher, student = self.teacher_temperature, self.student_temperature
        if teacher == "auto":
            some = slice(None, None, -(-len(vectors) // _ROWS))
            near = self._similarity(vectors[some])
            teacher = _TEACHER * _spread(near, weight[some])
        if student == "auto":
            student = _STUDENT / math.sqrt(n_bits)
        self.teacher_temperature_ = float(teacher)
        self.student_temperature_ = float(student)
        return self

    def _similarity(self, y: Tensor) -> Tensor:
        """The teacher's similarities c of the vectors of a batch, shape (n, n)."""
        rows = unit_rows(y)
        if self.smoothing:
            mean, directions = self.state("mean_").to(y), self.directions_.to(y)
            smooth = unit_rows((rows - mean) @ directions.T)
            share = self.smoothing
            parts = math.sqrt(1 - share) * rows, math.sqrt(share) * smooth
            rows = torch.cat(parts, dim=1)
        return rows @ rows.T

    def start(
        self, features: Tensor, n_bits: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor] | None:
        """See `HashLoss.start`.

        Iterative quantisation, where as many directions vary as there are bits.
        """
        X = features.detach().cpu().double().numpy()
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        if X.shape[1] < n_bits:
            return None
        variances = np.linalg.eigvalsh(np.atleast_2d(np.cov(X.T)))
        if variances[-n_bits] <= _NOTHING * variances[-1]:
            return None
        itq = ITQ(n_bits, random_state=seed).fit(X)
        weight = torch.from_numpy(itq.components_)
        return weight.float(), (-weight @ torch.from_numpy(itq.mean_)).float()

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        temperatures = self.state("teacher_temperature_"), self.student_temperature_
        with torch.no_grad():
            log_p = log_shares(self._similarity(y).div_(temperatures[0]), sample_weight)
            p = log_p.exp()
        log_q = log_shares(agreement(z, temperatures[1]), sample_weight)
        divergence = (p * (log_p - log_q)).sum(dim=1)
        return self.total(neighbors=item_mean(divergence, sample_weight))


def _spread(similarity: Tensor, weight: Tensor) -> float:
    """Standard deviation of the similarities of different items; 1 if it is 0."""
    weights = pair_weights(len(similarity), weight, similarity)
    mean = weighted_mean(similarity, weights)
    spread = float(weighted_mean((similarity - mean) ** 2, weights).sqrt())
    return spread if spread > 1e-6 else 1.0
