# The two commands that a newcomer needs are `make demo` and `make test`; each sets itself up in .venv.

SHELL := /bin/bash
PYTHON ?= python3
BIN = .venv/bin
DEMO = demo
# One process of tests for each processor; more than four gain little, and each loads torch.
SIDE_BY_SIDE = -n auto --maxprocesses 4

.PHONY: help demo test pytest lint types format coverage docs build bench soak clean

help:
	@echo "make demo       install, train on corpora/tales.txt for two minutes, write tales, score held-out tales"
	@echo "make test       install, run all tests and checks (lint, types, pytest)"
	@echo "make lint       ruff: rules and format"
	@echo "make types      mypy --strict"
	@echo "make pytest     the tests alone"
	@echo "make format     let ruff put the sources in form"
	@echo "make coverage   the tests, with the lines of charlstm/ that they never run"
	@echo "make docs       write the help texts of the commands into docs/reference.md"
	@echo "make build      wheel and source distribution, in dist/"
	@echo "make bench      the quick benchmarks"
	@echo "make soak       the tests that take long: hundreds of kills, thousands of broken files"
	@echo "make clean      remove .venv, dist and caches; models stay, those of the demo too"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "charlstm needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/.installed: $(BIN)/python pyproject.toml
	$(BIN)/pip install -q -e .
	@touch $@

.venv/.installed-tests: .venv/.installed
	$(BIN)/pip install -q -e '.[test]'
	@if command -v chromedriver >/dev/null; then $(BIN)/pip install -q -e '.[browser]' || true; fi
	@touch $@

.venv/.installed-bench: .venv/.installed
	$(BIN)/pip install -q -e '.[bench]'
	@touch $@

demo: .venv/.installed
	@mkdir -p $(DEMO)
	$(BIN)/charlstm train corpora/tales.txt --minutes 2 --force -o $(DEMO)/tales.safetensors
	@echo; echo "--- three tales ---"; echo
	$(BIN)/charlstm sample $(DEMO)/tales.safetensors --count 3 --length 1500 --temperature 0.3 --seed 1 --stop $$'\n\n'
	@echo; echo "--- how well it predicts tales that it has not seen ---"; echo
	$(BIN)/python corpora/tales.py --seed 2 --characters 100000 | $(BIN)/charlstm eval $(DEMO)/tales.safetensors

test: lint types pytest

pytest: .venv/.installed-tests
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

lint: .venv/.installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-tests
	$(BIN)/mypy

format: .venv/.installed-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: .venv/.installed-tests
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term-missing:skip-covered

docs: .venv/.installed-tests
	$(BIN)/python tests/write_help.py

build: .venv/.installed-tests
	$(BIN)/python -m hatchling build

bench: .venv/.installed-bench
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/throughput.py

soak: .venv/.installed-tests
	$(BIN)/python -m pytest tests/soak

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
