#!/bin/sh
# The static checks, one after another; the first that fails stops. ansible-lint, which waits a lot, runs beside them.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
step() { printf -- '--- %s\n' "$*"; "$@"; }
lint() { ansible-lint --offline --profile production playbooks roles dsi_automation/ansible_collections; }
linted=$(mktemp)
lint >"$linted" 2>&1 &
linting=$!
trap 'kill "$linting" 2>/dev/null || true; rm -f "$linted"' EXIT
step ruff check .
step ruff format --check .
step mypy
step lint-imports
step python .ci/catalogue.py check
# shellcheck disable=SC2046  # our file names hold no spaces
step shellcheck $(git ls-files '*.sh' '.ci/run' '*/dsi-cc')
status=0
echo '--- ansible-lint'
wait "$linting" || status=$?
cat "$linted"
exit "$status"
