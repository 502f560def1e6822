"""Data to learn from: readers of files in standard formats, splits, synthetic codes.

Nothing is ever downloaded, and no reader runs code that a file brings along.
"""

from skhash.datasets._archives import load_mat, load_npz
from skhash.datasets._cifar import load_cifar
from skhash.datasets._folders import list_images, load_image_folder
from skhash.datasets._idx import load_mnist, read_idx
from skhash.datasets._lists import load_label_list
from skhash.datasets._pairs import label_sets_from_pairs
from skhash.datasets._protocols import published_split
from skhash.datasets._reading import read_images
from skhash.datasets._splits import RetrievalIndices, RetrievalSplit, UnseenClassSplit
from skhash.datasets._synthetic import make_hash_blobs, make_multilabel_codes

__all__ = [
    "RetrievalIndices",
    "RetrievalSplit",
    "UnseenClassSplit",
    "label_sets_from_pairs",
    "list_images",
    "load_cifar",
    "load_image_folder",
    "load_label_list",
    "load_mat",
    "load_mnist",
    "load_npz",
    "make_hash_blobs",
    "make_multilabel_codes",
    "published_split",
    "read_idx",
    "read_images",
]
