# `make demo` and `make test` set up what they need; `make help` lists the rest.

BIN := .venv/bin
PYTHON ?= python3

.PHONY: help demo test lint format lock bench chaos clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: .venv/.demo  ## set up, then replay a real trace through the gateway and print the statement
	$(BIN)/tokenworth demo

test: .venv/.test  ## set up, then check format, lint, types and layers, and run the tests
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2 --dist loadgroup

lint: .venv/.test  ## format, lint, types, layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.test  ## write the format and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .venv/.test  ## resolve the dependencies again, within pyproject.toml
	PYTHON=$(PYTHON) scripts/lock

bench: .venv/.test  ## run the benchmarks; each prints ratios
	$(BIN)/python -m benchmarks.ledger
	$(BIN)/python -m benchmarks.verify
	$(BIN)/python -m benchmarks.postgres
	$(BIN)/python -m benchmarks.gateway .peers
	$(BIN)/python -m benchmarks.observe
	$(BIN)/python -m benchmarks.frontiers

chaos: .venv/.test  ## kill the ledger's process and cut its power, at random, many times
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos --engine postgres

clean:  ## remove the environment and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.demo: requirements/demo.txt requirements/bootstrap.txt pyproject.toml scripts/setup
	PYTHON=$(PYTHON) scripts/setup demo

.venv/.test: requirements/test.txt requirements/bootstrap.txt pyproject.toml scripts/setup scripts/postgresql
	scripts/postgresql
	PYTHON=$(PYTHON) scripts/setup test
