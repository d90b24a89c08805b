# make run    creates .venv if it must, then runs `python -m runner init=normal`; ARGS="init=xavier seed=3" passes overrides
# make test   the same set-up, then formatting, linting, types and all tests
# make bench  ratios against NumPy and torch (installs torch in an environment of its own)

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
STAMP := $(VENV)/.installed

.PHONY: run test bench clean

run: $(STAMP)
	$(VENV)/bin/python -m runner $(if $(findstring init=,$(ARGS)),,init=normal) $(ARGS)

test: $(STAMP)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest

bench: $(STAMP)
	$(VENV)/bin/python -m benchmarks $(ARGS)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist outputs .pytest_cache .mypy_cache .ruff_cache .hypothesis
