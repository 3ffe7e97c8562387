#!/bin/sh
# Sets up the Python side: an isolated uv, the locked environment, this package. Quick when nothing changed.
# usage: setup.sh [--no-kerberos]    PYTHON=/path/to/python chooses the interpreter
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

find_python() {
  # A shim may be on PATH and still fail, so each candidate is run, not looked up.
  for candidate in "${PYTHON:-}" python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python3.13 python3 python3.12; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  say "No Python >= 3.12 with ensurepip was found: apt-get install python3-venv, or PYTHON=/path/to/python make setup"
  exit 1
}

stamp=.setup-stamp
want=$(cat .python-version pyproject.toml .ci/hatch_build.py requirements/*.txt .ci/setup.sh | sha256sum)
want="$want ${1:-}"
if [ -x .venv/bin/dsi ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
  .venv/bin/python .ci/hatch_build.py
  exit 0
fi
rm -f "$stamp"

if ! .uv/bin/uv --version >/dev/null 2>&1; then
  say "Installing uv ..."
  rm -rf .uv
  "$(find_python)" -m venv .uv
  .uv/bin/pip -q --disable-pip-version-check install --require-hashes -r requirements/uv.txt
fi
export UV_PYTHON_DOWNLOADS=never UV_NO_CONFIG=1 UV_LINK_MODE=copy
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
  rm -rf .venv
  .uv/bin/uv venv -q --python "$(find_python)" .venv
fi
say "Installing the locked environment ..."
.uv/bin/uv pip sync -q --require-hashes --no-build --compile-bytecode --python .venv requirements/dev.txt
if [ "${1:-}" != --no-kerberos ]; then
  # These ship as source only: built with the compilers of the dev lock, nothing unhashed is fetched.
  # Cython turns the bindings into C; flags keep that build short on a small machine.
  CFLAGS="${CFLAGS:--O1}" .uv/bin/uv pip install -q --require-hashes --no-deps --no-build-isolation --compile-bytecode \
    --python .venv -r requirements/kerberos.txt
fi
.uv/bin/uv pip install -q --no-deps --no-build-isolation --python .venv -e .
# Ansible finds the collection from any folder; a link, so that a change is seen at once.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$site/ansible_collections"
ln -sfn "$PWD/dsi_automation/ansible_collections/dsi" "$site/ansible_collections/dsi"
printf '%s' "$want" >"$stamp"
