"""Draw the small pictures of the home page, from examples and measured results.

    python docs/draw_doors.py

Run by hand, like the figures: it runs three examples, which takes half a minute.
"""

import json
import os
import runpy
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import numpy as np
from matplotlib import pyplot as plt

from skhash.hamming import unpack
from skhash.plots import LengthCurveDisplay, RetrievalGridDisplay

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
SIZE, DPI = (4.2, 2.36), 110


def story(name):
    """All that an example leaves behind."""
    left = runpy.run_path(os.fspath(EXAMPLES / f"plot_{name}.py"))
    plt.close("all")
    return left


def save(figure, name):
    """Save a picture with few colours, which is small."""
    path = DOCS / "_static" / f"door_{name}.png"
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
    from PIL import Image

    Image.open(path).convert("RGB").quantize(200).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def draw_labelled():
    """Photos and those with the nearest codes."""
    left = story("photo_folder")
    asked, later, photos = left["asked"], left["later"], left["photos"]
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    RetrievalGridDisplay.from_codes(
        left["later_codes"][asked],
        left["codes"],
        later.target[asked],
        photos.target,
        query_images=later.data[asked],
        database_images=photos.data,
        rows=left["rows"][[1, 3, 5]],
        n_neighbors=5,
        show_distance=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
    for extra in (*ax.texts, *([ax.get_legend()] if ax.get_legend() else [])):
        extra.remove()
    save(figure, "labelled")


def draw_embeddings():
    """An embedding, number by number, and its code."""
    left = story("binarise_embeddings")
    figure, axes = plt.subplots(2, 1, figsize=SIZE, layout="constrained")
    rows, codes = left["X"][:8], left["codes"]["learned", 64][1][:8]
    limit = np.abs(rows).max() / 2
    axes[0].imshow(rows, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
    axes[0].set_title("128 numbers, 512 bytes each", fontsize=10)
    axes[1].imshow(unpack(codes, 64), cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    axes[1].set_title("64 bits, 8 bytes each", fontsize=10)
    for ax in axes:
        ax.set(xticks=[], yticks=[])
    save(figure, "embeddings")


def draw_duplicates():
    """Photos and their copies."""
    left = story("near_duplicates")
    photos = [left["others"][n] for n in (20, 31, 44)]
    figure, axes = plt.subplots(3, 5, figsize=SIZE, layout="constrained")
    names = ["photo", "smaller", "saved again", "cropped", "all three"]
    for row, photo in zip(axes, photos, strict=True):
        for ax, way in zip(row, [lambda same: same, *left["WAYS"]], strict=True):
            ax.imshow(way(photo).convert("RGB"))
            ax.set_axis_off()
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name, fontsize=9)
    save(figure, "duplicates")


def draw_paper():
    """Measured scores over the number of bits."""
    results = json.loads((DOCS / "results" / "families-fashion_mnist.json").read_text())
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    for loss in ("von_mises_fisher", "hashnet", "dual_hinge", "dhn"):
        scores = {
            row["n_bits"]: row["mAP"] for row in results["rows"] if row["loss"] == loss
        }
        LengthCurveDisplay.from_scores(scores, name=loss, ax=ax)
    ax.set_xlabel("bits", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.legend(fontsize=8, loc="center right", bbox_to_anchor=(1, 0.55))
    save(figure, "paper")


if __name__ == "__main__":
    draw_labelled()
    draw_embeddings()
    draw_duplicates()
    draw_paper()
