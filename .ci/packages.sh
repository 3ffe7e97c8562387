#!/bin/sh
# Installs the Debian packages a target needs, once: nothing is asked of apt when all are there.
# usage: packages.sh base|lab|test|check ...
set -eu
base="python3-venv openssh-client ca-certificates git"
build="gcc python3-dev libkrb5-dev"
lab="iproute2 nftables frr frr-pythontools conntrack sudo iputils-ping iputils-arping samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind adcli krb5-user ldap-utils smbclient openssh-server postgresql restic prometheus e2fsprogs tomcat10-common libpostgresql-jdbc-java"
test="faketime procps git"
check="shellcheck"

wanted=""
for set in "$@"; do
  case $set in
    base) wanted="$wanted $base $build" ;;
    lab) wanted="$wanted $lab" ;;
    test) wanted="$wanted $test" ;;
    check) wanted="$wanted $check" ;;
    *) printf 'unknown set of packages: %s\n' "$set" >&2; exit 2 ;;
  esac
done
missing=""
for package in $wanted; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  printf 'Missing packages; as root:\n  apt-get install --no-install-recommends%s\n' "$missing" >&2
  exit 1
fi
printf 'Installing Debian packages:%s\n' "$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# A service that Debian starts at its installation (a domain controller!) would listen on the machine's own interfaces.
guard=/usr/sbin/policy-rc.d
if [ -e "$guard" ]; then
  trap 'rm -f "$log"' EXIT
else
  trap 'rm -f "$log" "$guard"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod 755 "$guard"
fi
# shellcheck disable=SC2086  # a list of packages
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
