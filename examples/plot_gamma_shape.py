"""
Tuning the shape of the dual hinge
==================================

The dual hinge loss asks how probable it is that two items match, given the distance of
their codes: the tail of a Gamma distribution. Its shape and rate decide which pairs are
hard, and how hard. We look at what they do to the loss, and let a grid search choose.
"""

# %%
# Data
# ----

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)

# %%
# The search
# ----------
# ``loss__shape`` and ``loss__rate`` reach into the loss. A rate suits one length of
# codes: 1 is the default for 16 bits. In each of two folds, every image looks for
# its like among the others of its fold.

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision, mean_average_precision_scorer

shapes = [0.5, 1.0, 2.0, 4.0]
rates = [0.25, 0.5, 1.0, 2.0, 4.0]
search = GridSearchCV(
    DeepHashEncoder(16, loss="dual_hinge", max_epochs=6, random_state=0),
    {"loss__shape": shapes, "loss__rate": rates},
    scoring=mean_average_precision_scorer,
    cv=StratifiedKFold(2, shuffle=True, random_state=0),
).fit(X, y)
scores = np.empty((len(shapes), len(rates)))
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    place = shapes.index(params["loss__shape"]), rates.index(params["loss__rate"])
    scores[place] = score

best = search.best_params_
print(f"best in the folds: shape {best['loss__shape']:g}, rate {best['loss__rate']:g}")
queries, database = (search.best_estimator_.transform(part) for part in (X_queries, X))
held_out = mean_average_precision(queries, database, y_queries, y)
print(f"mAP of held-out images {held_out:.3f}")

# %%
# The picture
# -----------
# Above, the penalty of a pair over the Hamming distance of its codes, and what one more
# bit changes. A similar pair (solid) pays for being far apart, up to a bound, after
# which it is given up; a dissimilar pair pays for being near. Shapes above 1 have a
# flat top: the nearest dissimilar pairs, which are the hardest, hardly move. Below, how
# the choice comes out. Shape and rate trade against each other: a larger shape wants a
# larger rate.

import matplotlib.pyplot as plt

from skhash.losses import DualHinge
from skhash.plots import LossShapeDisplay

figure = plt.figure(figsize=(9.5, 7.6), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1.1, 1])
axes = above.subplots(1, 2)
for shape in (0.5, 1.0, 4.0):
    LossShapeDisplay.from_loss(
        DualHinge(shape=shape), n_bits=16, name=f"shape {shape:g}", ax=axes
    )

ax = below.subplots()
mesh = ax.imshow(scores, cmap="cividis", aspect="auto")
for (row, column), score in np.ndenumerate(scores):
    dark = mesh.norm(score) < 0.5
    ax.text(
        column,
        row,
        f"{score:.3f}",
        ha="center",
        va="center",
        color="white" if dark else "black",
        weight="bold" if score == scores.max() else "normal",
    )
ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
ax.set_yticks(range(len(shapes)), [f"{shape:g}" for shape in shapes])
ax.set(xlabel="rate", ylabel="shape", title="mAP in the folds, 16 bits")
below.colorbar(mesh, ax=ax)
plt.show()
