"""
Binarise text embeddings
========================

Text models give each passage a vector of floats. Codes learned from a few labels make
them many times smaller, and may well retrieve better than the vectors themselves.
"""

# %%
# A small corpus
# --------------
# The paragraphs of scikit-learn's own docstrings. The label of a paragraph is the
# module that it comes from, and paragraphs of one estimator are never both in the
# database and among the queries.

import inspect
import re

import numpy as np
from sklearn.utils.discovery import all_estimators, all_functions

MODULES = [
    *("cluster", "datasets", "decomposition", "ensemble", "feature_selection"),
    *("linear_model", "manifold", "metrics", "model_selection", "preprocessing"),
]
module_of, owner_of = {}, {}
for name, item in [*all_estimators(), *all_functions()]:
    module = item.__module__.split(".")[1]
    for text in re.split(r"\n\s*\n", inspect.getdoc(item) or ""):
        words = re.findall(r"[a-z]{3,}", text.lower())
        if module in MODULES and len(words) >= 12 and ">>>" not in text:
            paragraph = " ".join(words)
            module_of.setdefault(paragraph, module)  # what is repeated counts once
            owner_of.setdefault(paragraph, name)
corpus = np.array(list(module_of))
y, owners = np.array(list(module_of.values())), np.array(list(owner_of.values()))

from sklearn.model_selection import GroupShuffleSplit

split = GroupShuffleSplit(1, test_size=0.2, random_state=0)
database, queries = next(split.split(corpus, y, groups=owners))
print(f"{len(database)} paragraphs, {len(queries)} queries, {len(set(y))} modules")

# %%
# Embeddings
# ----------
# Word frequencies, reduced to 128 dimensions. Any model of text would do in its place.

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

embed = make_pipeline(
    TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english"),
    TruncatedSVD(128, random_state=0),
    Normalizer(),
)
X = embed.fit_transform(corpus[database]).astype(np.float32)
X_queries = embed.transform(corpus[queries]).astype(np.float32)
y, y_queries = y[database], y[queries]

# %%
# Bits, in three ways
# -------------------
# The vectors themselves, ranked by cosine, are the reference. The sign of each of their
# first dimensions and random hyperplanes make bits without any label;
# ``DeepHashEncoder`` learns them. A small network with strong dropout suits a few
# thousand short texts.

from functools import partial

from sklearn.metrics import average_precision_score

from skhash import DeepHashEncoder
from skhash.hamming import pack
from skhash.metrics import mean_average_precision
from skhash.networks import mlp

cosines = X_queries @ X.T
floats = np.mean(
    [
        average_precision_score(y == label, row)
        for label, row in zip(y_queries, cosines, strict=True)
    ]
)
normals = np.random.default_rng(0).normal(size=(128, 128))
centre = X.mean(axis=0)


def signs(n_bits):
    return [pack(part[:, :n_bits] > centre[:n_bits]) for part in (X_queries, X)]


def hyperplanes(n_bits):
    planes = normals[:, :n_bits]
    return [pack((part - centre) @ planes > 0) for part in (X_queries, X)]


def learned(n_bits):
    encoder = DeepHashEncoder(
        n_bits,
        network=partial(mlp, hidden=(128,), dropout=0.5),
        max_epochs=15,
        random_state=0,
    ).fit(X, y)
    return [encoder.transform(part) for part in (X_queries, X)]


ways = {"learned": learned, "signs": signs, "random hyperplanes": hyperplanes}
lengths = [8, 16, 32, 64, 128]
scores, codes = {}, {}
print(f"floats, {4 * X.shape[1]} bytes: mAP {floats:.3f}")
for name, make_codes in ways.items():
    for n_bits in lengths:
        codes[name, n_bits] = make_codes(n_bits)
        score = mean_average_precision(*codes[name, n_bits], y_queries, y)
        scores.setdefault(name, []).append(score)
        print(f"{name:18} {n_bits // 8:3} bytes: mAP {score:.3f}")

# %%
# The picture
# -----------
# Left, scores over the number of bits. The dashed line is what the floats
# reach; the labels are worth more than the floats that they replace. Middle and right,
# the queries' codes of 32 bits on a map: those that are near differ in few bits.

import matplotlib.pyplot as plt

from skhash.plots import CodeMapDisplay, LengthCurveDisplay

figure, axes = plt.subplots(
    1, 3, figsize=(14, 4.6), width_ratios=[1.1, 1, 1], layout="constrained"
)
for name, values in scores.items():
    LengthCurveDisplay(lengths, values, name=name).plot(axes[0])
axes[0].axhline(floats, color="black", ls="--", lw=1)
axes[0].text(8, floats + 0.01, f"floats, {4 * X.shape[1]} bytes", fontsize=9)
axes[0].legend(loc="center right")
axes[0].set_ylim(0, None)
for ax, name in zip(axes[1:], ("random hyperplanes", "learned"), strict=True):
    CodeMapDisplay.from_codes(
        codes[name, 32][0], y_queries, n_bits=32, n_samples=300, ax=ax
    )
    ax.set_title(f"{name}, 32 bits")
axes[1].get_legend().remove()
plt.show()
