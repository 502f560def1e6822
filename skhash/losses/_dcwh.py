"""DCWH: Gaussian class likelihood around centres, inside a cube."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from skhash.losses._base import HashLoss
from skhash.losses._centers import (
    CenterInit,
    concentration_reaching,
    first_centers,
    mixed,
    share_of_old,
    sum_by_class,
)
from skhash.losses._classes import MultilabelRule, class_loss, n_classes_of
from skhash.losses._pairs import item_mean
from skhash.losses._plan import Stage
from skhash.losses._quantization import vertex_distance


def gaussian_logits(z: Tensor, centers: Tensor, inv_var: float) -> Tensor:
    """``-inv_var / 2 * ||z - center||^2``, up to a number that all classes share.

    Leaving ``||z||^2`` out changes no softmax and keeps far items precise.
    """
    norms = centers.square().sum(1)
    return inv_var * (z @ centers.T - norms / 2)


def cube_excess(z: Tensor, margin: float) -> Tensor:
    """How far each item lies outside ``[-margin, margin]``, summed over the bits."""
    return F.relu(z.abs() - margin).sum(1)


class DCWH(HashLoss):
    r"""Deep class-wise hashing: Gaussian classes inside a cube, learned in two stages.

    With class centres :math:`\mu_c`, common variance :math:`\sigma^2` and K bits,

    .. math::

        J = -\frac{1}{n} \sum_i \log \frac{e^{-\|z_i - \mu_{y_i}\|^2 / 2 \sigma^2}}
        {\sum_c e^{-\|z_i - \mu_c\|^2 / 2 \sigma^2}}
        + \frac{\eta_1}{nK} \sum_{ik} \max(0, |z_{ik}| - m)
        + \frac{\eta_2}{nK} \sum_i \|\operatorname{sgn} z_i - z_i\|^2

    The last term acts in the second stage only. The centres are means of their classes
    over all training data, and are re-estimated as the training goes on.

    **Partly** the authors' text: likelihood, cube, vertex term, two stages and centre
    update are those of two released programs of the authors' laboratory [2]_; the text
    of [1]_ was not available. What differs was chosen by measurement: first centres at
    vertices far apart ("normal" in [2]_), `inv_var` (0.5 there), `cube` (10 there),
    `vertex` (0.01 to 0.1 there) and the moving average of the centres (none there).
    The rule for several labels is derived. With many classes, ``normalize_z=True`` of
    the encoder does better still.

    Parameters
    ----------
    inv_var : float or "auto", default="auto"
        :math:`1 / \sigma^2 > 0`. "auto" is ``kappa / n_bits`` where kappa lets vertices
        in a regular simplex reach a posterior of 0.99 (6.11 for ten classes).
    cube : float, default=1.0
        Weight :math:`\eta_1 \ge 0` of leaving the cube.
    vertex : float, default=0.1
        Weight :math:`\eta_2 \ge 0` of the distance to the vertices.
    margin : float, default=1.1
        Half the side of the cube, m > 0.
    refine_from : float, default=0.5
        Share of the epochs after which the vertex term sets in, in [0, 1].
    refresh_every : int, default=1
        Number of epochs between estimates of the centres, with at least 50
        optimisation steps in between; 0 keeps the first ones. The authors' programs
        use 1 and 2.
    ema : float or "auto", default="auto"
        Share of the old centre in the new one, in [0, 1). 0 is the plain class mean;
        "auto" is 0.5, and 0.9 where there are more classes than bits.
    center_init : {"hadamard", "far", "normal", "forward"}, default="hadamard"
        First centres: vertices of the cube (rows of Hadamard matrices, or random ones
        far apart), standard normal numbers, or the class means of the untrained
        network (classes may then end up sharing codes).
    multilabel : {"exclude", "soft"}, default="exclude"
        Loss of an item with several labels. "exclude": mean over its labels, each
        against the labels that the item does not have; "soft": cross-entropy with
        equal shares. Items without labels count in the last two terms only.

    Attributes
    ----------
    centers_ : Tensor of shape (n_classes, n_bits)
        Centres (buffer).
    estimated_ : bool Tensor of shape (n_classes,)
        Which centres have a value (buffer).
    vertex_ : Tensor of shape ()
        Weight of the vertex term in use (buffer).
    inv_var_ : float
        :math:`1 / \sigma^2` in use.
    ema_ : float
        Share of the old centre in use.

    References
    ----------
    .. [1] X. Zhe, S. Chen, H. Yan, "Deep Class-Wise Hashing: Semantics-Preserving
       Hashing via Class-wise Loss", IEEE TNNLS 2019, arXiv:1803.04137.
    .. [2] Programs github.com/mzhang367/dcwh and github.com/mzhang367/hpdh.

    Examples
    --------
    >>> import torch
    >>> from skhash.losses import DCWH
    >>> y = torch.tensor([0, 1])
    >>> loss = DCWH(inv_var=1.0).setup(2, y, generator=torch.Generator().manual_seed(0))
    >>> print(f"{loss(loss.centers_, y):.6f}")
    0.018150
    >>> DCWH(vertex=0.1).plan(6)[1]
    Stage(epochs=3, settings={'vertex_': 0.1}, refresh_every=1)
    """

    normalize_z = False
    centers_: Tensor
    estimated_: Tensor
    vertex_: Tensor

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "inv_var": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "cube": [Interval(Real, 0, None, closed="left")],
        "vertex": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "refine_from": [Interval(Real, 0, 1, closed="both")],
        "refresh_every": [Interval(Integral, 0, None, closed="left")],
        "ema": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "center_init": [StrOptions({"hadamard", "far", "normal", "forward"})],
        "multilabel": [StrOptions({"exclude", "soft"})],
    }

    def __init__(
        self,
        inv_var: float | Literal["auto"] = "auto",
        cube: float = 1.0,
        vertex: float = 0.1,
        margin: float = 1.1,
        refine_from: float = 0.5,
        refresh_every: int = 1,
        ema: float | Literal["auto"] = "auto",
        center_init: CenterInit = "hadamard",
        multilabel: MultilabelRule = "exclude",
    ) -> None:
        super().__init__()
        self.inv_var = inv_var
        self.cube = cube
        self.vertex = vertex
        self.margin = margin
        self.refine_from = refine_from
        self.refresh_every = refresh_every
        self.ema = ema
        self.center_init = center_init
        self.multilabel = multilabel

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
        n_classes = n_classes_of(y)
        if self.inv_var == "auto":
            self.inv_var_ = concentration_reaching(0.99, n_classes) / n_bits
        else:
            self.inv_var_ = float(self.inv_var)
        centers = first_centers(self.center_init, n_classes, n_bits, generator)
        known = torch.full((n_classes,), self.center_init != "forward")
        self.ema_ = share_of_old(self.ema, n_classes, n_bits)
        self.register_buffer("centers_", centers)
        self.register_buffer("estimated_", known)
        first = self.plan(1)[0].settings["vertex_"]
        self.register_buffer("vertex_", torch.tensor(float(first)))
        return self

    def plan(self, n_epochs: int) -> list[Stage]:
        """First without, then with the vertex term. See `HashLoss.plan`."""
        first = math.ceil(self.refine_from * n_epochs)
        lengths = {0.0: first, self.vertex: n_epochs - first}
        if not self.vertex:
            lengths = {0.0: n_epochs}
        forward = self.center_init == "forward"
        stages = [(weight, n) for weight, n in lengths.items() if n]
        return [
            Stage(
                n,
                settings={"vertex_": weight},
                refresh_every=self.refresh_every,
                refresh_first=forward and place == 0,
            )
            for place, (weight, n) in enumerate(stages)
        ]

    @torch.no_grad()
    def refresh(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Move the centres to the class means; classes without items keep theirs.

        See `HashLoss.refresh`.
        """
        old = self.state("centers_")
        sums, masses = sum_by_class(z, y, len(old), sample_weight)
        seen = masses > 0
        means = sums / torch.where(seen, masses, 1)[:, None]
        new = mixed(old, means.to(old), self.ema_, self.estimated_, seen)
        self.centers_.copy_(new)
        self.estimated_.logical_or_(seen)

    def class_scores(self, z: Tensor) -> Tensor:
        """See `HashLoss.class_scores`."""
        centers = self.state("centers_").to(z)
        return gaussian_logits(z, centers, self.inv_var_).log_softmax(1)

    def forward(
        self, z: Tensor, y: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """See `HashLoss.forward`."""
        logits = gaussian_logits(z, self.state("centers_").to(z), self.inv_var_)
        excess = item_mean(cube_excess(z, self.margin), sample_weight)
        distance = item_mean(vertex_distance(z), sample_weight)
        return self.total(
            similarity=class_loss(logits, y, sample_weight, self.multilabel),
            cube=self.cube / self.n_bits_ * excess,
            vertex=self.vertex_.to(z) * (distance / self.n_bits_),
        )
