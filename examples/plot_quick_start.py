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
# ``DeepHashEncoder`` learns from the labels. A random hyperplane gives a bit without
# learning: on which side of it the image lies, once the pixels are standardised.

from time import perf_counter

import numpy as np
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder, HammingNeighbors
from skhash.hamming import histograms, pack
from skhash.metrics import mean_average_precision, precision_at_radius


def learned_codes(n_bits):
    encoder = DeepHashEncoder(n_bits, random_state=0).fit(X_database, y_database)
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
        distances, nearest = neighbors.kneighbors(queries)
        search = perf_counter() - start

        labelled = queries, database, y_queries, y_database
        score = mean_average_precision(*labelled)
        precision = precision_at_radius(*labelled, radius=2)
        found[name, n_bits] = labelled, nearest, score
        print(
            f"{name:18} {n_bits:5} {score:6.3f} {precision:9.3f} "
            f"{training:8.2f} s {1000 * search:6.2f} ms"
        )

# %%
# Nearest images
# --------------
# Each query stands in front of the images with the nearest codes. A green frame says
# right; a red one with a cross, wrong.

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle


def draw_images(ax, images, title):
    """Draw 8 x 8 images, given as (rows, columns, 64), with a margin around each."""
    tiles = np.pad(
        images.reshape(*images.shape[:2], 8, 8), [(0, 0), (0, 0), (2, 2), (2, 2)]
    )
    rows, columns = tiles.shape[:2]
    ax.imshow(tiles.swapaxes(1, 2).reshape(12 * rows, 12 * columns), cmap="gray_r")
    ax.set_title(title, fontsize=10)
    ax.set_axis_off()


def draw_frames(ax, is_right):
    for (row, column), right_one in np.ndenumerate(is_right):
        corner = 12 * column + 0.5, 12 * row + 0.5
        colour = "#1a9850" if right_one else "#d73027"
        ax.add_patch(Rectangle(corner, 10, 10, fill=False, edgecolor=colour, lw=1.6))
        if not right_one:
            ax.plot(corner[0] + 8.6, corner[1] + 1.4, "x", color=colour, ms=5, mew=1.6)


# %%
# Precision and recall
# --------------------
# ``histograms`` counts, for every query, the images and the right images at each
# distance. Added up to a radius, they give the precision and recall of that radius,
# here of all queries together.


def draw_curve(ax, labelled, **style):
    n_total, n_relevant = (
        counts.sum(axis=0).cumsum() for counts in histograms(*labelled)
    )
    reached = n_total > 0
    precision = n_relevant[reached] / n_total[reached]
    ax.plot(n_relevant[reached] / n_relevant[-1], precision, markersize=4, **style)


# %%
# The picture
# -----------
# The first held-out image of each digit, its six nearest by learned and by random codes
# of 16 bits, and the curves of all queries.

_, first_of_digit = np.unique(y_queries, return_index=True)
figure = plt.figure(figsize=(12, 6.6), layout="constrained")
figure.get_layout_engine().set(h_pad=0.1)
left, right = figure.subfigures(1, 2, width_ratios=[1.9, 1])
panels = left.subplots(1, 3, width_ratios=[1, 6, 6])

draw_images(panels[0], X_queries[first_of_digit][:, np.newaxis], "query")
for ax, (name, _) in zip(panels[1:], ways, strict=True):
    _, nearest, score = found[name, 16]
    shown = nearest[first_of_digit]
    draw_images(ax, X_database[shown], f"{name}\n16 bits, mAP {score:.2f}")
    draw_frames(ax, y_database[shown] == y_queries[first_of_digit, np.newaxis])

ax = right.subplots()
for (name, n_bits), (labelled, *_) in found.items():
    learned = name == "DeepHashEncoder"
    draw_curve(
        ax,
        labelled,
        marker="o" if learned else "s",
        color="#2166ac" if learned else "#b2601a",
        linestyle="-" if n_bits == 16 else "--",
        label=f"{name}, {n_bits} bits",
    )
ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
ax.set_title("one point per radius", fontsize=10)
ax.grid(alpha=0.3)
ax.legend(loc="upper right", bbox_to_anchor=(0.95, 0.85), fontsize=9)
plt.show()

# %%
# Given a file name, as ``make demo`` does, the script also keeps the picture.

import sys
from pathlib import Path

if len(sys.argv) > 1:
    picture = Path(sys.argv[1]).resolve()
    figure.savefig(picture, dpi=120)
    print(f"\nNearest images and precision-recall curves: {picture}")
