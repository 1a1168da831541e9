# The three things people type: make demo, make test, make check.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
# What apt says is for the log, unless it fails.
install = mkdir -p build && { $(APT) update && $(APT) install -y --no-install-recommends $(1); } >build/apt.log 2>&1 || { cat build/apt.log >&2; exit 1; }

.PHONY: help demo down test check lint unit lab simulate root lab-packages proto docs lock wheel image bench endurance clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: lab-packages $(INSTALLED)  ## three real servers on this machine, rolled out, used and read
	@$(BIN)/python -m lab.demo

# Servers end with what is installed: it need not be new for that.
down: root  ## end the demo's servers
	@[ -e $(INSTALLED) ] || $(MAKE) --no-print-directory $(INSTALLED)
	@$(BIN)/python -m lab down

test: check lab  ## everything: lint, types, unit tests and the lab's real servers

check: lint unit  ## the quick half: lint, types and unit tests; needs no root

lint: $(INSTALLED)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

unit: $(INSTALLED)
	@$(BIN)/pytest -m "not lab and not postgres and not slow"

# These tests mostly wait. Workers wait at once, each with servers of its own and a file at a
# time; in the files' order, as the long ones come first.
WORKERS := 3

lab: lab-packages $(INSTALLED)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "lab or postgres or slow"

SEEDS ?= 1000

simulate: $(INSTALLED)  ## many histories of simulated fleets against the truth: SEEDS=1000, SEEDS=100-200
	@$(BIN)/python -m tests.simulation $(SEEDS)

proto: $(INSTALLED)  ## make the gRPC stubs anew from proto/
	@$(BIN)/python -m proto

docs: $(INSTALLED)  ## make the CLI reference anew from the code
	@$(BIN)/python -m docs

wheel: $(INSTALLED)  ## build the wheel that people install, into dist/
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

BUILDER ?= $(shell command -v buildah podman docker | head -1)

image: wheel  ## build a container image with ops and pyinfra for CI, with buildah, podman or docker
	@[ -n "$(BUILDER)" ] || { echo "No builder: as root, apt-get install buildah" >&2; exit 1; }
	@$(BUILDER) build -t xray-ops -f Containerfile $(IMAGE_OPTIONS) .

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --upgrade pyproject.toml

lock: $(INSTALLED)  ## pin the newest dependencies, with hashes
	$(LOCK) -o requirements.lock
	$(LOCK) -c requirements.lock --group dev -o requirements-dev.lock

# Debian's own python3 comes without venv, so it is among them.
LAB_PACKAGES := python3-venv systemd-container mmdebstrap nftables openssh-client iproute2 postgresql

# Asked first: nothing is installed for who may not use it.
root:
	@[ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ] || { \
	  echo "The lab needs root on Debian 12: its servers are containers. The unit tests run anywhere: make check" >&2; exit 1; }

lab-packages: root
	@missing=; for package in $(LAB_PACKAGES); do \
	  dpkg-query -Wf '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing+=" $$package"; done; \
	[ -z "$$missing" ] || { echo "Installing$$missing"; $(call install,$$missing); }

bench: lab-packages $(INSTALLED)  ## the README's measurements, beside the peers
	@for what in bench bench.collecting bench.ledger bench.validate bench.rollout; do $(BIN)/python -m $$what; done
	@$(BIN)/python -m docs

endurance: $(INSTALLED)  ## 100,000 answers of hosts that say anything, 20,000 simulated fleets
	@$(BIN)/python -m bench.endurance

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .mypy_cache

# Debian's python3 comes without venv: install it where we may, else say how.
$(INSTALLED): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "xray-ops needs Python 3.11 or newer; this is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { [ $$(id -u) = 0 ] && echo "Installing python3-venv" && $(call install,python3-venv); } || \
	  { echo "Python's venv is missing: as root, apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the locked Python packages into $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip --disable-pip-version-check -q install --require-hashes -r requirements-dev.lock
	@$(BIN)/pip --disable-pip-version-check -q install --no-deps --no-build-isolation -e .
	@touch $@
