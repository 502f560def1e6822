"""Which cases of a test `make test-quick` runs."""

import pytest


@pytest.mark.parametrize(
    ("n", "quick"), [(1, [0]), (3, [0, 1, 2]), (4, [0, 1, 3]), (9, [0, 4, 8])]
)
def test_few_cases_of_many_are_quick(n, quick, pytestconfig):
    plugins = pytestconfig.pluginmanager.get_plugins()
    (conftest,) = (each for each in plugins if hasattr(each, "quick_ones"))
    assert list(conftest.quick_ones(range(n))) == quick
