# One command each for a newcomer, a developer and CI; `make help` lists them.
# Everything is installed into .venv from lock files with digests; nothing else is needed
# than Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# Only locked tools build: the build lock goes in first, and isolation, which would fetch
# build tools of its own choice, is off.
INSTALL := $(PIP) install --no-build-isolation --require-hashes
WORKERS ?= 2
# One thread for each of the test processes; tests that need more ask for them.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes \
	--python-version 3.11 --fork-strategy fewest --prerelease disallow --no-annotate --no-emit-package lumipipe \
	--custom-compile-command 'make lock'
SMK := workflow/Snakefile workflow/rules/*.smk
SHELL_FILES := .ci/run $(wildcard slurm/*.sh slurm/*.sbatch)

.DEFAULT_GOAL := help
.PHONY: help demo test quick check lint format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: $(VENV)/demo.stamp ## run both demonstrations: results/demo-watch, results/demo-process
	$(BIN)/lumipipe run config/requests/demo-watch.yaml --out results/demo-watch
	$(BIN)/lumipipe run config/requests/demo-process.yaml --out results/demo-process
	@echo
	@echo 'Both demonstrations are done. Read first:'
	@ls results/demo-watch/report.html results/demo-process/report.html

test: $(VENV)/dev.stamp ## run the whole CPU test suite
	$(PYTEST)

quick: $(VENV)/dev.stamp ## run the tests that take no time: under a minute
	$(PYTEST) -m 'not gpu and not mpi and not real and not slow'

check: ## lint, then test: what CI runs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test

lint: $(VENV)/dev.stamp ## check style, types, imports, docstrings, shell and workflow
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	find src -name '*.py' -exec $(BIN)/numpydoc lint --config . {} +
	$(BIN)/shellcheck $(SHELL_FILES)
	$(BIN)/snakefmt --check $(SMK)
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/workflow/test_lint.py

format: $(VENV)/dev.stamp ## rewrite Python and workflow files in the one format
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format
	$(BIN)/snakefmt $(SMK)

lock: $(VENV)/dev.stamp ## renew the lock files from pyproject.toml
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra demo -c requirements/dev.lock -o requirements/demo.lock
	$(COMPILE) --group pyproject.toml:build -c requirements/dev.lock -o requirements/build.lock

clean: ## remove .venv, caches and the demonstrations' results
	rm -rf $(VENV) .snakemake .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf .hypothesis results/demo-watch results/demo-process
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'lumipipe needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...' >&2; \
		exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'This Python makes no virtual environments; on Debian: apt install python3-venv' >&2; \
		exit 2; }

$(VENV)/build.stamp: requirements/build.lock | $(BIN)/python
	@echo 'Installing into $(VENV); the first time takes some minutes ...'
	@$(INSTALL) -r requirements/build.lock
	@touch $@

# The pins of demo.lock are a part of those of dev.lock, so either may come first.
$(VENV)/demo.stamp: requirements/demo.lock pyproject.toml $(VENV)/build.stamp
	@$(INSTALL) -r requirements/demo.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml $(VENV)/build.stamp
	@$(INSTALL) -r requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/demo.stamp $@
