# The two commands of the README are `make demo` and `make test`; both do the whole set-up first.
SHELL := /bin/bash
PYTHON := .venv/bin/python
CTEST := ctest --test-dir build --output-on-failure -j 2
DEMO := runs/demo

.DEFAULT_GOAL := help
.PHONY: help setup build build-tests demo test validate bench asan format check-format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: ## install Debian packages and the virtual environment, where missing
	@setup/setup.sh

build/build.ninja:
	@cmake --preset release

build: setup build/build.ninja ## build/bin/assay and build/bin/assay-worker
	@cmake --build build --target assay assay-worker

build-tests: build
	@cmake --build build

demo: build ## train three objectives on the World and write runs/demo/report.html
	@build/bin/assay run studies/demo.toml -o $(DEMO)
	@build/bin/assay report $(DEMO)

test: build-tests ## unit, conformance, command-line and browser tests (at most 6 minutes)
	@$(CTEST)
	@$(PYTHON) -m pytest tests -q

validate: build-tests ## long simulations and studies; dated results under docs/validation/
	@scripts/validate.sh

bench: setup ## build and run the benchmarks (bench/README.md)
	@bench/run.sh

asan: setup ## torch-free tests under address and undefined-behaviour sanitizers
	@cmake --preset asan && cmake --build --preset asan && ctest --preset asan

format: setup ## clang-format on all sources
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

check-format: setup ## fail if a source is not formatted
	@git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror

clean: ## remove build folders
	rm -rf build build-dev build-asan
