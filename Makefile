# The commands of the project. Each sets up what it needs by itself: Python 3.11 or later is enough.
# Set-up speaks on stderr, so that stdout belongs to the command alone.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEVELOP := $(VENV)/.develop
BENCH := $(VENV)/.bench
NOT_HERE := not (debian or browser or citus or llm or statistics)
PATHS := $(wildcard src tests benchmarks examples)

# A uv that this project refuses (too old) counts as absent.
UV = $$(if uv pip list --python $(BIN)/python >/dev/null 2>&1; then echo uv; else echo $(BIN)/uv; fi)
INSTALL = VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --compile-bytecode --require-hashes

.PHONY: demo test check bench lock statistics test-citus setup format clean

demo: $(RUNTIME)
	@$(BIN)/assay demo $(ASSAY_DEMO_ARGS)

test: $(DEVELOP)
	@$(BIN)/python -m pytest -m "$(NOT_HERE)" $(PYTEST_ARGS)

check: $(DEVELOP)
	@$(BIN)/ruff check $(PATHS)
	@$(BIN)/ruff format --check $(PATHS)
	@$(BIN)/mypy $(PATHS)
	@if [ -d tests/typing ]; then $(BIN)/basedpyright; fi
	@$(BIN)/lint-imports

bench: $(BENCH)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

# 37 minutes on two cores that others used too.
statistics: $(DEVELOP)
	@$(BIN)/python -m pytest -m statistics $(PYTEST_ARGS)

test-citus: $(DEVELOP)
	@: "$${ASSAY_CITUS_URL:?name the cluster: ASSAY_CITUS_URL=postgresql://...}"
	@$(BIN)/python -m pytest -m "citus and not (browser or statistics)" -n 0 $(PYTEST_ARGS)

setup: $(DEVELOP)

format: $(DEVELOP)
	@$(BIN)/ruff check --fix $(PATHS)
	@$(BIN)/ruff format $(PATHS)

# Renews the locks: versions move only where pyproject.toml asks, or all with LOCK_ARGS=--upgrade.
COMPILE = VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip compile --quiet --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --python-version 3.11 $(LOCK_ARGS)
lock: $(VENV)/.uv
	@$(COMPILE) pyproject.toml --group build -o requirements.lock >&2
	@$(COMPILE) pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock >&2
	@$(COMPILE) pyproject.toml --group build --group dev --group bench -c requirements-dev.lock -o requirements-bench.lock >&2

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Assay needs Python 3.11 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) >&2 || uv venv --quiet $(VENV) >&2 || \
		{ echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@test "$(UV)" = uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv >&2
	@touch $@

# The stamps depend on the locks, so nothing is installed twice.
$(RUNTIME): $(VENV)/.uv requirements.lock pyproject.toml
	@test -e $(DEVELOP) || echo "setting up: the first time takes a minute or two" >&2
	@$(INSTALL) -r requirements.lock >&2
	@$(INSTALL:--require-hashes=) --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(DEVELOP): $(RUNTIME) requirements-dev.lock
	@$(INSTALL) -r requirements-dev.lock >&2
	@touch $@

$(BENCH): $(DEVELOP) requirements-bench.lock
	@$(INSTALL) -r requirements-bench.lock >&2
	@touch $@
