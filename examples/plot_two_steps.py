"""
Two-step optimisation: centres, then corners
============================================

Deep class-wise hashing (DCWH) gives each class a centre. It first learns outputs that
gather around the centres, and then, in a second stage, also pulls them to the corners
of a cube, where the codes are. After each epoch the centres are estimated again from
all data. With two bits the cube is a square, and all of this can be watched.
"""

# %%
# Four digits, two bits
# ---------------------
# Four digits fit into the four corners exactly. So that there is something to see, the
# first centres are the class means of the untrained network; by default they are
# corners, far apart. The loss tells its plan: ``vertex_``, the weight of the corners,
# is 0 in the first half.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash.losses import DCWH

N_EPOCHS = 16
loss = DCWH(cube=3.0, vertex=3.0, refine_from=0.5, center_init="forward")
for stage in loss.plan(N_EPOCHS):
    print(stage)

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
few, few_queries = y < 4, y_queries < 4

# %%
# Keeping what happens
# --------------------
# A callback of skorch sees the loss as ``net.criterion_``, with its centres, and the
# network as ``net.module_``.

import numpy as np
import torch
from skorch.callbacks import Callback

from skhash import DeepHashEncoder


class KeepCentres(Callback):
    """The centres and the outputs of some items after each epoch."""

    def __init__(self, X):
        self.X = torch.tensor(X, dtype=torch.float32)

    def on_train_begin(self, net, **kwargs):
        self.centres_, self.outputs_ = [], []

    @torch.inference_mode()
    def on_epoch_end(self, net, **kwargs):
        self.centres_.append(net.criterion_.centers_.numpy().copy())
        self.outputs_.append(net.module_.eval()(self.X).numpy())


encoder = DeepHashEncoder(
    2,
    loss=loss,
    network="mlp",
    batch_size=8,
    max_epochs=N_EPOCHS,
    callbacks=[("keep", KeepCentres(X_queries[few_queries]))],
    random_state=0,
).fit(X[few], y[few])
kept = dict(encoder.net_.callbacks_)["keep"]

# %%
# The same with ten digits and 16 bits
# ------------------------------------
# Two trainings that differ in the second stage only.

from skhash.metrics import mean_average_precision

encoders = {}
for name, vertex in [("one stage", 0.0), ("two stages", 3.0)]:
    encoders[name] = DeepHashEncoder(
        16,
        loss=DCWH(vertex=vertex),
        max_epochs=20,
        random_state=0,
    ).fit(X, y)
    score = mean_average_precision(
        encoders[name].transform(X_queries), encoders[name].transform(X), y_queries, y
    )
    gap = np.abs(np.abs(encoders[name].embed(X_queries)) - 1).mean()
    print(f"{name:10}  mAP {score:.3f}, mean distance to the corners {gap:.3f}")

# %%
# The picture
# -----------
# Above, held-out digits on their way to the corners of the dashed square. Crosses are
# the centres as last estimated, and lines their way so far. The first stage pulls the
# classes apart, wherever there is room; the second one moves each towards a
# corner. Below, what the training of 16 bits tells of itself: the new term sets in
# halfway through, and the loss starts anew from there.

import matplotlib.pyplot as plt

from skhash.plots import TrainingHistoryDisplay

figure = plt.figure(figsize=(12, 6.6), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1.1, 1])
axes = above.subplots(1, 4, sharex=True, sharey=True)
colours, marks = ["#0072B2", "#D55E00", "#009E73", "#444444"], "os^D"
moments = {1: "epoch 1", 4: "epoch 4", 8: "epoch 8, end of stage one", 16: "the end"}
for ax, (epoch, title) in zip(axes, moments.items(), strict=True):
    z, way = kept.outputs_[epoch - 1], np.array(kept.centres_[:epoch])
    for digit in range(4):
        of_digit = y_queries[few_queries] == digit
        style = {"color": colours[digit], "marker": marks[digit]}
        ax.scatter(*z[of_digit].T, s=14, alpha=0.6, label=str(digit), **style)
        ax.plot(*way[:, digit].T, color="black", lw=1)
        ax.plot(*way[-1, digit], "X", color="black", mec="white", ms=9)
    ax.add_patch(plt.Rectangle((-1, -1), 2, 2, fill=False, ls="--", ec="0.5"))
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(0, color="0.8", lw=0.8, zorder=0)
    ax.set(title=title, xlabel="first output", aspect="equal")
    ax.set(xlim=(-2.3, 2.3), ylim=(-2.3, 2.3))
axes[0].set_ylabel("second output")
axes[-1].legend(title="digit", loc="center left", bbox_to_anchor=(1, 0.5))
TrainingHistoryDisplay.from_estimator(
    encoders["two stages"], ax=below.subplots(), panels=["loss"]
)
plt.show()
