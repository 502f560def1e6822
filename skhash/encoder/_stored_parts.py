"""Network and loss of a fitted encoder as values and tensors, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from skhash.archive import LoadError, Node
from skhash.encoder import _stored_parameters as parameters
from skhash.encoder._build import network_name
from skhash.encoder._kept import attributes_of, set_attributes
from skhash.encoder._stored_parameters import Custom
from skhash.losses import HashLoss
from skhash.losses import stored as losses
from skhash.networks import HashNetwork, Standardize, build_network
from skhash.networks import stored as networks


def network_told(network: HashNetwork, *, custom: bool) -> dict[str, Any]:
    """The structure of a network and its tensors; of a custom one, its first layer.

    Raises
    ------
    TypeError
        If a network of ours holds layers that are not in the list.
    """
    told = {"tensors": dict(network.state_dict())}
    told["frozen"] = [n for n, p in network.named_parameters() if not p.requires_grad]
    if custom:
        first = networks.told(network.standardize)
        return {**told, "first": first, "attributes": attributes_of(network)}
    return {**told, "layers": networks.told(network)}


def network_made(
    plain: dict[str, Any], encoder: Any, loss: HashLoss, custom: Custom
) -> HashNetwork:
    """The network that `network_told` has told of.

    Raises
    ------
    ValueError
        If there is no such network, or what the caller passes has other layers.
    """
    if "layers" in plain:
        network = networks.made(plain["layers"], plain["tensors"])
    else:
        network = _custom_network(plain, encoder, loss)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in plain["frozen"])
    return network


def _custom_network(plain: dict[str, Any], encoder: Any, loss: HashLoss) -> HashNetwork:
    """Build a network by what the caller passes, and give it what was learnt."""
    first = dict(plain["first"])
    if first.pop("layer") != "Standardize":
        raise ValueError("A network begins with another layer")
    has_rest, normalize = first.pop("has_rest"), encoder.normalize_z
    network = build_network(
        encoder.network,
        tuple(first["input_shape"]),
        loss.n_bits_,
        normalize_z=loss.normalize_z if normalize == "auto" else normalize,
        generator=torch.Generator().manual_seed(0),
    )
    network.standardize = Standardize(**first)
    network.standardize.has_rest = has_rest
    _load(network, plain["tensors"], "The network")
    set_attributes(network, plain["attributes"])
    network.origin = network_name(encoder.network)
    return network


def loss_told(loss: HashLoss) -> dict[str, Any]:
    """A fitted loss: what makes it, and its state."""
    made_of = parameters.loss_told(loss)
    if made_of.kind == "loss" and made_of.content["family"] != "from_callable":
        return {"made_of": made_of, "state": losses.told(loss)}
    told = {"tensors": dict(loss.state_dict()), "attributes": attributes_of(loss)}
    given = loss.get_params(deep=False)
    own = told["attributes"].get("", {})
    told["attributes"][""] = {n: v for n, v in own.items() if n not in given}
    return {"made_of": made_of, **told}


def loss_made(plain: dict[str, Any], known: dict[str, Any], custom: Custom) -> HashLoss:
    """The loss that `loss_told` has told of; `known` is what the encoder has fitted.

    Raises
    ------
    ValueError
        If there is no such loss, or what the caller passes has other tensors.
    """
    made_of: Node = plain["made_of"]
    classes = known.get("classes_")
    n_classes = 0 if classes is None else len(classes)
    if "state" in plain:
        given = made_of.content
        family, options = given["family"], given["parameters"]
        return losses.made(family, options, plain["state"], n_classes)
    loss = parameters.loss_made(made_of, custom)
    own = plain["attributes"].get("", {})
    y = torch.arange(n_classes)
    if known.get("multilabel_"):
        y = torch.eye(n_classes, dtype=torch.int64)
    elif loss.supervision == "vectors":
        y = torch.eye(own["_n_columns"] or known["n_features_in_"])
    loss.setup(own["n_bits_"], y, generator=torch.Generator().manual_seed(0))
    _load(loss, plain["tensors"], "The loss")
    set_attributes(loss, plain["attributes"])
    return loss


def _load(module: nn.Module, tensors: dict[str, torch.Tensor], what: str) -> None:
    """Copy tensors into a module of the caller's."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise LoadError(
            f"{what} in custom_objects has other tensors than that of the file: "
            f"{' '.join(str(error).split())}. Pass the one that was fitted."
        ) from error
