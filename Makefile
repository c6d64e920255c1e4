# Everything is set up by itself: nothing is needed but Python 3.11 or newer (with venv) and make.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
# more than there are processors: many tests wait for servers and processes
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test browser chaos proof soak bench agreement lint types lock wheel setup clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv and install what this checkout needs, once

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "trialdelta needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv with the locked dependencies (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## show the main job, offline: a dozen releases of invented trials, alerts, mails
	@rm -rf demo
	@$(BIN)/trialdelta demo --to demo

test: setup ## run the tests (under 6 minutes)
	@echo "Running the tests on real SQLite and PostgreSQL, HTTP and SMTP servers on loopback ..."
	@$(RUN) pytest -q -n $(WORKERS) --dist loadgroup --ignore tests/browser -m "not chaos"

browser: .venv/.browser ## open every page in the system's Chromium, as four people do (about a minute)
	@$(RUN) pytest -q -n $(WORKERS) --dist loadfile tests/browser

.venv/.browser: .venv/.ready requirements-browser.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	@touch $@

chaos: setup ## kill, stop, cut off and upgrade the program at work, while five addresses answer as they like
	@$(RUN) pytest -q -n $(WORKERS) --dist loadgroup --ignore tests/browser -m chaos
	@$(BIN)/python tests/chaos.py

proof: setup ## run the long campaigns (or ONLY=word,word) and write docs/proof.md
	@$(BIN)/python tests/proof.py "$(ONLY)"

soak: setup ## a daemon at work for MINUTES (20) on DATABASE (sqlite or postgresql): does anything grow?
	@$(BIN)/python tests/soak.py $(or $(MINUTES),20) $(or $(DATABASE),sqlite)

bench: setup ## measure speed beside its floor (ONLY=part,part; SIZES=1000,600000 of growth; ONLY=peers installs others; WRITE=1 writes the page)
	@$(BIN)/python tests/benchmarks/run.py $(ONLY) $(if $(WRITE),--write)

agreement: setup ## compare the changes told with the hand-made labels, kind by kind (where those records are)
	@$(BIN)/python tests/agreement.py

lint: setup ## linters, formatting, import contracts
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: setup ## mypy --strict on the three packages
	@$(RUN) mypy

lock: ## write the lock files anew (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	  pyproject.toml --output-file requirements.lock
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	  pyproject.toml --group dev --output-file requirements-dev.lock
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	  pyproject.toml --group browser --group dev --output-file requirements-browser.lock

wheel: setup ## build the wheel into dist/
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove what make made
	@rm -rf .venv dist demo bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
