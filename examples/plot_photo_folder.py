"""
From a folder of photos to a grid of results
============================================

Photos in one folder for each class are read, learned and searched; a new photo finds
its like, whatever its size. Broken files are left out, the reading is remembered for
later, and more photos are added without learning again.
"""

# %%
# A folder of photos
# ------------------
# Yours exists already. Here six classes are cut from the two photographs that come
# with scikit-learn: pieces of all sizes, saved as JPEG. The left part of each region
# makes the photos to learn from, the right part those that come later, so that no two
# of them overlap. One file is broken, as in most folders.

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

rng = np.random.default_rng(0)
folder = tempfile.TemporaryDirectory()
home = Path(folder.name)
# Left, top, right and bottom of each region.
regions = {
    "lake": ("china.jpg", (330, 215, 545, 290)),
    "leaves": ("flower.jpg", (0, 60, 160, 330)),
    "pagoda": ("china.jpg", (95, 120, 325, 320)),
    "petals": ("flower.jpg", (190, 110, 425, 340)),
    "sky": ("china.jpg", (330, 0, 640, 180)),
    "trees": ("china.jpg", (350, 290, 640, 427)),
}


def cut_photos(to, label, n_photos, start, stop):
    """Save pieces of a region, between two shares of its width."""
    name, (left, top, right, bottom) = regions[label]
    region = Image.fromarray(load_sample_image(name)).crop((left, top, right, bottom))
    low, high = int(start * region.width), int(stop * region.width)
    (to / label).mkdir(parents=True)
    for n in range(n_photos):
        width, height = rng.integers(28, 60, 2)
        x, y = rng.integers(low, high - width), rng.integers(region.height - height)
        piece = region.crop((x, y, x + width, y + height))
        piece.save(to / label / f"{n:02}.jpg", quality=85)


for label in regions:
    cut_photos(home / "photos", label, 40, 0, 0.6)
    cut_photos(home / "later", label, 10, 0.6, 1)
(home / "photos" / "sky" / "half.jpg").write_bytes(
    (home / "photos" / "sky" / "00.jpg").read_bytes()[:300]
)

# %%
# Read it
# -------
# All images are brought to one size. ``on_error="skip"`` leaves out what cannot be
# read, with a warning; ``skipped`` says why.

import warnings

from skhash.datasets import load_image_folder, read_images

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    photos = load_image_folder(home / "photos", size=(32, 32), on_error="skip")
print(f"{photos.data.shape} {photos.data.dtype}, classes {photos.target_names}")
print(f"skipped: {list(photos.skipped)}, {len(caught)} warning")

# %%
# Learn, and make a database
# --------------------------
# Images go into the encoder as they are. The database knows each code by its file's
# name; four bytes a photo are all that it keeps.

from skhash import DeepHashEncoder, HammingNeighbors

encoder = DeepHashEncoder(32, max_epochs=30, random_state=0)
codes = encoder.fit_transform(photos.data, photos.target)
database = HammingNeighbors(n_neighbors=3)
database.fit(codes, photos.target, ids=photos.filenames)
print(f"{len(codes)} photos in {codes.nbytes} bytes")

# %%
# A new photo
# -----------
# It has another size. ``photos.options`` holds how the first ones were read, so that
# those that come later are read alike.

query = read_images([home / "later" / "petals" / "00.jpg"], **photos.options)
distances, names = database.kneighbors(encoder.transform(query.data))
for name, distance in zip(names[0], distances[0], strict=True):
    print(f"{name}, {distance} bits away")

# %%
# Photos that come later
# ----------------------
# ``target_names`` keeps the numbers of the classes, also where a folder lacks some of
# them. Half of the later photos are the queries; the others are added to the database.

later = load_image_folder(
    home / "later", target_names=photos.target_names, **photos.options
)
later_codes = encoder.transform(later.data)
asked = np.arange(len(later.data)) % 2 == 0
print(f"mAP {database.score(later_codes[asked], later.target[asked]):.3f}")
database.add(
    later_codes[~asked],
    later.target[~asked],
    ids=[f"later/{later.filenames[row]}" for row in np.flatnonzero(~asked)],
)
print(f"{database.n_samples_fit_} photos now")

# %%
# Keep it
# -------
# What the next session needs goes into one file: ``joblib.load`` brings it back.

import joblib

kept = home / "photos.joblib"
joblib.dump((encoder, database, photos.options, photos.target_names), kept)
print(f"{kept.stat().st_size // 1000} kB")
folder.cleanup()

# %%
# The picture
# -----------
# A later photo of each class, and the eight nearest of the first folder. A dashed frame
# with a cross says wrong.

import matplotlib.pyplot as plt

from skhash.plots import RetrievalGridDisplay

_, rows = np.unique(later.target[asked], return_index=True)
display = RetrievalGridDisplay.from_codes(
    later_codes[asked],
    codes,
    np.array(later.target_names)[later.target[asked]],
    np.array(photos.target_names)[photos.target],
    query_images=later.data[asked],
    database_images=photos.data,
    rows=rows,
    n_neighbors=8,
)
plt.show()
