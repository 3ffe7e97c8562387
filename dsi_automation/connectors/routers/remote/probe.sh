# shellcheck shell=sh
# Tries a TCP connection from an address of the LAN. own|borrow INTERFACE SOURCE DESTINATION PORT SECONDS
# Says `tried open|refused|blocked`, or `problem WORD ...`. Needs iproute2 and python3, which Ansible needs as well; to
# borrow an address: root, and arping of iputils.
# An address that is borrowed has an end the kernel keeps, in case nobody is left to give it back.
set -u
how=$1 interface=$2 source=$3 destination=$4 port=$5 seconds=$6
say() { printf '%s\n' "$*"; }
refuse() { say problem "$@"; exit 0; }

number='(0|[1-9][0-9]{0,2})'
address="^$number\\.$number\\.$number\\.$number\$"
for each in "$source" "$destination"; do
    printf '%s\n' "$each" | grep -Eqx -- "$address" || refuse argument "$each"
done
printf '%s\n' "$port" | grep -Eqx '[1-9][0-9]{0,4}' || refuse argument "$port"
printf '%s\n' "$seconds" | grep -Eqx '[0-9]{1,3}(\.[0-9]+)?' || refuse argument "$seconds"
[ -e "/sys/class/net/$interface" ] || refuse interface "$interface"
command -v python3 >/dev/null || refuse missing python3

mine() { ip -4 -o address show to "$source/32" 2>/dev/null | grep -q .; }
if [ "$how" = borrow ]; then
    [ "$(id -u)" = 0 ] || refuse root "$(id -un)"
    # The other arping there is means something else by -D.
    arping -V 2>/dev/null | grep -q iputils || refuse missing arping
    mine && refuse in-use "$source"
    arping -D -q -c 2 -w 3 -I "$interface" "$source" >/dev/null 2>&1 || refuse in-use "$source"
    trap 'ip address del "$source/32" dev "$interface" 2>/dev/null' EXIT
    trap 'exit 143' HUP INT TERM
    ip address add "$source/32" dev "$interface" valid_lft "$((${seconds%.*} + 10))" preferred_lft 0 ||
        refuse take "$source"
elif ! mine; then
    refuse not-own "$source"
fi

python3 - "$source" "$destination" "$port" "$seconds" <<'PYTHON'
import socket
import sys

source, destination, port, seconds = sys.argv[1:]
tried = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
tried.settimeout(float(seconds))
tried.bind((source, 0))
try:
    tried.connect((destination, int(port)))
    print("tried open")
except ConnectionRefusedError:
    print("tried refused")
except OSError:
    print("tried blocked")
PYTHON
