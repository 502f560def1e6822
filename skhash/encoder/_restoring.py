"""A training that does not come to its end leaves the encoder as it was."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


@contextlib.contextmanager
def unchanged_by_errors(encoder: DeepHashEncoder) -> Iterator[None]:
    """Put an encoder back where the body raises, be it by Ctrl-C."""
    before = vars(encoder).copy()
    # Warm starts and partial fits go on with the same net, network and loss.
    put_back = _remember_net(encoder.net_) if hasattr(encoder, "net_") else None
    try:
        yield
    except BaseException:
        vars(encoder).clear()
        vars(encoder).update(before)
        if put_back:
            put_back()
        raise


def _remember_net(net: Any) -> Callable[[], None]:
    attributes, n_epochs = vars(net).copy(), len(net.history)
    network, loss = _remember_module(net.module_), _remember_module(net.criterion_)
    optimizer = net.optimizer_ and copy.deepcopy(net.optimizer_.state_dict())
    generators = _states(attributes)

    def put_back() -> None:
        vars(net).clear()
        vars(net).update(attributes)
        del net.history[n_epochs:]
        network()
        loss()
        if optimizer:
            net.optimizer_.load_state_dict(optimizer)
        _set_states(generators)

    return put_back


def _remember_module(module: nn.Module) -> Callable[[], None]:
    """Remember tensors by value, all else that training sets by reference."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    values = [(tensor, tensor.detach().clone()) for _, tensor in tensors]
    trained = [(p, p.requires_grad) for p in module.parameters()]
    held = [
        (where, where.copy())
        for part in module.modules()
        for where in (vars(part), part._parameters, part._buffers)
    ]
    generators = [_states(vars(part)) for part in module.modules()]

    def put_back() -> None:
        for where, names in held:
            where.clear()
            where.update(names)
        with torch.no_grad():
            for tensor, value in values:
                tensor.data = value  # also where it has moved to another device
        for parameter, requires_grad in trained:
            parameter.requires_grad_(requires_grad)
            parameter.grad = None
        for states in generators:
            _set_states(states)

    return put_back


def _states(attributes: dict[str, Any]) -> list[tuple[torch.Generator, torch.Tensor]]:
    values = attributes.values()
    return [(g, g.get_state()) for g in values if isinstance(g, torch.Generator)]


def _set_states(states: list[tuple[torch.Generator, torch.Tensor]]) -> None:
    for generator, state in states:
        generator.set_state(state)
