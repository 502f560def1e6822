"""
A network of your own
=====================

The parameter ``network`` of the encoder takes a name, a torch module or a function.
All of them get what every network here has: standardised input, seeded weights, and a
hash layer with one output per bit.
"""

# %%
# Images
# ------
# Eight by eight pixels are few, but they make images: the encoder keeps the shape of
# the items and hands the network tensors of shape (n, channels, height, width).

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
X, X_queries, y, y_queries = train_test_split(
    digits.images, digits.target, test_size=300, stratify=digits.target, random_state=0
)
print(X.shape)

# %%
# A function of (input_shape, n_bits)
# -----------------------------------
# It may return a module with ``n_bits`` outputs, or a body of any other width, which
# gets a hash layer put on top. Whatever it draws from torch's global generator is
# seeded by ``random_state``.

from torch import nn


def small_convnet(input_shape, n_bits):
    channels, height, width = input_shape
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 2) * (width // 2), 64),
        nn.ReLU(),
    )


# %%
# A module, trained elsewhere
# ---------------------------
# ``wrap`` puts a hash layer on any module. Here a classifier is trained first, on the
# digits 0 to 4 only; its body then serves as it is (``freeze=True``) or is fine-tuned
# with a tenth of the learning rate. The module you pass is copied, never changed.

from functools import partial

import torch

from skhash.networks import mlp, wrap

torch.manual_seed(0)
body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU())
classifier = nn.Sequential(body, nn.Linear(128, 5))
optimizer = torch.optim.Adam(classifier.parameters(), lr=1e-3)
few = y < 5
pixels = torch.tensor((X[few] - X.mean()) / X.std(), dtype=torch.float32)
labels = torch.tensor(y[few])
for _ in range(200):
    loss = nn.functional.cross_entropy(classifier(pixels), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %%
# Compared
# --------
# ``functools.partial`` sets the options of the networks that come with skhash.

import time

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision

networks = {
    "linear": "linear",
    "mlp": "mlp",
    "narrow mlp": partial(mlp, hidden=(64,), dropout=0.1),
    "own convnet": small_convnet,
    "frozen body": wrap(body, freeze=True),
    "fine-tuned body": wrap(body, lr_scale=0.1),
}
scores, sizes = {}, {}
for name, network in networks.items():
    start = time.perf_counter()
    encoder = DeepHashEncoder(16, network=network, max_epochs=20, random_state=0)
    encoder.fit(X, y)
    seconds = time.perf_counter() - start
    scores[name] = mean_average_precision(
        encoder.transform(X_queries), encoder.transform(X), y_queries, y
    )
    sizes[name] = sum(p.numel() for p in encoder.net_.module_.parameters())
    print(
        f"{name:16} {sizes[name]:7} weights  mAP {scores[name]:.3f}  {seconds:4.1f} s"
    )

# %%
# More weights are not always more retrieval.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.semilogx(sizes.values(), scores.values(), "o", color="#0072B2")
for name in networks:
    ax.annotate(
        name,
        (sizes[name], scores[name]),
        xytext=(-6, 6) if name == "narrow mlp" else (6, -4),
        ha="right" if name == "narrow mlp" else "left",
        textcoords="offset points",
        fontsize=9,
    )
ax.set(xlabel="weights of the network", ylabel="mAP of held-out images, 16 bits")
ax.margins(x=0.25, y=0.15)
ax.grid(alpha=0.3)
plt.show()
