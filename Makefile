# make run    creates .venv if it must, then runs `python -m runner init=normal`; ARGS="init=xavier seed=3" passes overrides
# make test   the same with what tests need, then formatting, linting, types, and unit and behaviour tests: minutes
# make test-all  everything that is optional as well, and the slow tests: launchers, trackers, a browser, packaging, 10^8 elements
# make bench-peers  ratios against torch, safetensors, MXNet and NumPy, installed in environments of their own; ARGS=normal runs one
# make docs   builds the site of the documents into site/; open site/index.html
# make clean  removes the environments and caches; runs in outputs/ stay
#
# PYTHON=python3.12 chooses the Python; .venv is made anew when it was made with another

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
TEST_ALL_STAMP := $(VENV)/.installed-test-all
DOCS_STAMP := $(VENV)/.installed-docs
# WORKERS=1 runs the tests one after another; TESTS=tests/engine runs some of them.
WORKERS ?= auto
TESTS ?=
# Tests start many short processes: bytecode is kept, in .venv, and each worker computes on one thread.
ENVIRONMENT := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(VENV))/bytecode OPENBLAS_NUM_THREADS=1
PYTEST := $(ENVIRONMENT) $(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --durations 20 --durations-min 1
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
# Without words, or with words that choose no initializer, `make run` runs init=normal; a command gets no words of ours.
COMMAND := $(if $(findstring =,$(firstword $(ARGS))),,$(filter-out -%,$(firstword $(ARGS))))
WORDS := $(strip $(if $(COMMAND)$(findstring init=,$(ARGS)),$(ARGS),init=normal $(ARGS)))
VERSION := -c 'import sys; print(sys.version)'

ifneq ($(origin PYTHON),file)
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell $(PYTHON) $(VERSION)),$(shell $(VENV)/bin/python $(VERSION)))
OTHER := --clear
.PHONY: $(STAMP)
endif
endif
endif

.PHONY: run test test-all checks bench-peers docs clean

run: $(STAMP)
	$(VENV)/bin/python -m runner $(WORDS)

test: $(TEST_STAMP) checks
	$(PYTEST) -m 'not slow' $(TESTS)

test-all: $(TEST_ALL_STAMP) checks
	$(PYTEST) $(TESTS)

checks: $(TEST_STAMP)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

bench-peers: $(TEST_STAMP)
	$(VENV)/bin/python -m benchmarks $(ARGS)

docs: $(DOCS_STAMP)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

$(STAMP): pyproject.toml constraints.txt hatch_build.py $(wildcard engine/native/*.[ch])
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(OTHER) $(VENV)
	$(INSTALL) .
	touch $@

$(TEST_STAMP): $(STAMP)
	$(INSTALL) '.[test,dev]'
	touch $@

$(TEST_ALL_STAMP): $(TEST_STAMP)
	$(INSTALL) '.[test-all,dev]'
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(INSTALL) '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) benchmarks/.venv build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
