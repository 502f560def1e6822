"""Loss families: each a class in one file, found by name in `LOSSES`.

A family is a `HashLoss`: hyper-parameters, ``clone``, ``repr`` and ``set_params``
from scikit-learn; parameters, buffers and ``state_dict`` from torch.
``LOSSES[key](**params).setup(n_bits, y)(z, y)`` is a scalar tensor.
"""

from skhash.losses._base import HashLoss
from skhash.losses._callable import from_callable
from skhash.losses._csq import CSQ
from skhash.losses._dch import DCH
from skhash.losses._dcwh import DCWH
from skhash.losses._dhn import DHN
from skhash.losses._dpn import DPN
from skhash.losses._dpsh import DPSH
from skhash.losses._dsh import DSH
from skhash.losses._dtsh import DTSH
from skhash.losses._dual_hinge import DualHinge
from skhash.losses._exponentiated import Exponentiated
from skhash.losses._greedy_hash import GreedyHash
from skhash.losses._hashnet import HashNet, continuation
from skhash.losses._neighbor_distillation import NeighborDistillation
from skhash.losses._ortho_hash import OrthoHash
from skhash.losses._plan import Stage
from skhash.losses._von_mises_fisher import VonMisesFisher

LOSSES: dict[str, type[HashLoss]] = {
    "csq": CSQ,
    "dch": DCH,
    "dcwh": DCWH,
    "dhn": DHN,
    "dpn": DPN,
    "dpsh": DPSH,
    "dsh": DSH,
    "dtsh": DTSH,
    "dual_hinge": DualHinge,
    "exponentiated": Exponentiated,
    "greedy_hash": GreedyHash,
    "hashnet": HashNet,
    "neighbor_distillation": NeighborDistillation,
    "ortho_hash": OrthoHash,
    "von_mises_fisher": VonMisesFisher,
}

__all__ = [
    "CSQ",
    "DCH",
    "DCWH",
    "DHN",
    "DPN",
    "DPSH",
    "DSH",
    "DTSH",
    "LOSSES",
    "DualHinge",
    "Exponentiated",
    "GreedyHash",
    "HashLoss",
    "HashNet",
    "NeighborDistillation",
    "OrthoHash",
    "Stage",
    "VonMisesFisher",
    "continuation",
    "from_callable",
]
