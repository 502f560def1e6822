"""Try the installed package, away from its sources: learn, search, measure, refuse.

    cd /tmp && python -I .ci/try_installed.py

Needs nothing but what `pip install` of the wheel brings.
"""

import sys
from importlib import metadata, resources
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skhash
from skhash import DeepHashEncoder, HammingNeighbors
from skhash.metrics import evaluate
from skhash.plots import LengthCurveDisplay

home = Path(skhash.__file__)
assert home.is_relative_to(sys.prefix), f"{home} is not what was installed"
assert metadata.version("skhash") == skhash.__version__
assert resources.files("skhash").joinpath("py.typed").is_file()

X, y = load_digits(return_X_y=True)
parts = train_test_split(X, y, test_size=300, stratify=y, random_state=0)
X_database, X_queries, y_database, y_queries = parts
encoder = DeepHashEncoder(16, max_epochs=5, random_state=0).fit(X_database, y_database)
codes, queries = encoder.transform(X_database), encoder.transform(X_queries)
score = HammingNeighbors().fit(codes, y_database).score(queries, y_queries)
assert score > 0.8, score
print(evaluate(queries, codes, y_queries, y_database))

try:
    LengthCurveDisplay.from_scores({8: 0.7, 16: 0.8})
    advice = "none, though matplotlib was not asked for"
except ImportError as error:
    advice = str(error)
assert "pip install matplotlib" in advice, advice
print(f"skhash {skhash.__version__} works from {home.parent}")
