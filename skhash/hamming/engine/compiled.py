"""The engine of compiled kernels, function by function like the plain twin."""

from skhash.hamming.real.rounding import on_grid
from skhash.hamming.real.scan import nearest_lower, within_lower
from skhash.hamming.scan.counting import count_within
from skhash.hamming.scan.distances import distances
from skhash.hamming.scan.expand import expand_nearest, expand_within
from skhash.hamming.scan.histograms import histograms, relevant_histograms
from skhash.hamming.scan.nearest import nearest
from skhash.hamming.scan.set_histograms import set_histograms
from skhash.hamming.scan.within import within

__all__ = [
    "count_within",
    "distances",
    "expand_nearest",
    "expand_within",
    "histograms",
    "nearest",
    "nearest_lower",
    "on_grid",
    "relevant_histograms",
    "set_histograms",
    "within",
    "within_lower",
]
