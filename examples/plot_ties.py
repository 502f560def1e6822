"""
Ties, and why mAP is not one number
===================================

Codes of K bits have K + 1 distances. In a database of thousands, most items are equally
far from a query as many others, and any order of these ties is a correct ranking. The
mean average precision (mAP) differs between them, so a score needs a rule for ties
before it can be compared with another.
"""

# %%
# Codes, learned and random
# -------------------------
# Digits again: 300 held-out images look for their like among the others. The first bits
# of learned codes are as good as any, so cutting them gives codes of all lengths.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skhash import DeepHashEncoder

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)

encoder = DeepHashEncoder(64, output="bits", max_epochs=15, random_state=0).fit(X, y)
scaler = StandardScaler().fit(X)
normals = np.random.default_rng(0).normal(size=(X.shape[1], 64))
codes = {
    "learned": (encoder.transform(X_queries), encoder.transform(X)),
    "random hyperplanes": (
        scaler.transform(X_queries) @ normals > 0,
        scaler.transform(X) @ normals > 0,
    ),
}

# %%
# Four rules for one ranking
# --------------------------
# ``"expected"``, the rule of skhash, is the mean over all orders of the ties, computed
# in closed form. ``"optimistic"`` and ``"pessimistic"`` put the right items of a tie
# first or last: no order can leave this range. ``"index"`` takes the items of a tie as
# they lie in the database, which is what sorting the distances does.

from skhash.metrics import mean_average_precision

rules = ["pessimistic", "expected", "optimistic"]
lengths = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64]
scores = {}
for name, (queries, database) in codes.items():
    print(f"{name:20}" + "".join(f"{rule:>13}" for rule in rules))
    scores[name] = np.array(
        [
            [
                mean_average_precision(
                    queries[:, :length],
                    database[:, :length],
                    y_queries,
                    y,
                    ties=rule,
                )
                for rule in rules
            ]
            for length in lengths
        ]
    )
    for length, row in zip(lengths, scores[name], strict=True):
        print(f"{length:15} bits" + "".join(f"{score:13.3f}" for score in row))

# %%
# The order of the database decides
# ---------------------------------
# The same 8 random bits, the same images, another order of the files: this is all that
# differs between the scores below. A database that is sorted by class, as folders of
# images are, has a score of its own.

queries, database = (part[:, :8] for part in codes["random hyperplanes"])


def score_by_index(order):
    return mean_average_precision(
        queries, database[order], y_queries, y[order], ties="index"
    )


rng = np.random.default_rng(0)
shuffled = [score_by_index(rng.permutation(len(y))) for _ in range(40)]
by_class = score_by_index(np.argsort(y, kind="stable"))
print(f"40 random orders: {min(shuffled):.4f} to {max(shuffled):.4f}")
print(f"sorted by class:  {by_class:.4f}")

# %%
# One query explains it
# ---------------------
# ``histograms`` counts the items, and the right ones, at each distance. A bar is a tie:
# all its items share one rank or another. Short codes make tall bars; the wider the
# mixed bars near distance 0, the wider the range of scores.

import matplotlib.pyplot as plt

from skhash.hamming import histograms

blue, orange, grey = "#0072B2", "#D55E00", "#bbbbbb"
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")

one = slice(4, 5)
n_total, n_relevant = histograms(queries[one], database, y_queries[one], y)
distance = np.arange(n_total.shape[1])
left.bar(distance, n_total[0], color=grey, label="other digits")
left.bar(distance, n_relevant[0], color=blue, label=f"the digit {y_queries[4]}")
left.set(
    xlabel="Hamming distance from the query",
    ylabel="items at this distance",
    title="One query, 8 random bits: nine distances for 1497 items",
)
left.legend()

for (name, values), colour in zip(scores.items(), (blue, orange), strict=True):
    worst, expected, best = values.T
    right.fill_between(lengths, worst, best, color=colour, alpha=0.25, lw=0)
    right.plot(lengths, expected, "o-", color=colour, ms=4, label=f"{name}, expected")
right.plot(
    [8] * len(shuffled), shuffled, "_", color="black", ms=9, label="40 orders of files"
)
right.plot(8, by_class, "kx", ms=7, label="sorted by class")
right.set_xscale("log", base=2)
right.set_xticks([2, 4, 8, 16, 32, 64], [2, 4, 8, 16, 32, 64])
right.set(xlabel="bits", ylabel="mAP", title="From the worst order of ties to the best")
right.set_ylim(0, 1.02)
right.legend(loc="lower right", fontsize=8)
plt.show()

# %%
# With few bits the bands are wider than what one method gains over another, and they
# close only where codes are long. Nothing is wrong with short codes; but their scores
# can be compared only under the same rule, and the expected one favours nobody.
