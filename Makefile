# Everything sets itself up on a fresh machine: Python 3.11 or newer and a C++ compiler.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
PICTURE ?=
SAMPLE ?= 200
SEED ?= 1
OUT ?= demo

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench docs mutants peers clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# the stamp makes a changed pyproject or constraints file install again
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev --constraint constraints.txt
	touch $@

$(PEERS)/.installed: constraints-peers.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(PEERS)/bin/python -m pip install --quiet ipfx cleosim tqdm --constraint constraints-peers.txt
	$(PEERS)/bin/python -m pip install --quiet --no-deps brain_observatory_utilities oasis-deconv \
		--constraint constraints-peers.txt # the first declares AllenSDK, which its tests replace
	touch $@

demo: $(VENV)/.installed ## A photograph drawn by neurons: files and a page in demo/ (PICTURE=... for your own)
	$(BIN)/cleo-like demo --overwrite --out $(OUT) $(if $(PICTURE),--picture "$(PICTURE)")

test: $(VENV)/.installed ## The test suite (without the slow ones)
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(VENV)/.installed ## All tests
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.installed ## ruff, mypy, import contracts, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell cleo_like tests benchmarks docs README.md CONTRIBUTING.md CHANGELOG.md
	rm -rf dist && $(BIN)/python -m build --quiet --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

bench: $(VENV)/.installed ## All benchmarks, as tables (CPU time)
	$(BIN)/python benchmarks/bench_engine.py --table docs/guide/engine_table.md
	@for file in $(filter-out benchmarks/bench_engine.py,$(wildcard benchmarks/bench_*.py)); do \
		echo "== $$file"; $(BIN)/python $$file || exit 1; done

docs: $(VENV)/.installed ## The documentation as HTML, warnings are errors
	$(BIN)/sphinx-build --fail-on-warning --keep-going -b html docs docs/_build/html

mutants: $(VENV)/.installed ## Does a test notice a changed line? SAMPLE=200 SEED=1; an hour or more
	$(BIN)/python -m pip install --quiet --group mutants --constraint constraints.txt
	$(BIN)/python -m pytest -q -n 2 -m "not slow" --cov --cov-context=test --cov-report=
	$(BIN)/python tools/mutants.py --sample $(SAMPLE) --seed $(SEED)

peers: $(PEERS)/.installed ## The second environment, for ipfx, cleosim and others

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(PEERS) demo docs/_build
