"""
Near-duplicates in a folder: resized, recompressed and cropped copies
=====================================================================

The same photo comes back smaller, saved once more, or cropped. No label says which
files are copies; but copies of one's own photos are easily made, and codes that change
little with them can be learned. ``HammingNeighbors.pairs`` then lists the pairs of a
folder that are a few bits apart, and the graph of them deduplicates it: a cluster for
each photo. A perceptual hash, which learns nothing, serves as a comparison.
"""

# %%
# Files, and copies of them
# -------------------------
# The photos are pieces of the two photographs that come with scikit-learn, without
# those that are plain: of the first to learn from, of the second to search. A copy is
# what programs and people make of a file: half the size, saved again with losses,
# without a tenth at the margins, or all of it.

import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

rng = np.random.default_rng(0)


def cut(name, down, right):
    """Pieces of 64 by 48 pixels that show something."""
    photograph = load_sample_image(name)
    pieces = np.lib.stride_tricks.sliding_window_view(photograph, (48, 64, 3))
    pieces = pieces[::down, ::right, 0].reshape(-1, 48, 64, 3)
    return [Image.fromarray(p) for p in pieces if p.mean(axis=2).std() > 5]


def resized(photo):
    return photo.resize((photo.width // 2, photo.height // 2))


def recompressed(photo):
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=int(rng.integers(8, 30)))
    return Image.open(stream)


def cropped(photo):
    x, y = photo.width // 10, photo.height // 10
    left, top = rng.integers(x + 1), rng.integers(y + 1)
    return photo.crop((left, top, left + photo.width - x, top + photo.height - y))


def all_three(photo):
    return recompressed(resized(cropped(photo)))


WAYS = (resized, recompressed, cropped, all_three)
to_learn, others = cut("china.jpg", 16, 16), cut("flower.jpg", 48, 64)
print(f"{len(to_learn)} photos to learn from, {len(others)} others")

# %%
# Every photo a class of its own
# ------------------------------
# Its class is the photo and copies made of it, two in each way: augmentation in place
# of labels. The encoder sees that shuffled batches would hold hardly a pair of the
# same class, and puts four items of each class that it draws into a batch. Thumbnails
# of 16 by 16 grey values are enough.

from skhash import DeepHashEncoder, HammingNeighbors
from skhash.datasets import read_images

N_BITS = 64


def thumbnail(photo):
    return np.asarray(photo.convert("L").resize((16, 16), Image.Resampling.BILINEAR))


copies = [way(photo) for way in WAYS for _ in range(2) for photo in to_learn]
X = np.stack([thumbnail(photo) for photo in [*to_learn, *copies]])
y = np.arange(len(X)) % len(to_learn)
encoder = DeepHashEncoder(
    N_BITS, loss="hashnet", network="linear", max_epochs=10, random_state=0
).fit(X, y)

# %%
# A folder with hidden copies
# ---------------------------
# The photos of the second photograph, and a copy of most, in each way equally often.
# They are read as any folder is, to thumbnails of the size that the encoder knows.

folder = tempfile.TemporaryDirectory()
copied = rng.choice(len(others), 15 * len(WAYS), replace=False)
for n, photo in enumerate(others):
    photo.save(Path(folder.name, f"photo-{n:03}.png"))
for n, original in enumerate(copied):
    way = WAYS[n % len(WAYS)]
    name = f"copy-{original:03}-{way.__name__}.jpg"
    way(others[original]).save(Path(folder.name, name), quality=90)

files = sorted(Path(folder.name).iterdir())
collection = read_images(files, size=(16, 16), mode="L")
number = np.array([int(file.name.split("-")[1][:3]) for file in files])
print(f"{len(files)} files, {len(copied)} of them copies")

# %%
# A perceptual hash
# -----------------
# The usual one, known as dHash: is each of 8 by 8 places brighter than its neighbour
# to the left? It has 64 bits, too.

from skhash.hamming import pack

narrow = read_images(files, size=(8, 9), mode="L").data
ways = {
    "learned codes": encoder.transform(collection.data),
    "perceptual hash": pack((narrow[:, :, 1:] > narrow[:, :, :-1]).reshape(-1, N_BITS)),
}

# %%
# Which radius?
# -------------
# ``pairs`` finds all pairs within a radius, each once. A small radius misses copies, a
# large one joins what only looks alike. The right one is found where the truth is
# known: with copies of photos that the codes were not learned from. Here it is the
# radius of the best F1 among half of the photos; what is printed and drawn is measured
# on the other half.

radii = np.arange(33)
chosen_on = number % 2 == 0


def pairs_of(codes, rows):
    """Distance of each pair of some files, and whether it is a pair of copies."""
    neighbors = HammingNeighbors(radius=radii[-1]).fit(codes[rows])
    left, right, distance = map(np.concatenate, zip(*neighbors.pairs(), strict=True))
    return distance, number[rows][left] == number[rows][right], rows[left], rows[right]


def precision_and_recall(distance, is_copy, n_copies):
    n_pairs = np.array([(distance <= radius).sum() for radius in radii])
    n_right = np.array([is_copy[distance <= radius].sum() for radius in radii])
    return n_right / np.maximum(n_pairs, 1), n_right / n_copies


found = {}
for name, codes in ways.items():
    distance, is_copy, *_ = pairs_of(codes, np.flatnonzero(chosen_on))
    n_copies = (copied % 2 == 0).sum()
    precision, recall = precision_and_recall(distance, is_copy, n_copies)
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).argmax()
    distance, is_copy, left, right = pairs_of(codes, np.flatnonzero(~chosen_on))
    curve = precision_and_recall(distance, is_copy, (copied % 2 == 1).sum())
    found[name] = distance, is_copy, left, right, best, *curve
    print(
        f"{name:16} within {radii[best]:2} bits: {curve[1][best]:4.0%} of the copies,"
        f" {curve[0][best]:4.0%} of the pairs are copies"
    )

# %%
# Clusters
# --------
# Pairs of pairs make groups: the connected parts of the graph of neighbours. Of each
# group one file may stay, the largest for instance.

from scipy.sparse.csgraph import connected_components

radius = int(radii[found["learned codes"][4]])
graph = (
    HammingNeighbors(radius=radius).fit(ways["learned codes"]).radius_neighbors_graph()
)
n_groups, group = connected_components(graph, directed=False)
sizes = np.bincount(group)
print(f"{len(files)} files, {n_groups} groups, {(sizes > 1).sum()} of several files")
for one in np.flatnonzero(sizes > 1)[:3]:
    print("  " + ", ".join(files[row].name for row in np.flatnonzero(group == one)))

# %%
# The picture
# -----------
# Left, pairs of files by learned codes, from the nearest on; a cross marks two
# different photos. Right, all radii at once, with a ring at the radius that was chosen.

import matplotlib.pyplot as plt

figure = plt.figure(figsize=(11, 4.6), layout="constrained")
left_half, right_half = figure.subfigures(1, 2, width_ratios=[1.15, 1])
distance, is_copy, left, right, best, *_ = found["learned codes"]
order = np.argsort(distance, kind="stable")
order = order[: (distance <= radii[best]).sum()]
shown = order[np.linspace(0, len(order) - 1, 12).astype(int)]
for ax, pair in zip(left_half.subplots(4, 3).flat, shown, strict=True):
    both = [Image.open(files[row]).convert("RGB") for row in (left[pair], right[pair])]
    sheet = Image.new("RGB", (132, 48), "white")
    sheet.paste(both[0], (0, 0))
    sheet.paste(both[1], (68, 0))
    ax.imshow(sheet)
    ax.set_title(
        f"{distance[pair]} bits{'' if is_copy[pair] else '  ✕'}",
        fontsize=9,
        color="black" if is_copy[pair] else "#D55E00",
    )
    ax.set_axis_off()

ax = right_half.subplots()
styles = {"learned codes": ("#0072B2", "o"), "perceptual hash": ("#D55E00", "s")}
for name, (colour, marker) in styles.items():
    *_, best, precision, recall = found[name]
    ax.plot(recall, precision, marker=marker, ms=4, color=colour, label=name)
    ax.plot(recall[best], precision[best], "o", ms=13, mfc="none", mec=colour)
ax.set(
    xlabel="share of the copies that are found",
    ylabel="share of the pairs that are copies",
    xlim=(0, 1.02),
    ylim=(0, 1.05),
)
ax.grid(alpha=0.3)
ax.legend(loc="lower left")
plt.show()
folder.cleanup()
