#!/bin/sh
# The static checks, one after another; the first that fails stops.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
step() { printf -- '--- %s\n' "$*"; "$@"; }
step ruff check .
step ruff format --check .
step mypy
step lint-imports
step python .ci/catalogue.py check
step ansible-lint --offline --profile production playbooks roles dsi_automation/ansible_collections
# shellcheck disable=SC2046  # our file names hold no spaces
step shellcheck $(git ls-files '*.sh' '.ci/run')
