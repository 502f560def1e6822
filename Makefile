# Every target is a few plain commands that one could type.
PYTHON ?= $(shell command -v python3.11 || command -v python3)

.PHONY: help demo test test-quick test-oldest test-exports lint format claims docs package clean

help:  ## show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

demo: .venv/.installed-demo  ## learn codes for handwritten digits, print a table, draw demo.png
	@echo "Learning codes for handwritten digits, which takes less than a minute."
	.venv/bin/python examples/plot_quick_start.py demo.png

test: .venv/.installed  ## run the whole test suite
	.venv/bin/python -m pytest -n auto --dist worksteal

test-quick: .venv/.installed  ## run all but what takes long
	.venv/bin/python -m pytest -n auto --dist worksteal -m "not slow" --hypothesis-profile=quick

test-oldest: .venv-oldest/.installed  ## run it on the oldest supported versions
	.venv-oldest/bin/python -m pytest -n auto --dist worksteal

# Here a missing engine is a failure, where the other targets skip its tests.
test-exports: .venv-exports/.installed  ## export codes to every engine and ask it (needs npm)
	SKHASH_TEST_ENGINES=1 SKHASH_NODE_MODULES=$(CURDIR)/.venv-exports/node_modules \
		.venv-exports/bin/python -m pytest tests/export skhash/export docs/user_guide/export.rst

lint: .venv/.installed  ## check style, spelling, types and the order of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/test_architecture.py

format: .venv/.installed  ## rewrite the code in the project's style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

claims: .venv/.installed  ## rebuild the page of the papers' claims and its pictures
	.venv/bin/python tests/benchmarks/claims/report.py

docs: .venv/.installed-docs  ## build the documentation into docs/_build/html
	@echo "Building the pages, which runs all examples: about five minutes on two idle cores."
	rm -rf docs/api/generated  # pages of names that are gone
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html
	.venv/bin/python docs/check_links.py docs/_build/html
	.venv/bin/python docs/check_api.py docs/_build/html

package: .venv/.installed  ## build wheel and sdist, and try both in a new environment
	rm -rf dist .venv-package
	.venv/bin/python -m build
	$(PYTHON) -m venv .venv-package
	.venv-package/bin/python -m pip install $(QUICK) dist/*.whl
	cd dist && ../.venv-package/bin/python -I ../.ci/try_installed.py
	.venv-package/bin/python -m pip install $(QUICK) --force-reinstall --no-deps dist/*.tar.gz
	cd dist && ../.venv-package/bin/python -I ../.ci/try_installed.py

clean:  ## remove the environments and all that the tools left behind
	rm -rf .venv .venv-oldest .venv-package .venv-exports build dist *.egg-info demo.png
	rm -rf docs/_build docs/gallery docs/api/generated docs/api/backreferences
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What Python imports it compiles by itself; to compile all of torch takes pip long.
QUICK = --no-compile --constraint constraints.txt

# The stamps make a second run quick: pip is asked again only after a change here.
.venv/.installed-demo: pyproject.toml constraints.txt
	@echo "Installing what skhash needs in .venv; torch is large: one to three minutes."
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install $(QUICK) --editable ".[plots]"
	touch $@

.venv/.installed: pyproject.toml constraints.txt
	@echo "Installing skhash and the tools of its tests in .venv: a few minutes."
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@ .venv/.installed-demo

.venv/.installed-docs: .venv/.installed
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

.venv-oldest/.installed: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable ".[test]"
	touch $@

# In place of servers: a PostgreSQL that psycopg can connect to, pgvector in WebAssembly,
# and Milvus in a file, which asks for pkg_resources and from version 3 on refuses bits.
.venv-exports/.installed: pyproject.toml constraints.txt Makefile
	@echo "Installing skhash and the engines that codes are exported to: a few minutes."
	$(PYTHON) -m venv .venv-exports
	.venv-exports/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[engines,test]" pgserver "milvus-lite<3" setuptools==80.9.0
	npm install --silent --prefix .venv-exports @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15
	touch $@
