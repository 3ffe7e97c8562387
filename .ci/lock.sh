#!/bin/sh
# Writes the lock files anew (make lock). They carry hashes and name no index and no host.
set -eu
cd "$(dirname "$0")/.."
export UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never
compile() { .uv/bin/uv pip compile -q --generate-hashes --universal --python-version 3.12 --no-annotate --no-header "$@"; }
source_only="pykerberos gssapi krb5"
no_source_only=""
for name in $source_only; do no_source_only="$no_source_only --no-emit-package $name"; done
# shellcheck disable=SC2086  # a list of options
compile pyproject.toml --extra lab --extra kerberos --extra m365 --group dev $no_source_only -o requirements/dev.txt "$@"
# shellcheck disable=SC2086
compile pyproject.toml --extra m365 $no_source_only -o requirements/run.txt "$@"
printf '%s\n' gssapi krb5 pykerberos | compile --no-deps - -o requirements/kerberos.txt "$@"
printf '%s\n' "uv>=0.9" | compile - -o requirements/uv.txt "$@"
