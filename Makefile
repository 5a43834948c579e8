# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A CPU build of torch is a tenth of the size of the default one; where an index offers none, this is the plain release.
TORCH ?= torch==2.13.0
ULTRALYTICS ?= ultralytics==8.4.190
SAM2 ?= sam2==1.1.0
DEMO ?= demo

# What makes and checks the lists of packages, away from what runs Maskwright.
TOOLS := .cache/tools
COMPILE := $(TOOLS)/bin/uv --quiet pip compile pyproject.toml --python-version 3.11

.PHONY: demo test bench lint types format full editors lock sbom audit lowest demo-with clean

$(VENV)/.core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

$(VENV)/.full: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[all,dev]"
	# Without what they would bring along: a second OpenCV, a CUDA build of torch. The tests compare with both.
	$(BIN)/python -m pip install --quiet --no-deps "$(ULTRALYTICS)"
	$(BIN)/python -m pip install --quiet hydra-core iopath setuptools wheel
	SAM2_BUILD_CUDA=0 $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation "$(SAM2)"
	touch $@

# A word, two clicks, hair and a cut-out on a photo, through a running server; writes into demo/.
demo: $(VENV)/.core
	$(MAKE) --no-print-directory demo-with

demo-with:
	MASKWRIGHT_RUNTIME_DIR=$(CURDIR)/.cache/demo-run $(BIN)/maskwright demo --out $(DEMO); \
	status=$$?; MASKWRIGHT_RUNTIME_DIR=$(CURDIR)/.cache/demo-run $(BIN)/maskwright stop; exit $$status

# Everything that this machine can run, in so many processes: tests in the real editors need `make editors` once, and root.
JOBS ?= 2
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

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

$(TOOLS)/.done: Makefile
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet "uv>=0.9" "cyclonedx-bom>=7" "pip-audit>=2.9"
	touch $@

# The newest versions that go together, with the hash of each file: what a release is tested and installed with.
lock: $(TOOLS)/.done
	$(COMPILE) --universal --upgrade --generate-hashes --custom-compile-command "make lock" -o server/locks/core.txt
	$(COMPILE) --universal --upgrade --generate-hashes --custom-compile-command "make lock" -o server/locks/all.txt \
		--extra all --constraint server/locks/core.txt

# The list of all that a release brings along, for programs that watch for known holes.
sbom: $(TOOLS)/.done
	mkdir -p dist
	$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		-o dist/maskwright.cdx.json server/locks/all.txt

# Asks the package index and a database of holes; says so of each package where they cannot be reached.
audit: $(TOOLS)/.done
	$(TOOLS)/bin/pip-audit --no-deps --disable-pip -r server/locks/all.txt

# Whether the lowest versions that pyproject.toml lets in still start a server, select and cut out.
lowest: $(TOOLS)/.done
	$(COMPILE) --resolution lowest-direct -o .cache/lowest.txt > /dev/null
	$(TOOLS)/bin/uv venv --quiet --clear --python $(PYTHON) .cache/lowest
	$(TOOLS)/bin/uv pip install --quiet --python .cache/lowest -r .cache/lowest.txt
	$(TOOLS)/bin/uv pip install --quiet --python .cache/lowest --no-deps --editable .
	$(MAKE) --no-print-directory demo-with BIN=.cache/lowest/bin DEMO=.cache/lowest-demo

clean:
	rm -rf $(VENV) demo .cache dist
