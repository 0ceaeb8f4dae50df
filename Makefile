# `make help` lists what there is. The only needs are Python 3.11 or newer and make.
# Called with -I: infra/ holds modules that must not hide those of the standard library.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test lint format translations bench faults clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "Settings are environment variables, listed in .env.example. Commands: $(BIN)/broadloom --help"

setup: ## Make .venv with all that `run` needs (does nothing when it is up to date)
	@$(PYTHON) -I infra/bootstrap.py

run: setup ## Start everything: database, Redis, web, RADIUS, workers; Ctrl-C stops it
	@$(BIN)/broadloom up

test: ## Install test tools, check the code, run all tests
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(PYTHON) -I tests/install_tools.py
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n 4 --dist worksteal

lint: ## Check style (ruff), types (mypy) and directions of imports (import-linter)
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }

format: ## Lay the code out
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

translations: ## Collect the sentences of the pages for translation; says which lack Chinese
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(BIN)/python -m portals.shared.translations

bench: ## Measure RADIUS against FreeRADIUS on this machine
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.bench_billing

faults: ## Prove what goes on while databases and processes fail (docs/faults.md); some twenty minutes
	@$(PYTHON) -I infra/bootstrap.py --dev
	@$(BIN)/python -m tests.bench.outage
	@$(BIN)/python -m tests.bench.killed_programs
	@$(BIN)/python -m tests.bench.expiry_wave
	@$(BIN)/python -m tests.bench.fuzz_socket
	@$(BIN)/python -m tests.bench.fuzz_edges

clean: ## Remove .venv and caches; the data folder stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
