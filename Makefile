# The front door. `make` lists what there is; README.md says more.
SHELL := /bin/sh
DATASET ?=
DATA ?=
EXTERNAL ?=
EXTERNAL_DATA ?=
STUDY ?=
REASON ?=
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
ifndef GPU
GPU := $(shell nvidia-smi -L >/dev/null 2>&1 && echo 1 || echo 0)
endif
HARDWARE := $(if $(filter 1,$(GPU)),gpu,cpu)
PROFILE ?= $(HARDWARE)
PORT ?= 8765
VENV ?= .venv
IS_SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
ifndef PYTHON
PYTHON := $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c '$(IS_SUPPORTED)' 2>/dev/null && echo $(name))))
endif
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(HARDWARE)
EXTRAS := --extra test --extra lab --extra bench
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
TEST_BUILD := $(CURDIR)/build/test
# Values reach the recipes by the environment, as they were given: quotes, blanks and $ in them mean nothing to a shell.
export BOOK_DATA := $(value DATA)
export BOOK_DATASET := $(value DATASET)
export BOOK_EXTERNAL := $(value EXTERNAL)
export BOOK_EXTERNAL_DATA := $(value EXTERNAL_DATA)
export BOOK_STUDY := $(value STUDY)
export BOOK_REASON := $(value REASON)
export PROFILE JOBS PORT GPU
export TF_CPP_MIN_LOG_LEVEL := 3
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help book test lab study lint lock bench clean stop check-gpu

help: ## list what can be made
	@echo "make <target> [PROFILE=smoke|cpu|gpu] [DATASET=card] [DATA=folder] [JOBS=2] [GPU=0|1]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

book: $(READY) ## build the book and serve it: DATASET, PROFILE, JOBS; DATA where the images lie; EXTERNAL, EXTERNAL_DATA
	@python -m lib.book --dataset="$$BOOK_DATASET" --profile="$$PROFILE" --jobs="$$JOBS" --port="$$PORT"

test: $(READY) lint ## everything that must hold: style, units, contracts, notebooks, site
	@python -m pytest -q -n "$$JOBS" --dist loadfile tests/unit tests/contracts
	@BOOK_BUILD=$(TEST_BUILD) python -m lib.book --dataset elpv --profile smoke --jobs "$$JOBS" --no-serve
	@BOOK_BUILD=$(TEST_BUILD) python -m pytest -q -n "$$JOBS" --dist loadfile tests/notebooks
	@BOOK_BUILD=$(TEST_BUILD) BOOK_LAB_CHAPTER=notebooks/01_explore.py python -m pytest -q tests/browser

lab: $(READY) ## the chapters as notebooks in JupyterLab
	@python -m lib.lab

study: $(READY) ## compare with published protocols on all images: STUDY
	@python -m lib.studies "$$BOOK_STUDY"

lint: $(READY) ## style of the code
	@ruff check lib notebooks tests benchmarks && ruff format --check lib notebooks tests benchmarks

lock: | $(BIN)/uv ## resolve the dependencies anew into requirements/
	$(COMPILE) pyproject.toml --extra cpu $(EXTRAS) --output-file requirements/cpu.txt
	$(COMPILE) pyproject.toml --extra gpu $(EXTRAS) --output-file requirements/gpu.txt
	echo uv | $(COMPILE) - --constraint requirements/cpu.txt --output-file requirements/uv.txt

bench: $(READY) ## measure against peers, side by side
	@python -m benchmarks

stop: ## stop serving the site
	@test ! -x $(BIN)/python || python -m lib.site.serve build --stop

clean: stop ## remove everything that was built; the ledger of test openings stays
	rm -rf build .snakemake

check-gpu:
	@case "$$GPU" in 0|1) ;; *) echo "GPU='$$GPU' does not exist; GPU is one of: 0, 1"; exit 2;; esac

ifeq ($(VENV),.venv)
$(READY): requirements/$(HARDWARE).txt requirements/uv.txt pyproject.toml | check-gpu
	@test -n '$(PYTHON)' && $(PYTHON) -c '$(IS_SUPPORTED)' 2>/dev/null || { echo "Python 3.11, 3.12 or 3.13 is needed, found: $$(python3 --version 2>&1); install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module; install it (Debian: apt-get install python3-venv)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@echo "installing the locked environment into $(VENV)"
	@$(BIN)/uv pip sync --python $(BIN)/python --quiet --compile-bytecode --require-hashes requirements/$(HARDWARE).txt
	@$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.ready-* && touch $@
else
$(READY): | check-gpu
endif
