# Every target is a few plain commands that one could type.
PYTHON ?= $(shell command -v python3.11 || command -v python3)

.PHONY: help demo test test-quick test-oldest lint format docs clean

help:  ## show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: .venv/.installed  ## learn codes for handwritten digits, print a table, draw demo.png
	.venv/bin/python examples/plot_quick_start.py demo.png

test: .venv/.installed  ## run the whole test suite
	.venv/bin/python -m pytest -n auto --dist worksteal

test-quick: .venv/.installed  ## run all but what takes long, in about a minute
	.venv/bin/python -m pytest -n auto --dist worksteal -m "not slow"

test-oldest: .venv-oldest/.installed  ## run it on the oldest supported versions
	.venv-oldest/bin/python -m pytest -n auto --dist worksteal

lint: .venv/.installed  ## check style, spelling, types and the order of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/test_architecture.py

format: .venv/.installed  ## rewrite the code in the project's style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/.installed-docs  ## build the documentation into docs/_build/html
	rm -rf docs/api/generated  # pages of names that are gone
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html
	.venv/bin/python docs/check_links.py docs/_build/html
	.venv/bin/python docs/check_api.py docs/_build/html

clean:  ## remove the environments and all that the tools left behind
	rm -rf .venv .venv-oldest build dist *.egg-info demo.png
	rm -rf docs/_build docs/gallery docs/api/generated docs/api/backreferences
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run quick: pip is asked again only after a change here.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

.venv/.installed-docs: .venv/.installed
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

.venv-oldest/.installed: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable ".[test]"
	touch $@
