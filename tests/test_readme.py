"""The examples of README.md run as they stand."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)


def test_readme_examples_run_one_after_the_other():
    names = {}
    for example in EXAMPLES:
        exec(compile(example, README.name, "exec"), names)
    assert names["distances"].shape == names["indices"].shape == (450, 5)
    assert names["database"].score(names["queries"], names["y_queries"]) > 0.9
    assert names["search"].get_params()["estimator__loss"] == "dual_hinge"
