# `make report` and `make test` need nothing but make and Python 3.11 or newer: they set up a private .venv themselves.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: report test lint types docs bench browser trino syntax lab wheel clean
.DEFAULT_GOAL := report

report: .venv/.run          ## the HTML report of data-samples/, left in reports/
	$(BIN)/auditkit report data-samples --out reports

test: .venv/.dev            ## all tests; those that need a browser, a Trino or a parser say so when they find none
	$(BIN)/pytest

lint: .venv/.dev            ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev           ## types of the code
	$(BIN)/mypy

docs: .venv/.dev            ## rewrite the generated pages under docs/, and the names of the ATT&CK techniques that rules speak of
	$(BIN)/python -m tests.docs
	$(BIN)/python -m tests.attack
	$(BIN)/python -m tests.plan

bench: .venv/.dev           ## speed, memory and size, as one table; make bench ARGS="100000 1" for a tenth of it, once
	$(BIN)/python -m tests.benchmarks $(ARGS)

browser:                    ## get a Chromium for the browser tests, where one can be had
	tests/browser/get-chromium

trino: .venv/.dev           ## get a Trino (450 MB, needs Maven and Java 24), and run every query and rule on it
	tests/trino/get-trino
	$(BIN)/pytest tests/trino

syntax: .venv/.dev          ## get a parser of Trino's SQL (needs Node.js), and hold every statement to it
	tests/syntax/get-parser
	$(BIN)/pytest tests/syntax

lab: .venv/.run             ## JupyterLab on a copy of the notebooks
	$(BIN)/auditkit lab data-samples

wheel: .venv/.dev           ## dist/*.whl
	$(BIN)/python -m build --wheel

clean:
	rm -rf .venv dist reports

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "auditkit needs Python 3.11 or newer; none was found on PATH. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/.run
