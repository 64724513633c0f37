# Each target does all its own set-up on Debian 12 or newer, and does nothing twice.
# Needs nothing beforehand but git, make and (for apt-get, when not root) sudo.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PORT ?= 8080
RUNS ?= 3
DEBIAN := skopeo docker-registry openssl
# Shared out as tests/conftest.py says.
SPREAD := --dist loadscope --no-loadscope-reorder
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python is started by the hundred here: what is compiled once stays compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo sandbox test lint types unit integration sweeps upgrade packaging browser pictures long chaos load bench soak workflows audit docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed .debian ## Watch one conversation from question to pulled image (no account needed)
	@$(BIN)/imageto-bot demo

sandbox: $(VENV)/.installed .debian ## Play with it in the browser: http://127.0.0.1:8080 (PORT=… for another)
	@$(BIN)/imageto-bot sandbox --port $(PORT) --fresh 20 --all

# Two at a time, since some of them use one core alone.
test: ## Run every check, and each kind of test (about 5 minutes on two cores)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line types unit lint workflows integration

lint: $(VENV)/.developing ## Check style: ruff, shellcheck, hadolint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck .ci/run
	$(BIN)/hadolint Dockerfile

types: $(VENV)/.developing ## Check types: mypy --strict
	$(BIN)/mypy bot
	$(BIN)/mypy --python-version 3.10 bot/workflow/mirror

workflows: $(VENV)/.developing ## Check the workflow files and deploy/compose.yaml: zizmor and schemas
	$(BIN)/zizmor --offline --pedantic --quiet bot/workflow/mirror.yml .github/workflows
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows bot/workflow/mirror.yml .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml

# Strict: a package that nobody can say anything about is a failure, not a success.
audit: $(VENV)/.developing ## Look for known vulnerabilities of what the image installs (needs the internet)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  --requirement requirements.lock

# Coverage is measured where these tests have to reach every line. It doubles their time.
UNITS := tests/core tests/paste tests/dialog
unit: $(VENV)/.developing .debian ## Run the tests of what decides, and measure what they cover
	$(BIN)/pytest --numprocesses 2 --cov --cov-report=term:skip-covered $(UNITS)

# Four workers on two cores, since many of these tests wait.
integration: $(VENV)/.developing .debian ## Run the other tests: servers, processes, a selection of kills and faults
	$(BIN)/pytest --numprocesses 4 $(SPREAD) $(UNITS:%=--ignore %)

# Breaks each promise on purpose, and plays what starts the most processes.
sweeps: $(VENV)/.developing .debian ## Run what .ci/run runs after `make test`: more of the same kinds
	$(BIN)/pytest --numprocesses 4 $(SPREAD) -m 'sweep and not chaos and not long'

upgrade: $(VENV)/.developing ## Open a database of each earlier schema, and let its open requests go on
	$(BIN)/pytest --numprocesses 2 -m upgrade tests/adapters/store/test_upgrades.py

# What cannot be installed is skipped, with words. Prometheus is unpacked alone: its package would
# start a server of the machine's own.
PROMETHEUS := $(CURDIR)/$(VENV)/prometheus
packaging: $(VENV)/.developing .packaging ## Build and run the image, scrape the bot by Prometheus, verify the systemd unit
	PATH="$(PROMETHEUS)/usr/bin:$$PATH" $(BIN)/pytest -m packaging tests/packaging

browser: $(VENV)/.browsing .chromium ## Use the sandbox's page in Chromium, as people would
	@[ -x /usr/bin/chromium ] || { echo "browser: skipped, since there is no /usr/bin/chromium"; exit 0; }; \
	$(BIN)/pytest -p no:xdist tests/browser

pictures: $(VENV)/.browsing .chromium ## Take the pictures of the documents from the sandbox's page
	$(BIN)/python tests/browser/pictures.py

chaos: $(VENV)/.developing .debian ## Throw every kill, fault and input at the bot (about 10 minutes on two cores)
	$(BIN)/pytest --numprocesses 6 $(SPREAD) -m 'not long and not sample' tests/chaos
	$(BIN)/pytest --numprocesses 2 -m hypothesis --hypothesis-profile explore $(UNITS) tests/workflow

load: $(VENV)/.developing .debian ## Serve 200 people at once, over a million old transfers too (under 10 minutes)
	$(BIN)/python tests/load history
	$(BIN)/python tests/load retention
	$(BIN)/python tests/load export
	$(BIN)/python tests/load load

# RUNS=1 for a first look. Docker is measured where dockerd is there and this is root.
bench: $(VENV)/.browsing .debian .chromium ## Measure the bot, and its workflow beside docker and skopeo (an hour with RUNS=3)
	$(BIN)/python tests/bench bot
	$(BIN)/python tests/bench page
	$(BIN)/python tests/bench $(RUNS)
	$(BIN)/python tests/bench tls $(RUNS)
	$(BIN)/python tests/bench lines $(RUNS)

soak: $(VENV)/.developing .debian ## Serve people for 20 minutes among faults, and watch memory and files
	$(BIN)/python tests/load soak

long: $(VENV)/.developing .debian ## Run the tests that take minutes: limits and waits as they are
	$(BIN)/pytest -m long

docs: $(VENV)/.developing ## Write the tables of the documents from the code
	$(BIN)/python tests/docs

lock: $(VENV)/.developing ## Pin what the Docker image installs, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## Remove what the other targets made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  && $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends python3 python3-venv; }
	$(PYTHON) -m venv $(VENV)

# A stamp of its own for users: trying the demo should not install the developers' tools.
$(VENV)/.installed: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --editable '.[sandbox]'
	@touch $@

$(VENV)/.developing: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --editable '.[sandbox,dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.browsing: pyproject.toml | $(VENV)/.developing .debian
	$(BIN)/pip install --quiet --editable '.[sandbox,dev,browser]'
	@touch $@

# What is written in Chinese, and the signs on cards, need fonts.
.PHONY: .chromium
.chromium:
	@fonts=$$(fc-list 2>/dev/null || true); \
	[ -x /usr/bin/chromium ] && [[ $$fonts == *NotoColorEmoji* && $$fonts == *"Noto Sans CJK"* ]] || { \
	  echo "installing chromium and its fonts"; \
	  $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qy \
	    --no-install-recommends chromium fontconfig fonts-noto-color-emoji fonts-noto-cjk; } \
	  || echo "cannot install chromium"

.PHONY: .debian
.debian:
	@missing=$$(for name in $(DEBIAN) git; do command -v $$name >/dev/null || echo $$name; done); \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	fi

.PHONY: .packaging
.packaging:
	@missing=$$(for name in debootstrap buildah runc containerd systemd-analyze; do \
	  command -v $$name >/dev/null || echo $${name%-analyze}; done); \
	[ -z "$$missing" ] || { $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; } \
	  || echo "packaging: cannot install $$missing"
	@command -v prometheus >/dev/null || [ -x $(PROMETHEUS)/usr/bin/prometheus ] \
	  || { mkdir -p $(PROMETHEUS) && cd $(PROMETHEUS) && apt-get download prometheus && dpkg-deb -x prometheus_*.deb .; } \
	  || echo "packaging: cannot have prometheus"
