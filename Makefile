# Two commands do all the set-up on a fresh machine with Python >= 3.10: `make demo`, `make test`.
PYTHON ?= python3
# An index of CPU or CUDA builds of torch, for example
#   make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
PY := $(BIN)/python
# The constraints pin our own set-up; the package itself asks for lower bounds only.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
STAMP := $(VENV)/.ready
# The explorers' JavaScript is committed as it runs; Node is for those who change it. What is to be done with it,
# where it is there: $(call javascript,lint)
NODE := $(shell node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && echo yes)
NODE_STAMP := node_modules/.ready
javascript = @if test "$(NODE)" && $(MAKE) --silent $(NODE_STAMP); then npm run --silent $(1); \
	else echo "$(1): JavaScript is left out, Node 20 or newer with npm is not here"; fi
PORT ?= 8000
# Three quick tests at a time, for browsers make them wait, or two slow ones, which need memory, with the plugins that they
# need alone; WORKERS=1 for another number. `.venv/bin/python -m pytest` runs one after the other.
WORKERS ?=
PYTEST = PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(PY) -m pytest -q -p xdist -p hypothesispytest \
	--dist worksteal --numprocesses

.PHONY: setup demo test test-slow test-nbgrader test-all lab notebooks bench results site serve bundles lint format pins clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 10), f"Python >= 3.10 is needed, this is {sys.version.split()[0]}: make setup PYTHON=python3.12"'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (a few minutes the first time) ..."
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	@$(PIP) --editable '.[lab,onnx,scans,test]'
	@touch $@

demo: setup
	@$(PY) -m dcamsr_lite demo --out demo

test: setup lint
	@$(PYTEST) $(or $(WORKERS),3) -m "not slow"

# What the quick tests left out, and more examples for the properties that they draw.
test-slow: setup
	@$(PYTEST) $(or $(WORKERS),2) -m "slow or hypothesis" --hypothesis-profile=thorough

# In the real nbgrader, which brings JupyterLab a server extension: last, so that no other test sees it.
test-nbgrader: setup
	@$(PIP) --editable '.[grading]'
	@$(PY) -m pytest -q tests/notebooks/test_nbgrader.py

test-all: test test-slow

lab: setup
	@$(BIN)/jupyter lab notebooks/00_start_here.ipynb

notebooks: setup
	@$(PY) notebooks/build.py

bench: setup
	@$(PY) -m dcamsr_lite bench $(BENCH)
	@$(PY) scripts/bench.py

results: setup
	@$(PY) scripts/results/make.py floors
	@$(PY) scripts/results/make.py study $(if $(REAL),--real $(REAL)) $(if $(ROWS),--rows $(ROWS))
	@$(PY) scripts/results/make.py shifts
	@$(PY) scripts/results/make.py speed
	@$(PY) scripts/results/make.py page

# The live laboratory, the course, the reference: a folder for any file server. Node brings what runs networks in browsers.
site: setup $(NODE_STAMP)
	@$(PIP) --editable '.[site]'
	@$(PY) scripts/make_site.py site

serve:
	@test -f site/index.html || { echo "site/: not there yet, run \`make site\` first"; exit 2; }
	@echo "http://localhost:$(PORT)/  (Ctrl-C ends it; PORT=8001 is another door)"
	@$(PY) -m http.server --bind 127.0.0.1 --directory site $(PORT)

$(NODE_STAMP): package.json package-lock.json
	@npm ci --silent --ignore-scripts
	@touch $@

bundles: $(NODE_STAMP)
	@npm run --silent bundles

lint: setup
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	$(call javascript,lint)

format: setup
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
	$(call javascript,format)

pins: setup
	@$(PY) scripts/pins.py > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) node_modules demo
