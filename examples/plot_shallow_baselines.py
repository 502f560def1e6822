"""
Codes without a network
=======================

A projection and signs make codes in a fraction of a second, most of them without any
label. They are what a network has to beat. Which of them is best depends on what is
asked of the codes: items of the same class, or the nearest vectors.
"""

# %%
# Two questions
# -------------
# The mean average precision asks for digits of the same class. The recall of neighbours
# asks how many of the ten nearest images, by Euclidean distance between pixels, are
# among the ten nearest codes; it looks at no label.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)

# %%
# All methods
# -----------
# Two have labels: ITQ after a canonical correlation analysis, and a small network.
# The others see images alone. ``RandomHyperplanes`` do not even look at these, and go
# through the origin, far from the middle of images that are nowhere negative;
# ``RotatedSigns`` centre them first. ``SignThreshold`` makes one bit of each pixel.

from skhash import DeepHashEncoder, baselines
from skhash.metrics import mean_average_precision, neighbor_recall

lengths = [8, 16, 32, 48]
methods = {
    "RandomHyperplanes": lambda b: baselines.RandomHyperplanes(b, random_state=0),
    "RotatedSigns": lambda b: baselines.RotatedSigns(b, random_state=0),
    "PCAHashing": baselines.PCAHashing,
    "SpectralHashing": baselines.SpectralHashing,
    "ITQ": lambda b: baselines.ITQ(b, random_state=0),
    "ITQCCA, labels": lambda b: baselines.ITQCCA(b, random_state=0),
    "DeepHashEncoder, labels": lambda b: DeepHashEncoder(
        b, max_epochs=15, random_state=0
    ),
}


def measure(encoder):
    """Mean average precision, and recall of the ten nearest vectors."""
    database = encoder.fit(X, y).transform(X)
    codes = encoder.transform(X_queries), database
    return (
        mean_average_precision(*codes, y_queries, y),
        neighbor_recall(*codes, X_queries, X, k=10, metric="euclidean"),
    )


scores = {}
print("method                    bits    mAP  recall@10")
for name, make in methods.items():
    scores[name] = [measure(make(n_bits)) for n_bits in lengths]
    for n_bits, (precision, recall) in zip(lengths, scores[name], strict=True):
        print(f"{name:24} {n_bits:5} {precision:6.3f}  {recall:9.3f}")
pixels = measure(baselines.SignThreshold(threshold="mean"))
print(f"{'SignThreshold':24} {X.shape[1]:5} {pixels[0]:6.3f}  {pixels[1]:9.3f}")

# %%
# The picture
# -----------
# With labels, codes find nearly all of a class, and forget which of its items are near:
# the network most of all, as it was asked for nothing else. Without labels they keep
# more of the neighbours with every bit. ITQ turns the principal components so that each
# bit tells equally much, and is the best of these at both questions from 16 bits on.
# Unturned, the later components tell little but count as much, and classes are found
# the worse the more of them there are. A random rotation comes next, and needs no
# training but a mean.

import matplotlib.pyplot as plt

from skhash.plots import LengthCurveDisplay

figure, axes = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
for place, (ax, title) in enumerate(
    zip(axes, ("mean average precision", "recall of the 10 nearest"), strict=True)
):
    for name, found in scores.items():
        values = [each[place] for each in found]
        LengthCurveDisplay(lengths, values, name=name).plot(ax)
    ax.plot(X.shape[1], pixels[place], "k*", label="SignThreshold, a bit a pixel")
    ax.set(title=title, ylabel=None, ylim=(0, 1))
    ax.get_legend().remove()
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
plt.show()
