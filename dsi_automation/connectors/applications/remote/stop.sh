# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# Stops the service and waits until nothing holds the port.
# DSI_STOP: the stop command, quoted. DSI_WITHIN: centiseconds. DSI_KILL: 1 to end what does not let the port go.
tell_clock
own_address
[ "$(id -u)" = 0 ] || say limited "$(id -un)"
now
begun=$at closed=$at killed='' p=''
service_state
if listening; then
    find_holders
    first=$holders
    [ "$rank" != 4 ] || first=''
else
    first=''
    [ "$state" = running ] || { say result already; exit 0; }
fi

folder=$(mktemp -d) || refuse scratch
trap 'rm -rf -- "$folder"' EXIT
# Whoever ordered the stop is gone: a stop command that hangs is not left behind. Nobody reads what the shell says
# then (`Terminated`, of what it waited for): that must not end it before.
trap : PIPE
trap '[ -z "$p" ] || end_session "$p"; exit 143' TERM HUP INT

finished() {
    say result "$1"
    say state "$state"
    say seconds "$((closed - begun))"
    now
    say ago "$((at - closed))"
    say said "$(tail -c 2000 -- "$folder/said" | base64 | tr -d '\n')"
    for _each in ${holders:-}; do tell holder "$_each"; done
    [ "${rank:-}" != 4 ] || say elsewhere
    say end
    exit 0
}

# Notes in $closed when the port was first free, and tells whether it is.
free() {
    if listening; then
        closed=''
        return 1
    fi
    holders=''
    if [ -z "$closed" ]; then
        now
        closed=$at
    fi
}

if [ "$DSI_KIND" = systemd ]; then words="systemctl stop -- '$DSI_UNIT'"; else as_service "$DSI_STOP"; fi
(eval "exec setsid $words") </dev/null >"$folder/said" 2>&1 &
p=$!
while :; do
    if free && ! ticks "$p"; then
        service_state
        [ "$state" = running ] || finished stopped
    fi
    now
    [ "$((at - begun))" -lt "$DSI_WITHIN" ] || break
    sleep 0.05
done

if ticks "$p"; then
    say hung
    end_session "$p"
fi
wait "$p" 2>/dev/null
service_state
if free && [ "$state" != running ]; then finished stopped; fi
if listening; then find_holders; fi
[ "$DSI_KILL" = 1 ] || finished held
# Through another address than ours, who holds the port there is not known for sure.
[ "${rank:-}" != 4 ] || finished held

# Those that hold the port, or held it when the stop was ordered and are no less there for having closed it since.
condemned=${holders:-$first}
[ -n "$condemned" ] || finished held
may_end() {
    [ "${1%%:*}" -gt 1 ] && lives "$1" || return 1
    # shellcheck disable=SC2086,SC2116  # lines become words between single spaces
    case " $(echo $first) " in *" $1 "*) return 0 ;; esac
    listening && find_holders
    # shellcheck disable=SC2086,SC2116
    case " $(echo $holders) " in *" $1 "*) return 0 ;; esac
    return 1
}
for signal in TERM KILL; do
    for each in $condemned; do
        may_end "$each" || continue
        [ -n "$killed" ] || tell killed "$each"
        kill -s "$signal" "${each%%:*}" 2>/dev/null && killed=1
    done
    # 5 s each: its own stop has had its time already.
    now
    until=$((at + 500))
    left=1
    while [ -n "$left" ] && [ "$at" -lt "$until" ]; do
        sleep 0.05
        left=''
        for each in $condemned; do if lives "$each"; then left=1; fi; done
        free || left=1
        now
    done
    [ -n "$left" ] || break
done
tries=0
while :; do
    service_state
    if free && [ "$state" != running ]; then finished stopped; fi
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || break
    sleep 0.1
done
if listening; then find_holders; fi
finished held
