"""The closed list of classes that a file may name, and what each leaves in `fit`.

An estimator whose fitted attributes stand for themselves is a line of the table. One
that is more than that has a module of its part, with `told` and `made`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

# What all estimators may have.
_COMMON = ("n_features_in_", "feature_names_in_", "_sklearn_output_config")


@dataclass(frozen=True)
class Plain:
    """An estimator made of its parameters and these fitted attributes.

    Attributes
    ----------
    home : str
        The module that has it.
    fitted : tuple of str
        Names of its fitted attributes; not all need be there.
    left_out : tuple of str
        Those that it does without.
    later : tuple of pairs of str
        Those that a later version has, and what they were before.
    """

    home: str
    fitted: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    later: tuple[tuple[str, str], ...] = ()

    def attributes(self) -> frozenset[str]:
        """Names of all that may be kept."""
        return frozenset((*_COMMON, *self.fitted))


@dataclass(frozen=True)
class Own:
    """An estimator whose own part knows how to store it: its home, and that module."""

    home: str
    stored: str

    def module(self) -> ModuleType:
        """The module with `told` and `made`."""
        return import_module(self.stored)


_LINEAR = ("mean_", "components_")
_SCALED = ("scale_", "n_samples_seen_")
_FACTORS = ("components_", "explained_variance_", "explained_variance_ratio_")

CLASSES: dict[str, Plain | Own] = {
    "DeepHashEncoder": Own("skhash.encoder", "skhash.encoder.stored"),
    "HammingNeighbors": Own("skhash.neighbors", "skhash.neighbors.stored"),
    "HammingNeighborsClassifier": Own("skhash.neighbors", "skhash.neighbors.stored"),
    "HammingNeighborsTransformer": Own("skhash.neighbors", "skhash.neighbors.stored"),
    "EmbeddingNeighbors": Own("skhash.neighbors", "skhash.neighbors.stored_vectors"),
    "RotatedSigns": Own("skhash.baselines", "skhash.baselines.stored"),
    "RandomHyperplanes": Plain("skhash.baselines", _LINEAR),
    "SignThreshold": Plain("skhash.baselines", ("thresholds_",)),
    "PCAHashing": Plain("skhash.baselines", (*_LINEAR, "explained_variance_")),
    "ITQ": Plain("skhash.baselines", (*_LINEAR, "errors_", "n_iter_")),
    "ITQCCA": Plain(
        "skhash.baselines", (*_LINEAR, "errors_", "n_iter_", "correlations_")
    ),
    "SpectralHashing": Plain(
        "skhash.baselines",
        (
            *(*_LINEAR, "lower_", "upper_"),
            *("directions_", "half_waves_", "_frequencies"),
        ),
    ),
    # scikit-learn
    "Pipeline": Plain("sklearn.pipeline"),
    "FeatureUnion": Plain("sklearn.pipeline"),
    "FrozenEstimator": Plain("sklearn.frozen"),
    # Without functions: what "passthrough" is in a fitted union.
    "FunctionTransformer": Plain("sklearn.preprocessing"),
    "StandardScaler": Plain("sklearn.preprocessing", ("mean_", "var_", *_SCALED)),
    "MinMaxScaler": Plain(
        "sklearn.preprocessing",
        ("min_", "data_min_", "data_max_", "data_range_", *_SCALED),
    ),
    "MaxAbsScaler": Plain("sklearn.preprocessing", ("max_abs_", *_SCALED)),
    "RobustScaler": Plain("sklearn.preprocessing", ("center_", "scale_")),
    "Normalizer": Plain("sklearn.preprocessing"),
    "SimpleImputer": Plain(
        "sklearn.impute",
        ("statistics_", "indicator_", "_fit_dtype", "_fill_dtype"),
        later=(("_fill_dtype", "_fit_dtype"),),
    ),
    "MissingIndicator": Plain(
        "sklearn.impute", ("features_", "_precomputed", "_n_features")
    ),
    "PCA": Plain(
        "sklearn.decomposition",
        (
            *(*_FACTORS, "singular_values_", "mean_", "noise_variance_"),
            *("n_components_", "n_samples_", "_fit_svd_solver"),
        ),
    ),
    "TruncatedSVD": Plain("sklearn.decomposition", (*_FACTORS, "singular_values_")),
    "TfidfVectorizer": Plain(
        "sklearn.feature_extraction.text",
        ("vocabulary_", "fixed_vocabulary_", "_tfidf"),
        ("_stop_words_id", "stop_words_"),
    ),
    "TfidfTransformer": Plain("sklearn.feature_extraction.text", ("idf_",)),
}
OF_SKLEARN = {name for name, known in CLASSES.items() if "sklearn" in known.home}
# Parameters that only `fit` needs: left out where they are no plain values.
FOR_TRAINING = ("memory", "random_state")
LEFT_OUT = ("_metadata_request", "_skl_callbacks")


def class_of(name: str) -> type[Any]:
    """The class of a name in the list; a KeyError if it is none."""
    return getattr(import_module(CLASSES[name].home), name)


def name_of(estimator: Any) -> str:
    """The name of an estimator's class in the list; a TypeError if it is not there."""
    name = type(estimator).__name__
    # Its home is loaded where this is its class.
    if name in CLASSES and type(estimator) is class_of(name):
        return name
    others = ", ".join(CLASSES)
    raise TypeError(
        f"{type(estimator).__module__}.{type(estimator).__qualname__} is no estimator "
        f"that skhash.save keeps. Those are {others}; others can be pickled."
    )
