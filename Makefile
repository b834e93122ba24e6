PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 3
# Each run imports everything anew, which takes twice as long if Python cannot cache compiled modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo setup doctor dev status test chaos check audit bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a real Directus with content, the pipeline and its UI  (ARGS=--once: do all work, print a table, stop)"
	@echo "make setup   a user for the pipeline in the Directus named in .env, and its token in .env  (ARGS=--dry-run)"
	@echo "make doctor  what is missing, and what to do about it"
	@echo "make dev     the pipeline for the Directus named in .env  (PORT=3001: the UI on another port)"
	@echo "make status  what is done, waiting and failed"
	@echo "make test    all tests, against a real Directus  (DIRECTUS=11.17.4: against another one of those that are supported)"
	@echo "make chaos   everything is killed while people work: 500 uploads, 100 edits  (ARGS='-k files': one of the two forms)"
	@echo "make check   format, lint, types"
	@echo "make audit   known vulnerabilities of what is locked, where their data can be had"
	@echo "make bench   measurements, side by side  (ARGS=images: that part alone)"

# Installs exactly the locked packages, verified by hash (pyproject.toml excludes some that one package requires); the
# package itself is installed in editable mode, so that edits take effect at once.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about two minutes, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	@$(BIN)/directus-assets demo $(if $(PORT),--port $(PORT)) $(ARGS)

setup: $(READY)
	@$(BIN)/directus-assets setup --write-env $(ARGS)

doctor: $(READY)
	@$(BIN)/directus-assets doctor $(ARGS)

dev: $(READY)
	@$(BIN)/directus-assets dev $(if $(PORT),--port $(PORT)) $(ARGS)

status: $(READY)
	@$(BIN)/directus-assets status $(ARGS)

# Much of the time is spent waiting for Directus and the daemon, so three test files at a time share two cores well.
test: $(READY)
	@LOCAL_DIRECTUS=$(DIRECTUS) $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# `make test` includes the short form.
chaos: $(READY)
	@CHAOS=full $(BIN)/python -m pytest tests/chaos -s $(ARGS)

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@! grep -nE 'https?://' requirements.lock requirements-image.lock directus_assets/local/npm/*/package-lock.json || { echo "A lock file holds an address."; exit 1; }

audit: $(READY)
	@$(BIN)/python .ci/audit.py $(BIN)/pip-audit requirements.lock requirements-image.lock

bench: $(READY)
	@$(BIN)/python -m bench $(ARGS)

# Recreates the lock, without registry addresses.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-strip-extras --no-header --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra image --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-strip-extras --no-header --no-annotate -q \
		-c requirements.lock -o requirements-image.lock

clean:
	rm -rf $(VENV) .dagster .mypy_cache .ruff_cache .pytest_cache
