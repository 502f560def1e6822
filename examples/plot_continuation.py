"""
Continuation at work
====================

Codes are signs, and signs have no gradient. HashNet trains with ``tanh(beta z)`` in
their place and lets beta grow stage by stage, so that the smooth outputs end up where
the codes will be: in the corners -1 and +1.
"""

# %%
# The plan
# --------
# A schedule is data: it can be printed before any training. HashNet's beta grows like
# the square root of the stage by default; here it grows by the same factor from stage
# to stage, up to 16.

from skhash.losses import HashNet

N_EPOCHS = 30
growing = HashNet(n_stages=10, schedule="geometric", final_beta=16)
for stage in growing.plan(N_EPOCHS):
    print(f"{stage.epochs} epochs, beta {stage.settings['beta_']:5.2f}")

# %%
# Watching the outputs
# --------------------
# A callback of skorch keeps the outputs h = tanh(beta z) of held-out images after every
# epoch. A second training, with beta 1 throughout, shows what continuation adds.

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)


class KeepOutputs(Callback):
    """Histograms of h, one row per epoch."""

    def __init__(self, X):
        self.X = torch.tensor(X, dtype=torch.float32)
        self.bins = np.linspace(-1, 1, 42)

    def on_train_begin(self, net, **kwargs):
        self.shares_ = []

    @torch.inference_mode()
    def on_epoch_end(self, net, **kwargs):
        z = net.module_.eval()(self.X)
        h = torch.tanh(net.criterion_.beta_ * z).numpy()
        counts, _ = np.histogram(h, self.bins)
        self.shares_.append(counts / h.size)


encoders, shares = {}, {}
for name, loss in [("beta grows", growing), ("beta stays 1", HashNet(n_stages=1))]:
    encoder = DeepHashEncoder(
        16,
        loss=loss,
        max_epochs=N_EPOCHS,
        callbacks=[("outputs", KeepOutputs(X_queries))],
        random_state=0,
    ).fit(X, y)
    encoders[name] = encoder
    shares[name] = np.array(dict(encoder.net_.callbacks_)["outputs"].shares_)
    score = mean_average_precision(
        encoder.transform(X_queries), encoder.transform(X), y_queries, y
    )
    undecided = shares[name][-1, 4:-4].sum()  # bins inside -0.8 and 0.8
    print(f"{name:13} mAP {score:.3f}, {undecided:.1%} of the outputs below 0.8")

# %%
# The picture
# -----------
# One column per epoch, dark where many outputs are. With growing beta they leave the
# middle for the corners; with beta 1 they settle short of them. The loss falls over the
# stages, which are shaded and named. The score gains little here: on easy data, the
# sign of a hesitant output is as good as that of a decided one. What is gained is that
# loss and search speak of the same codes.

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm

from skhash.plots import TrainingHistoryDisplay

figure, axes = plt.subplots(
    2,
    2,
    figsize=(11, 6.4),
    layout="constrained",
    height_ratios=[1.3, 1],
    sharey="row",
)
for (top, bottom), (name, share) in zip(axes.T, shares.items(), strict=True):
    image = top.imshow(
        share.T,
        extent=(0.5, N_EPOCHS + 0.5, -1, 1),
        origin="lower",
        aspect="auto",
        cmap="Blues",
        norm=LogNorm(1e-3, 0.5, clip=True),
    )
    top.set(title=name, xlabel="epoch", ylabel="output h")
    TrainingHistoryDisplay.from_estimator(encoders[name], ax=bottom, panels=["loss"])
figure.colorbar(image, ax=axes[0], label="share of the outputs")
plt.show()
