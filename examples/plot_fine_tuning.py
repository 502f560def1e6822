"""
Fine-tune a network: augment, validate, stop and go on
======================================================

A network that has learnt from many images needs few labelled ones for a new task.
This is a fine-tuning from start to end: a body that knows something, augmentation,
validation data of one's own, a training that is cut in the middle and goes on. The
data are small, so that it runs in seconds; nothing else is different with photographs
and a body of torchvision (see :doc:`/user_guide/own_network`).
"""

# %%
# A body that knows something
# ---------------------------
#
# It has learnt the digits 0 to 4. Any torch module will do; this one is what an encoder
# has trained.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from skorch.callbacks import Callback

from skhash import DeepHashEncoder
from skhash.metrics import evaluate, mean_average_precision
from skhash.networks import wrap
from skhash.plots import TrainingHistoryDisplay

digits = load_digits()
images, labels = digits.images.astype(np.uint8), digits.target
old = labels < 5
earlier = DeepHashEncoder(16, network="convnet", max_epochs=15, random_state=0)
earlier.fit(images[old], labels[old])
body = earlier.net_.module_.body

# %%
# A new task
# ----------
#
# The digits 5 to 9, of which 60 have labels. Others validate, and the rest is searched
# in the end.

X, y = images[~old], labels[~old]
train, valid, rest = np.split(np.random.default_rng(0).permutation(len(X)), [60, 160])

# %%
# Images are changed anew each time they are learnt from. ``augment="crop_flip"`` shifts
# and mirrors photographs; a mirrored digit is none, so here a function of our own
# shifts by a pixel. It gets a batch as a tensor (n, channels, height, width) and a
# generator: draws from it depend on ``random_state`` alone, so that codes can be
# reproduced.


def shift(batch, generator):
    """Move each image by up to a pixel."""
    padded = torch.nn.functional.pad(batch, (1, 1, 1, 1))
    height, width = batch.shape[2:]
    corners = torch.randint(3, (len(batch), 2), generator=generator).tolist()
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, (top, left) in zip(padded, corners, strict=True)
        ]
    )


# %%
# Cut, and gone on
# ----------------
#
# ``checkpoint`` names a file that keeps the state of the training after each epoch.
# Whatever cuts it, be it Ctrl-C, a crash or the end of the machine's time, the same
# call goes on from there. Here a callback plays the power cut, once. (The body is small
# and may change at full rate; a large one wants ``lr_scale=0.1``.)


class PowerCut(Callback):
    """Cuts the first training that reaches an epoch."""

    left = 1

    def on_epoch_begin(self, net, **kwargs):
        """Look at the number of the epoch."""
        if len(net.history) == 20 and PowerCut.left:
            PowerCut.left -= 1
            raise RuntimeError("The power is gone.")


def fine_tune(checkpoint=None, **params):
    """Train on the few labelled images; the encoder."""
    settings = {"network": wrap(body, lr_scale=1.0), "verbose": 1, **params}
    encoder = DeepHashEncoder(
        16,
        augment=shift,
        early_stopping=True,
        n_iter_no_change=20,
        callbacks=[PowerCut()] if checkpoint else None,
        checkpoint=checkpoint,
        max_epochs=60,
        batch_size=30,
        random_state=0,
        **settings,
    )
    return encoder.fit(X[train], y[train], X_val=X[valid], y_val=y[valid])


folder = Path(tempfile.mkdtemp())
try:
    fine_tune(folder / "training.ckpt")
except RuntimeError as error:
    print(error, "What is left:", [path.name for path in folder.iterdir()])

# %%
# Once more the same call. It warns that our callback starts anew: the state of skorch's
# own callbacks is kept, that of others is not known.

tuned = fine_tune(folder / "training.ckpt")
print("left in the folder:", list(folder.iterdir()))

# %%
# The codes are those of a training that was not cut, bit for bit.

whole = fine_tune()
print(np.array_equal(tuned.embed(X), whole.embed(X)))

# %%
# What it has come to
# -------------------
#
# ``history_`` has the losses of training and validation, and the retrieval of the
# validation images from the training ones. The best weights were kept.

display = TrainingHistoryDisplay.from_estimator(tuned, panels=["loss", "score"])
for axes in display.ax_:
    axes.axvline(19.5, color="0.5", linestyle=":")
display.ax_[0].annotate(
    "cut here", (19.5, 0.95), xycoords=("data", "axes fraction"), va="top"
)
plt.show()

# %%
# Was it worth it? The same training from a fresh network, and with the body left as it
# was:

scores = {}
for name, network in {
    "fine-tuned": None,
    "body frozen": wrap(body, freeze=True),
    "from nothing": "convnet",
}.items():
    encoder = tuned if network is None else fine_tune(network=network, verbose=0)
    scores[name] = mean_average_precision(
        encoder.transform(X[rest]), encoder.transform(X[train]), y[rest], y[train]
    )
    print(f"{name:14s} mAP {scores[name]:.3f}")

# %%
# And all that is known about the winner:

codes, queries = tuned.transform(X[train]), tuned.transform(X[rest])
print(evaluate(queries, codes, y[rest], y[train], k=10))
