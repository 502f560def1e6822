"""Loss families: each a class in one file, found by name in `LOSSES`.

A family is a `HashLoss`: hyper-parameters, ``clone``, ``repr`` and ``set_params``
from scikit-learn; parameters, buffers and ``state_dict`` from torch.
``LOSSES[key](**params).setup(n_bits, y)(z, y)`` is a scalar tensor.
"""

from skhash.losses._base import HashLoss, Stage
from skhash.losses._dcwh import DCWH
from skhash.losses._dhn import DHN
from skhash.losses._dual_hinge import DualHinge
from skhash.losses._exponentiated import Exponentiated
from skhash.losses._hashnet import HashNet, continuation
from skhash.losses._von_mises_fisher import VonMisesFisher

LOSSES: dict[str, type[HashLoss]] = {
    "dcwh": DCWH,
    "dhn": DHN,
    "dual_hinge": DualHinge,
    "exponentiated": Exponentiated,
    "hashnet": HashNet,
    "von_mises_fisher": VonMisesFisher,
}

__all__ = [
    "DCWH",
    "DHN",
    "LOSSES",
    "DualHinge",
    "Exponentiated",
    "HashLoss",
    "HashNet",
    "Stage",
    "VonMisesFisher",
    "continuation",
]
