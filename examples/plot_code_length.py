"""
Short codes against long codes
==============================

More bits tell more, and cost more memory and time. A score over the whole ranking grows
with the bits and levels off soon; a search within a small radius even gets worse, since
long codes leave the ball around a query empty. This example measures all of it.
"""

# %%
# One encoder for each length
# ---------------------------
# Digits, of which 300 are held out as queries. The mean average precision (mAP) judges
# the whole ranking, ``precision_at_radius`` and ``recall_at_radius`` what lies at most
# two bits away. Queries that find nothing there have precision 0.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash import DeepHashEncoder
from skhash.metrics import (
    mean_average_precision,
    precision_at_radius,
    recall_at_radius,
)

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
lengths = [4, 8, 16, 32, 64, 128]
codes = {}
measures = {"mAP": [], "precision": [], "recall": []}
print("bits    mAP   P(r<=2)  R(r<=2)")
for n_bits in lengths:
    encoder = DeepHashEncoder(n_bits, max_epochs=15, random_state=0).fit(X, y)
    codes[n_bits] = encoder.transform(X_queries), encoder.transform(X)
    labelled = *codes[n_bits], y_queries, y
    measures["mAP"].append(mean_average_precision(*labelled))
    measures["precision"].append(precision_at_radius(*labelled, radius=2))
    measures["recall"].append(recall_at_radius(*labelled, radius=2))
    row = [values[-1] for values in measures.values()]
    print(f"{n_bits:4} {row[0]:6.3f} {row[1]:9.3f} {row[2]:8.3f}")

# %%
# What the bits cost
# ------------------
# Half a million random codes, compared with every query one by one
# (``algorithm="brute"``) by one thread, for lengths of whole machine words. Learned
# codes are searched faster, because many of them are equal: the default "auto" then
# compares each distinct code once.

from time import perf_counter

import numpy as np

from skhash import HammingNeighbors

N_CODES, N_QUERIES = 500_000, 50
rng = np.random.default_rng(0)
words = [32, 64, 128, 256]
milliseconds, megabytes = [], []
for n_bits in words:
    made = rng.integers(256, size=(N_CODES, n_bits // 8), dtype=np.uint8)
    neighbors = HammingNeighbors(n_neighbors=10, algorithm="brute", n_jobs=1).fit(made)
    neighbors.kneighbors(made[:1])  # the first call compiles
    times = []
    for _ in range(5):
        start = perf_counter()
        neighbors.kneighbors(made[:N_QUERIES])
        times.append(perf_counter() - start)
    milliseconds.append(1000 * min(times) / N_QUERIES)
    megabytes.append(neighbors.info()["codes_bytes"] / 1e6)
    print(f"{n_bits:4} bits: {megabytes[-1]:4} MB, {milliseconds[-1]:.2f} ms a query")

# %%
# The picture
# -----------
# The ranking is nearly perfect from 8 bits on. Within two bits, short codes find too
# much and long codes too little: a radius suits one length only. Memory and time grow
# with the bits. Below, the codes of 32 bits: most bits are set for about half of the
# items, and dark cells off the diagonal are bits that repeat others or their opposites.
# Ten classes do not need more.

import matplotlib.pyplot as plt

from skhash.plots import BitHealthDisplay, LengthCurveDisplay

figure = plt.figure(figsize=(11, 7.4), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1, 1.1])
axes = above.subplots(1, 3, width_ratios=[1.5, 1, 1])
names = {"mAP": "mAP", "precision": "precision, r ≤ 2", "recall": "recall, r ≤ 2"}
for measure, values in measures.items():
    LengthCurveDisplay.from_scores(
        lengths, values, name=names[measure], score_name="score", ax=axes[0]
    )
axes[0].set_ylim(0, 1.05)
places = np.arange(len(words))
for ax, values, label in [
    (axes[1], megabytes, "megabytes"),
    (axes[2], milliseconds, "milliseconds a query, one thread"),
]:
    ax.bar(places, values, color="#56B4E9", edgecolor="#0072B2")
    ax.set_xticks(places, words)
    ax.set(xlabel="length of the codes (bits)", ylabel=label)
    ax.set_title("500 000 codes", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
BitHealthDisplay.from_codes(codes[32][1], ax=list(below.subplots(1, 2)))
plt.show()
