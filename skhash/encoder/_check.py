"""Checks of the encoder's parameters that scikit-learn's constraints cannot make."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from skhash.encoder._auto import device_error
from skhash.encoder._check_callbacks import check_callbacks
from skhash.encoder._checkpoint import check_path
from skhash.encoder._supervision import learns_from

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# What belongs to the encoder under another name.
_OWN = {"optimizer__lr": "lr", "iterator_train__batch_size": "batch_size"}


def check_parameters(
    encoder: DeepHashEncoder, *, partial: bool = False, own_valid: bool = False
) -> None:
    """Refuse parameters that would fail in the middle of a fit.

    Parameters
    ----------
    encoder : DeepHashEncoder
    partial : bool, default=False
        Whether it is for `partial_fit`.
    own_valid : bool, default=False
        Whether the user gave validation data.

    Raises
    ------
    ValueError
        If a parameter of the loss is out of its range, the device is not there,
        `input_shape` is no shape of an image, a callback cannot work, or `net_params`
        reaches for what is the encoder's own.
    """
    if not isinstance(encoder.loss, str):
        encoder.loss._validate_params()
    if encoder.balanced_batches != "auto" and encoder.balanced_batches is not False:
        check_balance(encoder)
    check_device(encoder.device)
    check_path(encoder.checkpoint)
    check_input_shape(encoder.input_shape)
    check_callbacks(encoder, partial=partial, own_valid=own_valid)
    check_net_params(encoder.net_params or {}, encoder.get_params(deep=False))


def check_balance(encoder: DeepHashEncoder) -> None:
    """Refuse batches balanced by classes where there are none."""
    if learns_from(encoder) != "labels":
        raise ValueError(
            f"balanced_batches={encoder.balanced_batches!r} balances classes, but "
            f"loss={encoder.loss!r} learns from vectors: use 'auto'."
        )


def check_device(device: Any) -> None:
    """Refuse a device that torch does not know or this machine does not have."""
    if device == "auto":
        return
    if error := device_error(device):
        raise ValueError(
            f"device={device!r} cannot be used: {error}. Use 'auto', 'cpu', or a "
            "device that torch finds on this machine."
        )


def check_input_shape(input_shape: Any) -> None:
    """Refuse anything but 1 to 3 positive integers."""
    if input_shape is None:
        return
    sizes = list(input_shape)
    positive = all(isinstance(size, Integral) and size > 0 for size in sizes)
    if not positive or not 1 <= len(sizes) <= 3:
        raise ValueError(
            f"input_shape={input_shape!r} is no shape of an item: give (height, "
            "width) or (height, width, channels) as positive integers."
        )


def check_net_params(net_params: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Refuse what the encoder itself decides."""
    for name in net_params:
        if not isinstance(name, str):
            raise ValueError(
                f"net_params holds the name {name!r}: names are strings, as in "
                "{'amp': True}."
            )
        if name.startswith(("criterion", "module")):
            raise ValueError(
                f"net_params may not contain {name!r}: skorch would build the loss or "
                "network anew and lose its state. Use the parameters `loss` and "
                "`network`."
            )
        if _OWN.get(name, name) in own:
            raise ValueError(
                f"net_params may not contain {name!r}: use the encoder's own parameter "
                f"{_OWN.get(name, name)!r}."
            )
        if name in ("sampler", "train_split"):
            raise ValueError(
                f"net_params may not contain {name!r}: use the encoder's parameters "
                "`balanced_batches` and `early_stopping`."
            )
