# One command each for a newcomer, a developer and CI; `make help` lists them.
# Everything is installed into .venv from lock files with digests; nothing else is needed
# than Python 3.11 or newer and make.

# Tests start hundreds of interpreters, and each would compile all sources anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Snakemake with its Slurm plugin, which cannot share an environment with what computes.
HEAD := .venv-head
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# Only locked tools build: the build lock goes in first, and isolation, which would fetch
# build tools of its own choice, is off.
INSTALL := $(PIP) install --no-build-isolation --require-hashes
WORKERS ?= 2
# Files that `make fuzz` damages.
N ?= 10000
# One thread for each of the test processes; tests that need more ask for them.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
LOCK := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --prerelease disallow \
	--no-annotate --no-emit-package lumipipe --custom-compile-command 'make lock'
UNIVERSAL := $(LOCK) --universal --fork-strategy fewest
COMPILE := $(UNIVERSAL) --python-version 3.11
# One thread for all, the BLAS kernel of this processor, one process, nothing else collected.
BENCH := env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	NUMBA_NUM_THREADS=1 BLOSC_NTHREADS=1 $(BIN)/python -m pytest -q -p no:xdist --timeout 0 \
	-o python_files='bench_*.py' -o python_functions='bench_*' --benchmark-quiet
SLURM_TESTS := OMP_NUM_THREADS=1 LUMIPIPE_HEAD=$(CURDIR)/$(HEAD) $(BIN)/python -m pytest -p no:xdist
# LUMI has one platform; only what must fit its MPI and its ROCm is built there, by envs/.
COMPILE_LUMI := $(LOCK) pyproject.toml --python-platform x86_64-manylinux_2_28 \
	--only-binary :all: --no-binary mpi4py --no-binary cupy
# A day by which every minimum of pyproject.toml had come out, xarray 2025.10 as the last: what they
# need is taken from before it, since a new package may not fit an old one.
OLDEST := 2025-11-15
SMK := workflow/Snakefile workflow/rules/*.smk
SHELL_FILES := .ci/run $(wildcard slurm/*.sh slurm/*.sbatch slurm/*/*.sh envs/*.sh envs/*/*.sh \
	tests/slurm/*.sh tests/envs/*.sh tests/kernels/fused/*.sh)

.DEFAULT_GOAL := help
.PHONY: help demo test quick fuzz bench bench-ranks test-slurm test-slurm-faults test-envs test-envs-quick check lint format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 19

demo: $(VENV)/demo.stamp ## run both demonstrations: results/demo-watch, results/demo-process
	$(BIN)/lumipipe run config/requests/demo-watch.yaml --out results/demo-watch
	$(BIN)/lumipipe run config/requests/demo-process.yaml --out results/demo-process
	@echo
	@echo 'Both demonstrations are done. Read first:'
	@ls results/demo-watch/report.html results/demo-process/report.html

test: $(VENV)/dev.stamp ## run the whole CPU test suite
	$(PYTEST)

quick: $(VENV)/dev.stamp ## run the tests that take little time: seven minutes
	$(PYTEST) -m 'not gpu and not slurm and not mpi and not real and not slow'

fuzz: $(VENV)/dev.stamp ## damage files of all formats N=10000 times; prints what became of them
	OMP_NUM_THREADS=1 $(BIN)/python tests/readers/fuzz.py $(N) --workers $(WORKERS)

test-slurm: $(VENV)/dev.stamp $(HEAD)/head.stamp ## run the demonstrations through a real Slurm on this machine
	$(SLURM_TESTS) -m 'slurm and not faults' tests/slurm || { \
		echo 'Those that failed, once more: daemons on a busy machine keep their own time.'; \
		$(SLURM_TESTS) -m 'slurm and not faults' --last-failed --last-failed-no-failures none \
			tests/slurm; }

test-slurm-faults: $(VENV)/dev.stamp $(HEAD)/head.stamp ## kill, requeue, fill and cut off what a real Slurm runs
	$(SLURM_TESTS) -m 'slurm and faults' tests/slurm

test-envs: $(VENV)/dev.stamp ## run the CPU test suite with the oldest and the newest versions
	WORKERS=$(WORKERS) tests/envs/run.sh

test-envs-quick: $(VENV)/dev.stamp ## of that only the imports and the tests that take no time
	WORKERS=$(WORKERS) tests/envs/run.sh --quick

bench: $(VENV)/dev.stamp ## race kernels, features, fold and store against peers; TABLE=FILE keeps the table
	$(BENCH) tests/bench $(if $(TABLE),--table $(TABLE))

bench-ranks: $(VENV)/dev.stamp ## what a second rank brings, and what merging costs as states grow
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 \
		$(BIN)/mpiexec -n 2 $(BIN)/python tests/bench/ranks.py

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
	$(COMPILE) envs/build.in -c requirements/dev.lock -o envs/build.lock
	$(COMPILE) envs/head/requirements.in -c requirements/build.lock -o envs/head/requirements.lock
	$(COMPILE) pyproject.toml --extra dcc --extra excel --extra fast --extra mpi --extra workflow \
		-c requirements/dev.lock \
		-o envs/cpu/requirements.lock
	$(COMPILE_LUMI) envs/lumi-native/requirements.in --python-version 3.11 \
		-c requirements/dev.lock -o envs/lumi-native/requirements.lock
	$(COMPILE_LUMI) envs/lumi-container/requirements.in --python-version 3.12 \
		-o envs/lumi-container/requirements.lock
	$(COMPILE) pyproject.toml tests/envs/oldest.in \
		--extra excel --extra fast --extra test --extra mpi --extra workflow \
		--resolution lowest-direct --exclude-newer $(OLDEST) -o tests/envs/oldest.lock
	$(UNIVERSAL) pyproject.toml --extra excel --extra test --extra demo --python-version 3.12 \
		-o tests/envs/newest.lock

clean: ## remove .venv, caches and the demonstrations' results
	rm -rf $(VENV) $(VENV)-* .snakemake .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
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

# Packages of whose files alone tests make use: what they require is older than what lumipipe does.
$(VENV)/dev.stamp: requirements/dev.lock requirements/data.lock pyproject.toml $(VENV)/build.stamp
	@$(INSTALL) -r requirements/dev.lock
	@$(INSTALL) --no-deps -r requirements/data.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/demo.stamp $@

$(HEAD)/head.stamp: envs/head/requirements.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo 'Installing into $(HEAD) ...'
	@$(PYTHON) -m venv $(HEAD)
	@$(HEAD)/bin/python -m pip --disable-pip-version-check -qq install --no-build-isolation \
		--require-hashes -r requirements/build.lock -r envs/head/requirements.lock
	@$(HEAD)/bin/python -m pip --disable-pip-version-check -qq install --no-deps \
		--no-build-isolation --editable .
	@touch $@
