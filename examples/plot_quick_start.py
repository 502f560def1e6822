"""
Quick start: codes of 16 bits for handwritten digits
====================================================

A 64-pixel image becomes a code of two bytes, so that images of the same digit have
almost equal codes. Held-out images then find their like among 1497 others by
comparing bytes, and we measure how well. Codes from random hyperplanes, which learn
nothing, show what the training is worth.
"""

# %%
# Data
# ----
# 300 images, the same share of each digit, are set aside as queries. The others are
# both the training data and the database that is searched.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X_database, X_queries, y_database, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)

# %%
# Two ways to make codes
# ----------------------
# ``DeepHashEncoder`` learns from the labels; fifteen epochs take seconds here, and the
# default, which takes more of so few images, gains little. A random hyperplane gives a
# bit without learning: on which side of it the image lies, once the pixels are
# standardised.

from time import perf_counter

import numpy as np
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder, HammingNeighbors
from skhash.hamming import pack
from skhash.metrics import mean_average_precision, precision_at_radius


def learned_codes(n_bits):
    encoder = DeepHashEncoder(n_bits, max_epochs=15, random_state=0)
    encoder.fit(X_database, y_database)
    return encoder.transform(X_queries), encoder.transform(X_database)


def hyperplane_codes(n_bits):
    scaler = StandardScaler().fit(X_database)
    normals = np.random.default_rng(0).normal(size=(X.shape[1], n_bits))
    return (
        pack(scaler.transform(X_queries) @ normals > 0),
        pack(scaler.transform(X_database) @ normals > 0),
    )


# %%
# Retrieval, measured
# -------------------
# The mean average precision (mAP) judges the order in which a query finds the whole
# database; equal distances count as the mean over all their orders. "P(r<=2)" is the
# share of right images among those at most two bits away. The time of training includes
# that of encoding all images; the time of searching is for all queries together.

ways = [("DeepHashEncoder", learned_codes), ("random hyperplanes", hyperplane_codes)]
found = {}
print(
    f"{len(X_queries)} held-out digits look for their like among {len(X_database)}:\n"
)
print("codes               bits    mAP   P(r<=2)   training    search")
for n_bits in (16, 32):
    for name, make_codes in ways:
        start = perf_counter()
        queries, database = make_codes(n_bits)
        training = perf_counter() - start

        neighbors = HammingNeighbors(n_neighbors=6).fit(database, y_database)
        neighbors.kneighbors(queries)  # the first call compiles the kernel
        start = perf_counter()
        neighbors.kneighbors(queries)
        search = perf_counter() - start

        labelled = queries, database, y_queries, y_database
        score = mean_average_precision(*labelled)
        precision = precision_at_radius(*labelled, radius=2)
        found[name, n_bits] = labelled
        print(
            f"{name:18} {n_bits:5} {score:6.3f} {precision:9.3f} "
            f"{training:8.2f} s {1000 * search:6.2f} ms"
        )

# %%
# The picture
# -----------
# The first held-out image of each digit and its six nearest, by learned and by random
# codes of 16 bits; a dashed frame with a cross says wrong. The curves are those of all
# queries, one point for each number of images that are taken from the top.

import matplotlib.pyplot as plt

from skhash.plots import PrecisionRecallDisplay, RetrievalGridDisplay

_, first_of_digit = np.unique(y_queries, return_index=True)
figure = plt.figure(figsize=(12, 5.6), layout="constrained")
axes = figure.subplots(1, 3, width_ratios=[1, 1, 1.15])
for ax, (name, _) in zip(axes, ways, strict=False):
    RetrievalGridDisplay.from_codes(
        *found[name, 16],
        query_images=X_queries,
        database_images=X_database,
        image_shape=(8, 8),
        rows=first_of_digit,
        n_neighbors=6,
        show_distance=False,
        ax=ax,
    )
    ax.set_title(f"{name}, 16 bits", pad=22)
for (name, n_bits), labelled in found.items():
    PrecisionRecallDisplay.from_codes(
        *labelled,
        name=f"{name}, {n_bits} bits",
        color="#0072B2" if name == "DeepHashEncoder" else "#D55E00",
        linestyle="-" if n_bits == 16 else "--",
        ax=axes[2],
    )
axes[2].legend(loc="upper right", bbox_to_anchor=(0.97, 0.9), fontsize=9)
plt.show()

# %%
# Given a file name, as ``make demo`` does, the script also keeps the picture.

import sys
from pathlib import Path

if len(sys.argv) > 1:
    picture = Path(sys.argv[1]).resolve()
    figure.savefig(picture, dpi=120)
    print(f"\nNearest images and precision-recall curves: {picture}")
