"""
Several labels per item
=======================

A photograph shows a beach and a dog. What is similar then? With labels as a 0/1 matrix,
pairs that share a label are similar, and some are more similar than others. The items
here are strips of three handwritten digits, and their labels the digits in them.
"""

# %%
# Strips of digits
# ----------------
# Three images side by side, in any order. Queries are made from images that are not in
# the database.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
images, query_images, labels, query_labels = train_test_split(
    digits.images,
    digits.target,
    test_size=600,
    stratify=digits.target,
    random_state=0,
)
rng = np.random.default_rng(0)


def make_strips(images, labels, n_strips):
    chosen = rng.integers(len(images), size=(n_strips, 3))
    strips = np.concatenate(list(images[chosen].swapaxes(0, 1)), axis=2)
    Y = np.zeros((n_strips, 10), dtype=int)
    np.put_along_axis(Y, labels[chosen], 1, axis=1)
    return strips, Y


X, Y = make_strips(images, labels, 4000)
X_queries, Y_queries = make_strips(query_images, query_labels, 300)
print(X.shape, Y.shape, "labels per item:", Y.sum(axis=1).mean().round(2))

# %%
# Similar, or how similar
# -----------------------
# By default any shared label makes a pair similar. With ``similarity="jaccard"`` the
# dual hinge loss aims at the share of labels in common, so that codes of strips with
# the same three digits come closest. The nDCG at 50 counts shared labels; the mean
# average precision (mAP) asks only for one.

from skhash import DeepHashEncoder
from skhash.losses import DualHinge
from skhash.metrics import mean_average_precision, ndcg

codes = {}
print("similarity   bits    mAP   nDCG@50")
for similarity in ("binary", "jaccard"):
    encoder = DeepHashEncoder(
        32,
        loss=DualHinge(similarity=similarity),
        network="mlp",
        max_epochs=20,
        random_state=0,
    ).fit(X, Y)
    codes[similarity] = encoder.transform(X_queries), encoder.transform(X)
    labelled = *codes[similarity], Y_queries, Y
    print(
        f"{similarity:12} {encoder.n_bits:4}"
        f" {mean_average_precision(*labelled):6.3f} {ndcg(*labelled, k=50):9.3f}"
    )

# %%
# The picture
# -----------
# Left, some queries and their nearest strips by the codes that learned degrees. Any
# common digit counts as right here, so there is hardly a cross. Right, a harder
# question: what share of the first n strips has all three digits of the query?
# ``relevance`` takes any such rule.

import matplotlib.pyplot as plt

from skhash.plots import PrecisionAtNDisplay, RetrievalGridDisplay


def all_three(Y_some, Y_all):
    return Y_some @ Y_all.T == 3


figure, (left, right) = plt.subplots(
    1, 2, figsize=(10.5, 4), width_ratios=[1.4, 1], layout="constrained"
)
full = np.flatnonzero(Y_queries.sum(axis=1) == 3)
queries, database = codes["jaccard"]
RetrievalGridDisplay.from_codes(
    queries,
    database,
    Y_queries,
    Y,
    query_images=X_queries,
    database_images=X,
    rows=full[:6],
    n_neighbors=4,
    ax=left,
)
for similarity, (queries, database) in codes.items():
    PrecisionAtNDisplay.from_codes(
        queries[full],
        database,
        Y_queries[full],
        Y,
        relevance=all_three,
        name=f"similarity={similarity!r}",
        ax=right,
    )
right.set(title="The same three digits", ylim=(0, 1))
plt.show()
