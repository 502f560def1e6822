"""A mistyped option is refused with a list in order, and the one that was meant."""

import re

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError, StrOptions

import skhash
from skhash.datasets import published_split
from skhash.hints import hint
from skhash.losses import LOSSES
from skhash.metrics import evaluate, mean_average_precision, ndcg

ESTIMATORS = [
    getattr(skhash, name)
    for name in skhash.__all__
    if hasattr(getattr(skhash, name), "_parameter_constraints")
]
STRING_OPTIONS = [
    (cls, name, sorted(constraint.options))
    for cls in [*ESTIMATORS, *LOSSES.values()]
    for name, constraints in cls._parameter_constraints.items()
    if isinstance(constraints, list)
    for constraint in constraints
    if isinstance(constraint, StrOptions)
]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *(("dualhinge", "dual_hinge"), ("DualHinge", "dual_hinge")),
        *(("dual-hinge", "dual_hinge"), ("HASHNET", "hashnet"), (" dhn", "dhn")),
    ],
)
def test_names_the_option_that_was_meant(given, meant):
    assert hint(given, LOSSES) == f" Did you mean {meant!r}?"


@pytest.mark.parametrize("given", ["", "quantum", 3, None, ["dhn"]])
def test_says_nothing_of_what_is_like_no_option(given):
    assert hint(given, [*LOSSES, None, 0]) == ""


@pytest.mark.parametrize(
    ("cls", "name", "options"),
    STRING_OPTIONS,
    ids=[f"{cls.__name__}-{name}" for cls, name, _ in STRING_OPTIONS],
)
def test_every_string_option_has_a_hint(cls, name, options):
    for option in options:
        with pytest.raises(InvalidParameterError) as caught:
            cls(**{name: f"{option}x"})._validate_params()
        message = str(caught.value)
        assert message.startswith(f"The {name!r} parameter of {cls.__name__} must be")
        assert f"Got '{option}x' instead. Did you mean '{option}'?" in message
        places = [message.index(repr(each)) for each in options]
        assert places == sorted(places)


def test_encoder_refuses_before_any_work():
    encoder = skhash.DeepHashEncoder(loss="dualhinge")
    with pytest.raises(InvalidParameterError, match=r"'dcwh', .* mean 'dual_hinge'\?"):
        encoder.fit(np.zeros((4, 2)), [0, 0, 1, 1])


def test_numbers_out_of_range_are_refused_in_the_words_of_scikit_learn():
    with pytest.raises(InvalidParameterError, match=r"Got -1 instead\.$"):
        skhash.DeepHashEncoder(n_bits=-1)._validate_params()


@pytest.mark.parametrize(
    ("metric", "options", "meant"),
    [
        (mean_average_precision, {"ties": "expect"}, "expected"),
        (mean_average_precision, {"normalizer": "relevants"}, "relevant"),
        (mean_average_precision, {"average": "macro-class"}, "macro_class"),
        (mean_average_precision, {"zero_relevant": "rais"}, "raise"),
        (ndcg, {"gain": "Linear"}, "linear"),
        (evaluate, {"normalizer": "hit"}, "hits"),
    ],
)
def test_metrics_name_the_option_that_was_meant(metric, options, meant):
    codes = np.zeros((3, 1), np.uint8)
    with pytest.raises(ValueError, match=re.escape(f"Did you mean {meant!r}?")):
        metric(codes, codes, [0, 1, 1], [0, 1, 1], **options)


def test_protocols_have_a_hint():
    with pytest.raises(ValueError, match=r"Did you mean 'cifar10'\?"):
        published_split("CIFAR-10", [0, 1])
