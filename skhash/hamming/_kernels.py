"""The engine of compiled kernels, function by function like the plain twin."""

from skhash.hamming._distances import distances
from skhash.hamming._expand import expand_nearest, expand_within
from skhash.hamming._histograms import histograms, relevant_histograms
from skhash.hamming._nearest import nearest
from skhash.hamming._within import count_items, count_within, within

__all__ = [
    "count_items",
    "count_within",
    "distances",
    "expand_nearest",
    "expand_within",
    "histograms",
    "nearest",
    "relevant_histograms",
    "within",
]
