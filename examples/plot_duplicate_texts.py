"""
Near-duplicate texts
====================

Texts are copied and then edited: a word is changed, a sentence is cut. Hashes of the
text see two different texts; embeddings see two that are close. Codes find all that are
closer than a radius, and vectors are read only of those that may be.
"""

# %%
# Texts that were copied
# ----------------------
# The paragraphs of scikit-learn's docstrings. Parameters of the same name are described
# alike in many classes, and seldom word for word.

import inspect
import re

import numpy as np
from sklearn.utils.discovery import all_estimators, all_functions

seen = {}
for name, item in [*all_estimators(), *all_functions()]:
    for text in re.split(r"\n\s*\n", inspect.getdoc(item) or ""):
        paragraph = " ".join(text.split())
        if len(paragraph) >= 100 and ">>>" not in text and "---" not in text:
            seen.setdefault(
                paragraph, name
            )  # what is repeated word for word counts once
corpus = np.array(list(seen))
print(f"{len(corpus)} paragraphs, all different")

# %%
# Embeddings
# ----------
# Frequencies of four letters in a row, in 256 dimensions. Any model of text would do in
# their place, and would see more than letters.

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

embed = make_pipeline(
    TfidfVectorizer(
        analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True, min_df=3
    ),
    TruncatedSVD(256, random_state=0),
)
E = embed.fit_transform(corpus).astype(np.float32)

# %%
# How close is a copy?
# --------------------
# To choose a radius, make copies whose originals are known: of 400 paragraphs, one word
# of eight is left out, and one of eight is put elsewhere. The nearest paragraph of each
# copy should be its original; the second nearest says how close others are.

from skhash import EmbeddingNeighbors

rng = np.random.default_rng(0)


def edited(text):
    words = np.array(text.split())
    words = words[rng.random(len(words)) > 1 / 8]
    places = np.arange(len(words)) + rng.integers(-4, 5, len(words)) * (
        rng.random(len(words)) < 1 / 8
    )
    return " ".join(words[np.argsort(places, kind="stable")])


originals = rng.choice(len(corpus), 400, replace=False)
copies = embed.transform([edited(text) for text in corpus[originals]])

neighbors = EmbeddingNeighbors(n_neighbors=2, metric="cosine").fit(E)
distances, indices = neighbors.kneighbors(copies)
found = indices[:, 0] == originals
print(f"nearest is the original: {found.mean():.1%} of {len(copies)} copies")
report = neighbors.explain(copies)
print(
    f"recall {report['recall']:.3f}, vectors read for a copy: "
    f"{report['vectors_read']:.0f} of {len(corpus)}"
)

# %%
# The radius
# ----------
# One that most copies pass.

radius = float(np.quantile(distances[found, 0], 0.95))
print(f"95 % of the copies are within {radius:.3f} of their originals")

# %%
# Groups of near-duplicates
# -------------------------
# All pairs within the radius make a graph, and its connected components are groups.

from scipy.sparse.csgraph import connected_components

graph = neighbors.radius_neighbors_graph(radius=radius)
n_groups, group = connected_components(graph, directed=False)
sizes = np.bincount(group)
print(
    f"{(sizes > 1).sum()} groups hold {sizes[sizes > 1].sum()} paragraphs of "
    f"{len(corpus)}"
)
pairs = np.flatnonzero(sizes == 2)
middle = np.flatnonzero(group == pairs[len(pairs) // 2])
for text in corpus[middle]:
    print("-", text)

# %%
# The picture
# -----------
# Left, distances of copies to their originals and to the next paragraph, and the radius
# between them. Right, the sizes of the groups.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
bins = np.linspace(0, 0.7, 43)
left.hist(distances[found, 0], bins, alpha=0.7, label="to the original")
left.hist(distances[found, 1], bins, alpha=0.7, label="to the next paragraph")
left.axvline(radius, color="black", ls="--", lw=1)
left.text(radius + 0.01, left.get_ylim()[1] * 0.9, "radius")
left.set(xlabel="cosine distance of an edited copy", ylabel="copies")
left.legend(loc="center right")
counts = np.bincount(sizes)[2:]
right.bar(np.arange(2, len(counts) + 2), counts)
right.set(xlabel="paragraphs in a group", ylabel="groups", yscale="log")
plt.show()
