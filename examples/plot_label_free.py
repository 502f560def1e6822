"""
Codes without labels
====================

Vectors without labels become codes whose neighbours are those of the vectors: a network
learns to keep them. Here it is compared with the signs of random directions and with
iterative quantisation, which need no network.
"""

# %%
# Vectors
# -------
# Digits stand for the vectors of a large model. Their labels are not used.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, _ = load_digits(return_X_y=True)
X, X_queries = train_test_split(X, test_size=400, random_state=0)

# %%
# Three ways to codes
# -------------------
# With ``loss="neighbor_distillation"`` the encoder is an unsupervised transformer: it
# ignores y, and has no ``predict``. Training starts at iterative quantisation.
# ``max_epochs`` keeps this example short; by default it trains longer.

from skhash import DeepHashEncoder
from skhash.baselines import ITQ, RandomHyperplanes


def learned(n_bits):
    return DeepHashEncoder(
        n_bits, loss="neighbor_distillation", max_epochs=40, random_state=0, n_jobs=1
    )


ways = {
    "random hyperplanes": lambda n_bits: RandomHyperplanes(n_bits, random_state=0),
    "ITQ": lambda n_bits: ITQ(n_bits, random_state=0),
    "learned without labels": learned,
}

# %%
# How many neighbours are kept
# ----------------------------
# The ten nearest vectors of a query are the truth, and the recall is the share of them
# among its ten nearest codes. Codes at the same distance are averaged over.

from skhash.metrics import neighbor_recall

lengths = [24, 32, 48]
recalls, fitted = {}, {}
for name, make in ways.items():
    for n_bits in lengths:
        encoder = fitted[name, n_bits] = make(n_bits).fit(X)
        codes = encoder.transform(X_queries), encoder.transform(X)
        recall = neighbor_recall(*codes, X_queries, X, k=10)
        recalls.setdefault(name, []).append(recall)
        print(f"{name:24} {n_bits:3} bits: recall@10 {recall:.3f}")

# %%
# Re-rank a few
# -------------
# Codes name candidates, and their vectors, which may stay on disk, put these in order.
# How many true neighbours are among the nearest 10, 20, ... codes?

import numpy as np

from skhash import HammingNeighbors
from skhash.vectors import nearest_vectors

truth = np.concatenate([*nearest_vectors(X_queries, X, 10)])
depths = [10, 20, 50, 100, 200]
found = {}
for name in ways:
    encoder = fitted[name, 32]
    database = HammingNeighbors().fit(encoder.transform(X))
    nearest = database.kneighbors(
        encoder.transform(X_queries), max(depths), return_distance=False
    )
    found[name] = [
        np.mean(
            [
                np.isin(true, row[:depth]).mean()
                for true, row in zip(truth, nearest, strict=True)
            ]
        )
        for depth in depths
    ]

# %%
# The picture
# -----------

import matplotlib.pyplot as plt

from skhash.plots import LengthCurveDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for name, values in recalls.items():
    LengthCurveDisplay(lengths, values, name=name).plot(left)
left.set_ylabel("recall@10")
left.set_ylim(0, 1)
for (name, values), line in zip(found.items(), left.get_lines(), strict=False):
    right.plot(depths, values, marker="o", label=name, color=line.get_color())
right.set_xscale("log")
right.set_xlabel("candidates re-ranked, 32 bits")
right.set_ylabel("recall of the ten nearest")
right.legend()
plt.show()
