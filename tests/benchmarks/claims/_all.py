"""All claims, in the order of the page."""

import cifar10
import dcwh
import dhn
import dual_hinge
import exponentiated
import hashnet
import label_sets
import unseen_classes
import von_mises_fisher

CLAIMS = (
    exponentiated.CLAIM,
    dual_hinge.CLAIM,
    hashnet.CLAIM,
    dhn.CLAIM,
    dcwh.CLAIM,
    von_mises_fisher.CLAIM,
    label_sets.CLAIM,
    unseen_classes.CLAIM,
    cifar10.CLAIM,
)
