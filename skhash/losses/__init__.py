"""Loss families: each a class in one file, found by name in `LOSSES`.

A family is a `HashLoss`: hyper-parameters, ``clone``, ``repr`` and ``set_params``
from scikit-learn; parameters, buffers and ``state_dict`` from torch.
``LOSSES[key](**params).setup(n_bits, y)(z, y)`` is a scalar tensor.
"""

from skhash.losses._base import HashLoss, Stage
from skhash.losses._dhn import DHN
from skhash.losses._dual_hinge import DualHinge
from skhash.losses._hashnet import HashNet, continuation

LOSSES: dict[str, type[HashLoss]] = {
    "dhn": DHN,
    "dual_hinge": DualHinge,
    "hashnet": HashNet,
}

__all__ = [
    "DHN",
    "LOSSES",
    "DualHinge",
    "HashLoss",
    "HashNet",
    "Stage",
    "continuation",
]
