# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# Starts the service and does not wait for it. DSI_START: the start command, quoted.
# A script's is run in a session of its own, which outlives this one, and so does what it starts. What it says is
# read to the end of whoever holds its output: a service that still writes there is neither blocked nor ended by it.
# Nothing is started where the service runs already or the port is taken: that is said instead.
own_address
service_state
say state "$state"
if listening; then
    say listening "$rank"
    tell_clock
    find_holders
    for each in $holders; do tell holder "$each"; done
    exit 0
fi
[ "$state" != running ] || exit 0
say launched
if [ "$DSI_KIND" = systemd ]; then
    said=$(systemctl start --no-block -- "$DSI_UNIT" 2>&1)
    say ended "$?"
    say said "$(printf %s "$said" | tail -c 2000 | base64 | tr -d '\n')"
    exit 0
fi
as_service "$DSI_START"
folder=$(mktemp -d) || refuse scratch
export folder words
# shellcheck disable=SC2016  # read by the inner shell
setsid sh -c '
    : >"$folder/begun"
    { eval "$words" </dev/null 2>&1; echo "$?" >"$folder/new"; mv -- "$folder/new" "$folder/ended"; } 2>/dev/null |
    { head -c 2000 >"$folder/said"; cat >/dev/null; }
' </dev/null >/dev/null 2>&1 &
# Until it has its own session it would be ended with this one.
tries=0
while ! [ -e "$folder/begun" ]; do
    [ "$tries" -lt 500 ] || refuse scratch
    sleep 0.02
    tries=$((tries + 1))
done
say folder "$folder"
