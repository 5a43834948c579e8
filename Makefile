# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A CPU build of torch is a tenth of the size of the default one; where an index offers none, this is the plain release.
TORCH ?= torch==2.13.0
ULTRALYTICS ?= ultralytics==8.4.190
SAM2 ?= sam2==1.1.0

.PHONY: demo test bench lint types format full editors clean

$(VENV)/.core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[demo]"
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --editable ".[demo,dev]"
	touch $@

$(VENV)/.full: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[all,dev]"
	# Without what they would bring along: a second OpenCV, a CUDA build of torch. The tests compare with both.
	$(BIN)/python -m pip install --quiet --no-deps "$(ULTRALYTICS)"
	$(BIN)/python -m pip install --quiet hydra-core iopath setuptools wheel
	SAM2_BUILD_CUDA=0 $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation "$(SAM2)"
	# PyMatting compiles at its first use, for a minute or two: now, so that no test waits for it.
	$(BIN)/python -m maskwright.models.compiled
	touch $@

# Selects and cuts out the main thing of a photo through a running server; writes into demo/.
demo: $(VENV)/.core
	MASKWRIGHT_RUNTIME_DIR=$(CURDIR)/.cache/demo-run $(BIN)/maskwright demo --out demo; \
	status=$$?; MASKWRIGHT_RUNTIME_DIR=$(CURDIR)/.cache/demo-run $(BIN)/maskwright stop; exit $$status

# Everything that this machine can run: tests in the real editors need `make editors` once, and root.
test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/pyright
	$(BIN)/pyright --project plugin_krita
	$(BIN)/pyright --project plugin_gimp

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The torch model families and everything else.
full: $(VENV)/.full

# A folder with the real GIMP 3 and Krita 5, for the tests in the editors. Needs root and Debian's packages.
editors:
	bash tests/editors/setup.sh

clean:
	rm -rf $(VENV) demo .cache dist
