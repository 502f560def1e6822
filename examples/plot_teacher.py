"""
Images taught by a teacher's vectors
====================================

A large model gives good vectors, but is too slow to be asked for every query. A small
network can learn codes that obey it: it sees the images, and the model's vectors say
who is near to whom. No label takes part.
"""

# %%
# A teacher
# ---------
# Handwritten digits, and in place of a large model one that knows all their labels:
# neighbourhood components analysis. The student gets its ten numbers an image and
# nothing else.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NeighborhoodComponentsAnalysis

images, y = load_digits(return_X_y=True)
images, queries, y, y_queries = train_test_split(
    images, y, test_size=400, random_state=0
)
teacher = NeighborhoodComponentsAnalysis(10, max_iter=50, random_state=0).fit(images, y)
vectors, query_vectors = teacher.transform(images), teacher.transform(queries)
print(f"an image: {images.shape[1]} pixels, the teacher: {vectors.shape[1]} numbers")

# %%
# A student
# ---------
# With ``teacher="y"`` y is not labels but the teacher's vectors. They are needed for
# training alone.

from skhash import DeepHashEncoder
from skhash.losses import NeighborDistillation

student = DeepHashEncoder(
    32,
    loss=NeighborDistillation(teacher="y"),
    max_epochs=150,
    n_jobs=1,
    random_state=0,
).fit(images, vectors)

# %%
# What the codes keep
# -------------------
# Beside the student: codes of the pixels alone, and codes of the teacher's vectors, for
# which each query would have to pass the teacher. First, the share of the teacher's ten
# nearest among the ten nearest codes; then the mean average precision by the labels,
# which the teacher knew, and the student did not.

from skhash.baselines import ITQ, RotatedSigns
from skhash.metrics import mean_average_precision, neighbor_recall

pixels = ITQ(32, random_state=0).fit(images)
signs = RotatedSigns(32, random_state=0).fit(vectors)
codes = {
    "pixels alone": (pixels.transform(queries), pixels.transform(images)),
    "pixels, taught": (student.transform(queries), student.transform(images)),
    "teacher's vectors": (signs.transform(query_vectors), signs.transform(vectors)),
}
recalls, scores = {}, {}
for name, (of_queries, of_images) in codes.items():
    recalls[name] = neighbor_recall(
        of_queries, of_images, query_vectors, vectors, metric="euclidean"
    )
    scores[name] = mean_average_precision(of_queries, of_images, y_queries, y)
    print(f"{name:>17}: recall {recalls[name]:.3f}, mAP {scores[name]:.3f}")

# %%
# The picture
# -----------
# Left, both measures. Right, queries that the pixels alone get wrong, and what is found
# for them: above by pixels alone, below by the student.

import matplotlib.pyplot as plt

from skhash import HammingNeighbors

found = {
    name: HammingNeighbors(n_neighbors=6).fit(of_images).kneighbors(of_queries)[1]
    for name, (of_queries, of_images) in codes.items()
}
right_ones = {
    name: (y[rows] == y_queries[:, None]).sum(1) for name, rows in found.items()
}
gain = right_ones["pixels, taught"] - right_ones["pixels alone"]
shown = np.argsort(-gain, kind="stable")[:3]

figure = plt.figure(figsize=(11, 4.4), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.4])
axes = left.subplots()
places = np.arange(len(codes))
axes.bar(places - 0.2, recalls.values(), 0.38, label="recall of the teacher's nearest")
axes.bar(places + 0.2, scores.values(), 0.38, label="mAP by label")
axes.set_xticks(places, codes)
axes.set_ylim(0, 1.25)
axes.legend(loc="upper left")
grid = right.subplots(6, 7)
for place, query in enumerate(shown):
    for row, name in enumerate(["pixels alone", "pixels, taught"]):
        line = grid[2 * place + row]
        line[0].imshow(queries[query].reshape(8, 8), cmap="gray_r")
        line[0].set_ylabel(["alone", "taught"][row], fontsize=8)
        for cell, item in zip(line[1:], found[name][query], strict=True):
            cell.imshow(images[item].reshape(8, 8), cmap="gray_r")
            hit = y[item] == y_queries[query]
            cell.spines[:].set(color="tab:green" if hit else "tab:red", linewidth=2)
for cell in grid.ravel():
    cell.set(xticks=[], yticks=[])
plt.show()
