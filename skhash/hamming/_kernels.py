"""The engine of compiled kernels, function by function like the plain twin."""

from skhash.hamming._nearest import nearest
from skhash.hamming._reference import distances, histograms, relevant_histograms, within

__all__ = ["distances", "histograms", "nearest", "relevant_histograms", "within"]
