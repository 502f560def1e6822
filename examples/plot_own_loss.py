"""
A loss of your own in ten lines
===============================

A loss is a class with one method, ``forward``. It gets the real outputs z of the hash
layer for one batch, and the labels. There is nothing to register: hand an instance to
the encoder, and its parameters can be searched like any others.
"""

# %%
# The loss
# --------
# Supervised contrastive learning pulls an item towards the items of its class and away
# from all others, by a softmax over cosine similarities. We let it act on relaxed
# codes, ``tanh(z)``, whose cosines are those of the binary codes when all bits are
# decided.

import torch
import torch.nn.functional as F

from skhash.losses import HashLoss


class Contrastive(HashLoss):
    """Supervised contrastive loss on relaxed codes."""

    def __init__(self, temperature=0.2):
        super().__init__()
        self.temperature = temperature

    def forward(self, z, y):
        h = F.normalize(torch.tanh(z))
        oneself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        similarity = (h @ h.T / self.temperature).masked_fill(oneself, -1e9)
        log_share = similarity.log_softmax(dim=1)
        same = (y[:, None] == y[None, :]) & ~oneself
        return -(log_share * same).sum() / same.sum().clamp_min(1)


# %%
# Search over its parameter
# -------------------------
# ``loss__temperature`` reaches into the loss. The folds' images look for their like
# among the other images of the fold.

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision, mean_average_precision_scorer

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
search = GridSearchCV(
    DeepHashEncoder(16, loss=Contrastive(), max_epochs=15, random_state=0),
    {"loss__temperature": [0.05, 0.2, 0.8]},
    scoring=mean_average_precision_scorer,
    cv=2,
).fit(X, y)
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"temperature {params['loss__temperature']:4}   mAP in the folds {score:.3f}")

# %%
# Against the losses that come with skhash
# ----------------------------------------
# Same network, same number of epochs; held-out images are the queries.

losses = {
    "contrastive": search.best_estimator_.loss,
    "dual hinge": "dual_hinge",
    "HashNet": "hashnet",
    "DHN": "dhn",
}
scores, histories = {}, {}
for name, loss in losses.items():
    encoder = DeepHashEncoder(16, loss=loss, max_epochs=15, random_state=0).fit(X, y)
    scores[name] = mean_average_precision(
        encoder.transform(X_queries), encoder.transform(X), y_queries, y
    )
    histories[name] = [row["train_loss"] for row in encoder.history_]

# %%
# The course of training is in ``history_``, for any loss.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
styles = ["-", "--", "-.", ":"]
colours = ["#0072B2", "#D55E00", "#444444", "#7b3294"]
for (name, loss), style, colour in zip(histories.items(), styles, colours, strict=True):
    share = [value / loss[0] for value in loss]
    left.plot(range(1, len(share) + 1), share, style, color=colour, label=name)
left.set(xlabel="epoch", ylabel="loss, relative to the first epoch", ylim=(0, None))
left.legend(loc="center right", bbox_to_anchor=(1, 0.62))
bars = right.barh(list(scores), list(scores.values()), color=colours)
right.bar_label(bars, fmt="%.3f", padding=3)
right.set(xlabel="mAP of held-out images, 16 bits", xlim=(0, 1.12))
right.invert_yaxis()
plt.show()
