#!/bin/sh
# Sets up the Python side: an isolated uv, the locked environment, this package. Quick when nothing changed.
# usage: setup.sh [--no-kerberos]    PYTHON=/path/to/python chooses the interpreter
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

candidates="${PYTHON:-} python3.13 ${PYENV_ROOT:-$HOME/.pyenv}/versions/3.13.*/bin/python3.13 python3.12 python3"

# A shim may be on PATH and still fail, so each candidate is run, not looked up.
first_python() { # prints the first interpreter for which the test holds
  for candidate in $candidates; do
    if "$candidate" -c "import ensurepip, sys; sys.exit(not ($1))" 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
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
  any=$(first_python "sys.version_info >= (3, 9)") || { say "No Python was found: apt-get install python3-venv"; exit 1; }
  "$any" -m venv .uv
  .uv/bin/pip -q --disable-pip-version-check install --require-hashes -r requirements/uv.txt
fi
export UV_NO_CONFIG=1 UV_LINK_MODE=copy
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
  rm -rf .venv
  if ! python=$(first_python "sys.version_info >= (3, 12)"); then
    # Debian 12 has 3.11 only: uv brings an interpreter where the network lets it.
    say "No Python >= 3.12 here; fetching one ..."
    python=$(cat .python-version)
    .uv/bin/uv python install -q "$python" || {
      say "It could not be fetched. Install Python >= 3.12 and name it: PYTHON=/path/to/python make setup"
      exit 1
    }
  fi
  .uv/bin/uv venv -q --python "$python" .venv
fi
export UV_PYTHON_DOWNLOADS=never
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
