"""
A pipeline, searched
====================

Scaling, encoding and searching make one estimator of scikit-learn. Grid search then
chooses the number of bits and the margin of the loss, by what counts in the end: how
well held-out images find their like.
"""

# %%
# One estimator
# -------------
# The last step votes among the nearest codes, so the pipeline is a classifier: it
# predicts, and scikit-learn gives it stratified folds. Retrieval scorers see its codes.

from sklearn.datasets import load_digits
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder, HammingNeighborsClassifier
from skhash.metrics import mean_average_precision_scorer

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("encode", DeepHashEncoder(16, max_epochs=6, random_state=0)),
        ("search", HammingNeighborsClassifier(n_neighbors=5)),
    ]
)
folds = StratifiedKFold(3, shuffle=True, random_state=0)

# %%
# Scores of one setting
# ---------------------
# The training folds are the database, and the images of the fold that is left out are
# the queries.

scoring = mean_average_precision_scorer
print("mAP     ", cross_val_score(pipeline, X, y, cv=folds, scoring=scoring).round(3))
print("accuracy", cross_val_score(pipeline, X, y, cv=folds).round(3))

# %%
# Bits and margins
# ----------------
# Two families with a margin. DSH wants dissimilar pairs at least that far apart, as a
# squared distance; the margin of DCWH is half the side of the cube that outputs should
# stay in. A list of grids keeps each family to its own margins. Two scores are
# measured, and the one named in ``refit`` decides. The encoder warns of bits that never
# change, which margins that are far too small bring about; in a search, the low score
# says enough.

import warnings

from sklearn.exceptions import ConvergenceWarning

warnings.simplefilter("ignore", ConvergenceWarning)

lengths = [4, 8, 16, 32]
margins = {"dsh": [4, 8, 16, 32], "dcwh": [0.3, 1.1, 2.0]}
search = GridSearchCV(
    pipeline,
    [
        {
            "encode__loss": [loss],
            "encode__loss__margin": values,
            "encode__n_bits": lengths,
        }
        for loss, values in margins.items()
    ],
    scoring={"mAP": scoring, "accuracy": "accuracy"},
    refit="mAP",
    cv=StratifiedKFold(2, shuffle=True, random_state=0),
).fit(X, y)
for name, value in search.best_params_.items():
    print(f"{name:24} {value}")
best = search.best_estimator_
print(f"mAP of held-out images   {scoring(best, X_queries, y_queries):.3f}")
print(f"accuracy                 {best.score(X_queries, y_queries):.3f}")

# %%
# The picture
# -----------
# A line for each loss and margin; bars are one standard deviation over the folds. For
# DSH the margin decides: with a small one bits go unused, and a large one is never
# reached in so few epochs. The best one grows with the bits. DCWH minds its margin far
# less.

import matplotlib.pyplot as plt

from skhash.plots import SearchResultsDisplay

figure, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
SearchResultsDisplay.from_search(
    search, metric="mAP", score_name="mAP in the folds", ax=ax
)
plt.show()
