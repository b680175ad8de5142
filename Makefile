# podfence: `make demo` shows it, `make test` proves it. Everything lives in this checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install dev demo test check lint types contracts package fuzz mutants apiserver bench-compile bench-reach bench-datapath lock clean

install: $(VENV)/.installed          ## .venv/bin/podfence, with what it needs to run
dev: $(VENV)/.dev                    ## the same, with the tools to test and check it

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

demo: install                        ## two labs, one after the other: policies on real packets
	scripts/demo

test: dev                            ## every test that needs no root
	$(BIN)/pytest

fuzz: dev                            ## the same properties, fresh seeds, 100 times the examples: hours (PODFENCE_EXAMPLES=5: minutes)
	$(BIN)/pytest -m hypothesis --hypothesis-profile=fuzz --timeout=0 -n auto

mutants: dev                         ## known faults planted one at a time: each must be noticed
	$(BIN)/python scripts/mutants.py $(ONLY)

check: lint types contracts

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy

contracts: dev
	$(BIN)/lint-imports

package: dev                         ## the built wheel works in an empty environment, from another directory
	scripts/try_wheel

apiserver:                           ## kube-apiserver and etcd, built once for tests/live (needs Go)
	scripts/apiserver

bench-compile: dev                   ## what compiling costs: a cluster, a node, a change
	$(BIN)/python scripts/bench_compile.py

bench-reach: dev                     ## what questions about whole clusters cost
	$(BIN)/python scripts/bench_reach.py

bench-datapath: dev                  ## what the rules cost packets
	$(BIN)/python scripts/bench_datapath.py

clean:                               ## everything that make made
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist

lock: dev
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --all-extras --group dev pyproject.toml -o requirements-dev.lock
