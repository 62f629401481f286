# The two commands that a newcomer needs are `make demo` and `make test`; each sets itself up in .venv.

SHELL := /bin/bash
PYTHON ?= python3
BIN = .venv/bin
DEMO = .venv/demo

.PHONY: help demo test lint types bench soak clean

help:
	@echo "make demo   install, learn from corpora/tales.txt for two minutes, write tales, score held-out tales"
	@echo "make test   install, run all tests and checks"
	@echo "make lint | types | bench | soak | clean"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "charlstm needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/.installed: $(BIN)/python pyproject.toml
	$(BIN)/pip install -q -e .
	@touch $@

.venv/.installed-tests: .venv/.installed
	$(BIN)/pip install -q -e '.[test]'
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

test: .venv/.installed-tests lint types
	$(BIN)/python -m pytest

lint: .venv/.installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-tests
	$(BIN)/mypy

bench: .venv/.installed-bench
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/throughput.py

soak: .venv/.installed-tests
	$(BIN)/python -m pytest tests/soak

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
