# What you can do here. Every target sets up .venv first, from requirements.lock.
SHELL := bash
ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  BIN := .venv/Scripts
else
  PYTHON ?= python3
  BIN := .venv/bin
endif
CHAPTERS ?=
FORCE ?=
READY := .venv/ready
unexport PYTHONPATH PYTHONHOME # .venv has all that is needed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(READY): requirements.lock constraints-cuda.lock
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here:" \
	  "install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) tools/environment.py

setup: $(READY) ## make .venv, with all packages of requirements.lock

test: lint $(READY) ## lint, every chapter that was not run as it is now, unit tests and laws
	$(BIN)/python -m tools.chapters $(if $(FORCE),--force)
	$(BIN)/python -m tools.twice
	$(BIN)/pytest -n 2 tests

lint: $(READY) ## style, import contracts, spelling, chapters without outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify book/*.ipynb
	$(BIN)/codespell

format: $(READY) ## put the code into the one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout book/*.ipynb

book: $(READY) ## run what has changed (FORCE=1: all; or CHAPTERS=01_mazes), build _build/html
	$(BIN)/python -m tools.book $(if $(FORCE),--force) $(CHAPTERS)

numbers: $(READY) ## run what has changed, and write the numbers that came out into the text
	$(BIN)/python -m tools.fill_numbers $(CHAPTERS)

lab: $(READY) ## open the chapters in JupyterLab
	$(BIN)/jupyter lab book

train: $(READY) ## make a model of data/models again from nothing: MODEL=dfs5
	$(BIN)/python -m experiments.zoo $(MODEL)

tables: $(READY) ## make the tables of data/results that take longer than a chapter may
	$(BIN)/python -m experiments.ablations
	$(BIN)/python -m experiments.ahead
	$(BIN)/python -m experiments.aligned
	$(BIN)/python -m experiments.anew
	$(BIN)/python -m experiments.arrows
	$(BIN)/python -m experiments.attributed
	$(BIN)/python -m experiments.by_scheme
	$(BIN)/python -m experiments.by_set
	$(BIN)/python -m experiments.circuit
	$(BIN)/python -m experiments.clusters
	$(BIN)/python -m experiments.decodable
	$(BIN)/python -m experiments.edited
	$(BIN)/python -m experiments.errors
	$(BIN)/python -m experiments.foreseen
	$(BIN)/python -m experiments.future
	$(BIN)/python -m experiments.grafted
	$(BIN)/python -m experiments.growth
	$(BIN)/python -m experiments.heads
	$(BIN)/python -m experiments.horizons
	$(BIN)/python -m experiments.lens
	$(BIN)/python -m experiments.list_lengths
	$(BIN)/python -m experiments.locality
	$(BIN)/python -m experiments.more_mazes
	$(BIN)/python -m experiments.myopic
	$(BIN)/python -m experiments.parts
	$(BIN)/python -m experiments.patched
	$(BIN)/python -m experiments.patterns
	$(BIN)/python -m experiments.replanned
	$(BIN)/python -m experiments.retargeted
	$(BIN)/python -m experiments.scorecard
	$(BIN)/python -m experiments.steered
	$(BIN)/python -m experiments.stops
	$(BIN)/python -m experiments.ways
	$(BIN)/python -m experiments.which_cells
	$(BIN)/python -m experiments.directions

answers: $(READY) ## ask the models anew what the chapters ask them (15 minutes)
	$(BIN)/python -m tools.chapters --answers

benchmark: $(READY) ## compare speeds with other libraries, as ratios (half an hour)
	$(BIN)/python benchmarks/generation.py
	$(BIN)/python benchmarks/rollouts.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/activations.py
	$(BIN)/python benchmarks/optimizers.py
	$(BIN)/python benchmarks/attention.py
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/probes.py
	$(BIN)/python benchmarks/patching.py
	$(BIN)/python benchmarks/gpu.py

lock: ## renew requirements.lock and environment.yml from pyproject.toml, with uv
	$(firstword $(wildcard $(BIN)/python) $(PYTHON)) tools/lock.py

check-lock: $(READY) ## look whether the lock installs on every Python and system promised
	$(BIN)/python tools/lock.py --check

audit: $(READY) ## ask whether a package of the lock has a known weakness, over the network
	$(BIN)/uv tool run --system-certs pip-audit@2.10.1 \
	  --requirement requirements.lock --no-deps --disable-pip

check-citation: $(READY) ## validate CITATION.cff, with a tool that is downloaded
	$(BIN)/uv tool run --system-certs --exclude-newer 2026-11-20 \
	  cffconvert==2.0.0 --validate

check-links: $(READY) ## ask the places that texts and chapters link to, over the network
	$(BIN)/sphinx-build -Q -c tools/links -b linkcheck . _build/links \
	  || { cat _build/links/output.txt; exit 1; }

clean-compiled: ## remove what numba compiled
	find mazelib -name '*.nb[ci]' -delete

clean: clean-compiled ## remove the built book and caches
	rm -rf _build .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help setup test lint format book numbers lab train tables answers benchmark lock check-lock check-citation audit \
  check-links clean-compiled clean
