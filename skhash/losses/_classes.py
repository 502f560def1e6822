"""What the class-wise families share: how scores of classes become a loss."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skhash.losses._batches import as_labels, check_class_numbers
from skhash.losses._pairs import weighted_mean

MultilabelRule = Literal["exclude", "soft"]


def n_classes_of(y: Tensor) -> int:
    """Number of classes of labels of shape (n,) or (n, n_classes)."""
    if y.ndim == 2:
        return y.shape[1]
    if not len(y):
        raise ValueError("y is empty: setup(n_bits, y) needs the labels of all items.")
    return int(as_labels(y).max()) + 1


def class_loss(
    logits: Tensor,
    y: Tensor,
    sample_weight: Tensor | None = None,
    rule: MultilabelRule = "exclude",
) -> Tensor:
    """Mean negative log-likelihood of the labels under a softmax over the classes.

    For an item with several labels, "exclude" averages over them the loss of each
    against the classes that the item does not have; "soft" is the cross-entropy to
    equal shares of them. Items without labels are left out; if there are no others, the
    loss is 0, with zero gradient.
    """
    check_class_numbers(y, logits.shape[1])
    if sample_weight is None:
        sample_weight = torch.ones(len(y), dtype=logits.dtype, device=logits.device)
    sample_weight = sample_weight.to(logits)
    if y.ndim == 1:
        losses = F.cross_entropy(logits, y, reduction="none")
        return weighted_mean(losses, sample_weight)
    y = y.to(logits)
    if rule == "soft":
        losses = -F.log_softmax(logits, 1)
    else:
        # A finite floor: the log of an empty sum would have no gradient.
        floor = torch.finfo(logits.dtype).min / 2
        others = logits.masked_fill(y > 0, floor).logsumexp(1, keepdim=True)
        losses = F.softplus(others - logits)
    counts = y.sum(1)
    per_item = (losses * y).sum(1) / counts.clamp_min(1)
    return weighted_mean(per_item, sample_weight * (counts > 0))


def majority_codes(y: Tensor, centers: Tensor, tie_breaker: Tensor) -> Tensor:
    """The target of each item, shape (n, n_bits): the code of most of its classes.

    Where its classes are evenly divided, the bit is that of `tie_breaker`.
    """
    check_class_numbers(y, len(centers))
    if y.ndim == 1:
        return centers[y]
    votes = y.to(centers) @ centers
    return torch.where(votes == 0, tie_breaker, votes.sign())


def labelled_weight(
    y: Tensor, sample_weight: Tensor | None, like: Tensor
) -> Tensor | None:
    """`sample_weight`, 0 for items without labels; None if all weigh the same."""
    if y.ndim == 1:
        return sample_weight
    labelled = (y.sum(1) > 0).to(like)
    return labelled if sample_weight is None else labelled * sample_weight.to(like)


def classify(classifier: nn.Linear, x: Tensor) -> Tensor:
    """Scores of a linear classifier, in the dtype of the items, not its own."""
    bias = None if classifier.bias is None else classifier.bias.to(x)
    return F.linear(x, classifier.weight.to(x), bias)


def new_classifier(
    n_inputs: int,
    n_classes: int,
    generator: torch.Generator | None = None,
    *,
    bias: bool = True,
) -> nn.Linear:
    """A linear classifier with weights drawn from `generator`, not the global one.

    They are uniform within ``1 / sqrt(n_inputs)``; biases start at 0.
    """
    classifier = nn.utils.skip_init(nn.Linear, n_inputs, n_classes, bias=bias)
    bound = 1 / math.sqrt(n_inputs)
    with torch.no_grad():
        classifier.weight.uniform_(-bound, bound, generator=generator)
        if bias:
            classifier.bias.zero_()
    return classifier
