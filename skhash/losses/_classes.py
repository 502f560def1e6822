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


def count_classes(y: Tensor) -> int:
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

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores of the classes.
    y : Tensor of shape (n,) or (n, n_classes)
        Labels.
    sample_weight : Tensor of shape (n,), default=None
        Weights of the items.
    rule : {"exclude", "soft"}, default="exclude"
        What the loss of an item with several labels is. "exclude": the mean over its
        labels of the loss of each against the labels that the item does not have.
        "soft": cross-entropy with equal shares of its labels as target. Items
        without label are left out.

    Returns
    -------
    loss : Tensor of shape ()
        0 (with zero gradient) for no labelled item.
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
    """The target code of each item: that of its class, or of most of its classes.

    Parameters
    ----------
    y : Tensor of shape (n,) or (n, n_classes)
        Labels.
    centers : Tensor of shape (n_classes, n_bits)
        Code of each class, of +1 and -1.
    tie_breaker : Tensor of shape (n_bits,)
        Bits taken where as many labels vote for as against.

    Returns
    -------
    targets : Tensor of shape (n, n_bits)
    """
    check_class_numbers(y, len(centers))
    if y.ndim == 1:
        return centers[y]
    votes = y.to(centers) @ centers
    return torch.where(votes == 0, tie_breaker, votes.sign())


def labelled_weight(
    y: Tensor, sample_weight: Tensor | None, like: Tensor
) -> Tensor | None:
    """`sample_weight` with 0 for items of a 0/1 matrix that have no label.

    Parameters
    ----------
    y : Tensor of shape (n,) or (n, n_classes)
        Labels.
    sample_weight : Tensor of shape (n,) or None
        Weights of the items.
    like : Tensor
        Gives dtype and device.

    Returns
    -------
    weight : Tensor of shape (n,) or None
        None where all items weigh the same.
    """
    if y.ndim == 1:
        return sample_weight
    labelled = (y.sum(1) > 0).to(like)
    return labelled if sample_weight is None else labelled * sample_weight.to(like)


def classify(classifier: nn.Linear, x: Tensor) -> Tensor:
    """Scores by a linear classifier, in the dtype of the items, not in its own."""
    bias = None if classifier.bias is None else classifier.bias.to(x)
    return F.linear(x, classifier.weight.to(x), bias)


def new_classifier(
    n_inputs: int,
    n_classes: int,
    generator: torch.Generator | None = None,
    *,
    bias: bool = True,
) -> nn.Linear:
    """A linear classifier that starts from `generator`, not from the global one.

    Parameters
    ----------
    n_inputs, n_classes : int
        Its sizes.
    generator : torch.Generator, default=None
        Source of the first weights: uniform within ``1 / sqrt(n_inputs)``.
    bias : bool, default=True
        Whether it has biases; they start at 0.

    Returns
    -------
    classifier : nn.Linear
    """
    classifier = nn.utils.skip_init(nn.Linear, n_inputs, n_classes, bias=bias)
    bound = 1 / math.sqrt(n_inputs)
    with torch.no_grad():
        classifier.weight.uniform_(-bound, bound, generator=generator)
        if bias:
            classifier.bias.zero_()
    return classifier
