"""
Near-duplicates: pairs of codes that are almost equal
=====================================================

The same picture comes back shifted, brighter, or noisy. No label says which are
duplicates; but we can make copies ourselves, and learn codes that change little with
them. ``HammingNeighbors.pairs`` then lists all pairs of a collection that are a few
bits apart.
"""

# %%
# Tiles of two photographs
# ------------------------
# Grey tiles of 24 by 24 pixels from the photographs that come with scikit-learn,
# without plain sky. Codes are learned on tiles of the first photograph, and searched
# among tiles of the second.

import numpy as np
from sklearn.datasets import load_sample_image

SIZE = 24
rng = np.random.default_rng(0)


def cut_tiles(photograph, step):
    """Tiles with a margin of one pixel, so that a copy can be shifted."""
    side = SIZE + 2
    grey = load_sample_image(photograph).mean(axis=2)
    tiles = np.lib.stride_tricks.sliding_window_view(grey, (side, side))
    tiles = tiles[::step, ::step].reshape(-1, side, side)
    return tiles[tiles.std(axis=(1, 2)) > 12]


def altered(tiles):
    """Copies as they come back: shifted, brighter or darker, and noisy."""
    moved = [
        tile[row : row + SIZE, column : column + SIZE]
        for tile, (row, column) in zip(
            tiles, rng.integers(3, size=(len(tiles), 2)), strict=True
        )
    ]
    gain = rng.uniform(0.75, 1.25, (len(tiles), 1, 1))
    noise = rng.normal(0, 10, (len(tiles), SIZE, SIZE))
    return np.clip(moved * gain + noise, 0, 255)


tiles = cut_tiles("china.jpg", step=12)
others = cut_tiles("flower.jpg", step=20)
print(f"{len(tiles)} tiles to learn from, {len(others)} others to search")

# %%
# Every tile a class of its own
# -----------------------------
# Its class is the tile and five altered copies. Shuffled batches would hold hardly a
# pair of the same class; the encoder sees that, and puts four items of each class that
# it draws into a batch. Half the resolution is enough.

from skhash import DeepHashEncoder, HammingNeighbors


def halved(tiles):
    size = SIZE // 2
    return tiles.reshape(-1, size, 2, size, 2).mean(axis=(2, 4))


N_BITS = 64
X = halved(np.concatenate([tiles[:, 1:-1, 1:-1], *(altered(tiles) for _ in range(5))]))
y = np.tile(np.arange(len(tiles)), 6)
encoder = DeepHashEncoder(
    N_BITS, loss="hashnet", network="linear", max_epochs=10, random_state=0
).fit(X, y)

# %%
# A collection with hidden copies
# -------------------------------
# 60 tiles of the second photograph come twice, once altered. ``pairs`` finds all pairs
# within a radius, each once, a batch at a time. Random hyperplanes, on tiles of equal
# brightness, serve as a comparison.

from skhash.hamming import pack

n_copies = 60
copied = rng.choice(len(others), n_copies, replace=False)
collection = np.concatenate([others[:, 1:-1, 1:-1], altered(others[copied])])
number = np.concatenate([np.arange(len(others)), copied])

pixels = halved(collection).reshape(len(collection), -1)
pixels -= pixels.mean(axis=1, keepdims=True)
normals = rng.normal(size=(pixels.shape[1], N_BITS))
ways = {
    "learned codes": encoder.transform(halved(collection)),
    "random hyperplanes": pack(pixels @ normals > 0),
}
radii = np.arange(25)
precision, recall, found = {}, {}, {}
for name, codes in ways.items():
    neighbors = HammingNeighbors(radius=radii[-1]).fit(codes)
    left, right, distance = map(np.concatenate, zip(*neighbors.pairs(), strict=True))
    is_copy = number[left] == number[right]
    n_pairs = np.array([(distance <= radius).sum() for radius in radii])
    n_right = np.array([is_copy[distance <= radius].sum() for radius in radii])
    precision[name] = n_right / np.maximum(n_pairs, 1)
    recall[name] = n_right / n_copies
    best = (2 * n_right / (n_pairs + n_copies)).argmax()
    found[name] = left, right, distance, is_copy, best
    print(
        f"{name:20} within {radii[best]:2} bits: {n_pairs[best]:3} pairs,"
        f" {n_right[best]} of the {n_copies} copies among them"
    )

# %%
# The picture
# -----------
# Left, pairs of learned codes from the nearest on; a cross marks two different places
# of the photograph. Right, all radii at once: a small radius finds few copies, a large
# one finds more pairs than copies. The ring is the radius printed above.

import matplotlib.pyplot as plt

figure = plt.figure(figsize=(11, 5), layout="constrained")
left_half, right_half = figure.subfigures(1, 2, width_ratios=[1.1, 1])
left, right, distance, is_copy, best = found["learned codes"]
order = np.argsort(distance, kind="stable")
order = order[: (distance <= radii[best]).sum()]
shown = order[np.linspace(0, len(order) - 1, 20).astype(int)]
for ax, pair in zip(left_half.subplots(5, 4).flat, shown, strict=True):
    gap = np.full((SIZE, 2), 255.0)
    both = np.hstack([collection[left[pair]], gap, collection[right[pair]]])
    ax.imshow(both, cmap="gray", vmin=0, vmax=255)
    verdict = "" if is_copy[pair] else "  ✕"
    ax.set_title(
        f"{distance[pair]} bits{verdict}",
        fontsize=9,
        color="black" if is_copy[pair] else "#D55E00",
    )
    ax.set_axis_off()

ax = right_half.subplots()
styles = {"learned codes": ("#0072B2", "o"), "random hyperplanes": ("#D55E00", "s")}
for name, (colour, marker) in styles.items():
    ax.plot(
        recall[name], precision[name], marker=marker, ms=4, color=colour, label=name
    )
    best = found[name][-1]
    ax.plot(
        recall[name][best], precision[name][best], "o", ms=13, mfc="none", mec=colour
    )
ax.set(
    xlabel="share of the copies that are found",
    ylabel="share of the pairs that are copies",
    xlim=(0, 1.02),
    ylim=(0, 1.05),
)
ax.grid(alpha=0.3)
ax.legend(loc="lower left")
plt.show()
