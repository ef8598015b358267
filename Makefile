# Every target sets up what it needs: a virtual environment in $(VENV) and the extras of pyproject.toml.
# A stamp file remembers each set of extras, so a second call starts at once.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
MODE ?= eager

bin := $(VENV)/bin

.PHONY: demo test lint format types docs bench array-api clean

demo: $(VENV)/.has-examples  ## train a classifier on real handwritten digits; writes digits.png
	$(bin)/python examples/digits.py

test: $(VENV)/.has-test  ## the whole test suite
	$(bin)/python -m pytest -n 2 $(PYTEST_ARGS)

lint: $(VENV)/.has-lint  ## lint and check the format
	$(bin)/ruff check .
	$(bin)/ruff format --check .

format: $(VENV)/.has-lint  ## rewrite the files in the project's format
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

types: $(VENV)/.has-lint  ## check the types
	$(bin)/pyright --pythonpath $(bin)/python

docs: $(VENV)/.has-docs  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --strict --quiet

bench: $(VENV)/.has-bench  ## measure against numpy, jax, autograd and torch, as ratios
	$(bin)/python -m benchmarks

array-api: $(VENV)/.has-array-api  ## the suite of the Array API standard: SUITE=path/to/array-api-tests, MODE=eager or jit
	$(bin)/python -m tests.array_api.run --mode $(MODE) $(SUITE) $(PYTEST_ARGS)

clean:  ## remove everything the targets made
	rm -rf .venv* build dist site .pytest_cache .ruff_cache .hypothesis digits.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.has-%: pyproject.toml | $(VENV)/.made
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@
