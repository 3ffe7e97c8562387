# The project's commands. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
# Half of the tests' time is waiting for servers: five workers keep two cores busy. What each begins with: tests/lanes.py.
SPREAD ?= -n 5 --dist worksteal

.PHONY: help setup demo test check bench lock catalogue docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## set up the Python environment
	@.ci/packages.sh base
	@.ci/setup.sh

demo: ## see a workstation joined to a real Active Directory, from request to record (root, Debian)
	@.ci/packages.sh base lab
	@.ci/setup.sh
	@$(BIN)/python -m dsi_automation.lab.demo

test: ## run all tests (root, Debian)
	@.ci/packages.sh base lab test
	@.ci/setup.sh
	@.ci/in_memory.sh $(BIN)/pytest $(SPREAD) $(ARGS)

check: ## run the static checks
	@.ci/packages.sh base check
	@.ci/setup.sh
	@.ci/check.sh

bench: ## print the benchmarks, as ratios measured in one run (root, Debian)
	@.ci/packages.sh base lab test
	@.ci/setup.sh
	@$(BIN)/python -m benchmarks

lock: ## write the lock files anew
	@.ci/setup.sh
	@.ci/lock.sh --upgrade

catalogue: ## extract the sentences of the code into the French catalogues
	@$(BIN)/python .ci/catalogue.py update

docs: ## write the generated reference pages anew
	@$(BIN)/python -m dsi_automation.cli.reference docs

clean: ## stop the lab and remove what set-up made
	@[ ! -x $(BIN)/dsi ] || $(BIN)/dsi lab down
	@rm -rf .venv .uv .setup-stamp
