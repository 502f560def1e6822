"""
One encoder, every length
=========================

Cutting a code after its first bits gives a shorter code. One encoder of 48 bits is
therefore one of every length below as well, and shows how many bits are needed before
another training. Which bits come first matters: ``order_bits`` brings the most useful
ones to the front.
"""

# %%
# Scores of all prefixes
# ----------------------
# ``score_by_length`` scores the first bits of codes; nothing is trained again.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision, order_bits, score_by_length

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
N_BITS = 48
encoder = DeepHashEncoder(N_BITS, output="bits", max_epochs=20, random_state=0)
database = encoder.fit(X, y).transform(X)
queries = encoder.transform(X_queries)
labels = y_queries, y

lengths = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48]
_, as_learned = score_by_length(queries, database, *labels, lengths=lengths)

# %%
# The most useful bits first
# --------------------------
# The order is found on the training images alone: each next bit is the one with which
# the bits so far retrieve best. Over all bits nothing changes, as distances do not
# depend on the order.

order = order_bits(database, y, n_samples=200, random_state=0)
_, reordered = score_by_length(
    queries[:, order], database[:, order], *labels, lengths=lengths
)

# %%
# Against chance, and against training
# ------------------------------------
# Random orders show how much luck there is in the learned one. Encoders that were
# trained for a short length know that their bits are few, and share the work among
# them.

rng = np.random.default_rng(0)
random = []
for _ in range(20):
    shuffled = rng.permutation(N_BITS)
    random.append(
        score_by_length(
            queries[:, shuffled], database[:, shuffled], *labels, lengths=lengths
        )[1]
    )
low, high = np.min(random, axis=0), np.max(random, axis=0)

trained = {}
for n_bits in (4, 6, 8, 12, 16, 24):
    short = DeepHashEncoder(n_bits, max_epochs=20, random_state=0).fit(X, y)
    trained[n_bits] = mean_average_precision(
        short.transform(X_queries), short.transform(X), *labels
    )

print("bits   as learned   reordered   trained for it")
for n_bits, first, second in zip(lengths, as_learned, reordered, strict=True):
    own = f"{trained[n_bits]:12.3f}" if n_bits in trained else ""
    print(f"{n_bits:4} {first:12.3f} {second:11.3f} {own}")

# %%
# The picture
# -----------
# The shaded band spans 20 random orders. Reordering brings short prefixes close to its
# upper edge; the crosses, trained for their length, show what is left to gain. Where
# all meet, cutting costs nothing.

import matplotlib.pyplot as plt

from skhash.plots import LengthCurveDisplay

figure, ax = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
ax.fill_between(lengths, low, high, color="0.85", label="20 random orders")
for name, scores in [
    ("reordered by order_bits", reordered),
    ("first bits as learned", as_learned),
]:
    LengthCurveDisplay.from_scores(lengths, scores, name=name, ax=ax)
ax.plot(trained.keys(), trained.values(), "kX", ms=8, label="trained for this length")
ax.set_title(f"One encoder of {N_BITS} bits, cut")
ax.legend(loc="lower right")
plt.show()
