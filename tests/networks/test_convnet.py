"""The convnet: what it computes, its widths, its memory layout."""

import functools

import numpy as np
import pytest
import torch
from torch import nn

from skhash.encoder._auto import step_work
from skhash.networks import Standardize, convnet
from skhash.networks._layers import Dropout


def make(shape, n_bits=5, seed=0, **params):
    generator = torch.Generator().manual_seed(seed)
    return convnet(shape, n_bits, generator=generator, **params)


def kernels(net):
    """(inputs, outputs, side, stride) of each convolution."""
    return [
        (m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0])
        for m in net.modules()
        if isinstance(m, nn.Conv2d)
    ]


# What it computes, the slow way


def convolved(x, layer):
    """Images (n, channels, height, width) under a convolution, pixel by pixel."""
    weight = layer.weight.detach().double().numpy()
    side, stride, pad = layer.kernel_size[0], layer.stride[0], layer.padding[0]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, breadth = ((size - side) // stride + 1 for size in x.shape[2:])
    out = np.empty((len(x), len(weight), height, breadth))
    for i in range(height):
        for j in range(breadth):
            rows, columns = i * stride, j * stride
            patch = x[:, :, rows : rows + side, columns : columns + side]
            out[:, :, i, j] = np.einsum("nchw,ochw->no", patch, weight)
    return out


def pooled(x):
    """The greatest of each 2 x 2 pixels; an odd last row or column falls away."""
    n, channels, height, breadth = x.shape
    x = x[:, :, : height // 2 * 2, : breadth // 2 * 2]
    return x.reshape(n, channels, height // 2, 2, breadth // 2, 2).max((3, 5))


def block(x, layers):
    """Convolution, perhaps pooling, batch norm in evaluation mode, ReLU."""
    x = convolved(x, layers[0])
    if isinstance(layers[1], nn.MaxPool2d):
        x = pooled(x)
    norm = layers[-2]
    mean, var, scale, shift = (
        value.detach().double().numpy().reshape(-1, 1, 1)
        for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return np.maximum((x - mean) / np.sqrt(var + norm.eps) * scale + shift, 0)


def dense(x, layer):
    weight, bias = (p.detach().double().numpy() for p in layer.parameters())
    return x @ weight.T + bias


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 11, 17), (1, 8, 8), (1, 9, 14)])
def test_convnet_computes_what_its_parts_say(shape):
    net = make(shape, width=4, hidden=6).eval()
    rng = torch.Generator().manual_seed(1)
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.running_mean.normal_(generator=rng)
        norm.running_var.uniform_(0.5, 2, generator=rng)
    x = torch.randn(3, *shape, generator=rng)
    out = x.double().numpy()
    _, *parts, flat, hidden, relu = net.body
    assert [type(part) for part in (flat, hidden, relu)] == [
        nn.Flatten,
        nn.Linear,
        nn.ReLU,
    ]
    for part in parts:
        if isinstance(part, nn.Sequential):
            out = block(out, part)
        else:
            out = out + block(block(out, part.steps[0]), part.steps[1])
    out = np.maximum(dense(out.reshape(len(out), -1), hidden), 0)
    np.testing.assert_allclose(
        net(x).detach().numpy(), dense(out, net.head), rtol=1e-4, atol=1e-5
    )


# Its size


@pytest.mark.parametrize(
    ("shape", "params", "expected"),
    [
        ((1, 28, 28), {}, [(1, 16), (16, 32), (32, 32), (32, 64)]),
        ((2, 28, 28), {}, [(2, 16), (16, 32), (32, 32), (32, 64)]),
        ((3, 32, 32), {"residual": False}, [(3, 16), (16, 32), (32, 32), (32, 64)]),
        ((1, 8, 8), {"width": 8}, [(1, 4), (4, 8), (8, 8), (8, 16)]),
        (
            (3, 32, 32),
            {},
            [(3, 32), (32, 64), *[(64, 64)] * 2, (64, 128), *[(128, 128)] * 2],
        ),
        (
            (1, 8, 8),
            {"residual": True, "width": 8},
            [(1, 4), (4, 8), *[(8, 8)] * 2, (8, 16), *[(16, 16)] * 2],
        ),
    ],
)
def test_colour_images_get_a_wider_and_deeper_network(shape, params, expected):
    net = make(shape, **params)
    assert [kernel[:2] for kernel in kernels(net)] == expected
    assert net.head.in_features == 128
    assert net(torch.zeros(2, *shape)).shape == (2, 5)


def test_multiplications_are_those_of_the_docstring():
    work = {}
    for shape in [(1, 28, 28), (3, 32, 32)]:
        net = make(shape)
        net.standardize = Standardize(shape)
        work[shape[0]] = step_work(net, 1)
    assert work[3] == pytest.approx(20e6, rel=0.05)
    assert work[3] / work[1] == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_all_layers_work_with_channels_last(shape):
    net, seen = make(shape), []

    def look(layer, given, out):
        seen.append(out.is_contiguous(memory_format=torch.channels_last))

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(look)
    net(torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)))
    assert len(seen) == len(kernels(net))
    assert all(seen)


@pytest.mark.parametrize("channels", [1, 3])
def test_convnet_drops_values_of_the_dense_layer(channels):
    build = functools.partial(make, (channels, 8, 8), hidden=300, dropout=0.4)
    net, again, other = build(), build(), build(seed=1)
    assert sum(isinstance(m, Dropout) for m in net.modules()) == 1
    x = torch.randn(20, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    features = net.features(x)
    assert torch.equal(features, again.features(x))
    assert not torch.equal(features, other.features(x))
    plain = make((channels, 8, 8), hidden=300).features(x)
    kept = features != 0
    np.testing.assert_allclose(
        features[kept].detach(), plain[kept].detach() / 0.6, rtol=1e-5
    )
    dropped = float((~kept & (plain > 0)).sum() / (plain > 0).sum())
    assert dropped == pytest.approx(0.4, abs=0.05)
