# shellcheck shell=sh disable=SC2034,SC2015  # read by the scripts it is put before; tests that only assign
# What the other scripts share: who listens on a port, what a service says, how processes are known and ended.
# POSIX shell with what a Linux server has: awk, coreutils, GNU find and tar, util-linux. Put before each of them.
#
# Given in the environment:
#   DSI_PORT         the port, four hexadecimal digits as in /proc/net/tcp
#   DSI_EXACT        its addresses, hexadecimal as there (little endian), between spaces; DSI_FAMILY  4, 6 or 46
#   DSI_OWN          the same addresses as people write them (IPv4) or as /proc/net/if_inet6 does (IPv6)
#   DSI_KIND         systemd or script; DSI_UNIT  of systemd
#   DSI_STATUS       the status command, quoted for a shell; DSI_USER  who runs the script, quoted, or nothing
# Says lines of words between tabs; a line `problem` ends it.
set -u

say() {
    _line=$1
    shift
    for _word in "$@"; do _line="$_line	$_word"; done
    printf '%s\n' "$_line"
}

refuse() {
    say problem "$@"
    exit 3
}

# Centiseconds of a clock that never goes back, in $at.
now() {
    read -r _up _ </proc/uptime
    at=${_up%.*}${_up#*.}
}

# --- the port ---------------------------------------------------------------------------------------------------

# Tells in $elsewhere whether none of the addresses is this machine's: then it is reached through another one.
own_address() {
    elsewhere=1
    for _own in $DSI_OWN; do
        case $_own in
        127.*) elsewhere= ;;
        *.*) awk -v a="$_own" '$1 == "|--" { last = $2 } $2 == "host" && $3 == "LOCAL" && last == a { found = 1 }
            END { exit !found }' /proc/net/fib_trie 2>/dev/null && elsewhere= ;;
        *) awk -v a="$_own" '$1 == a { found = 1 } END { exit !found }' /proc/net/if_inet6 2>/dev/null && elsewhere= ;;
        esac
    done
}

# Puts the inodes of the sockets that hold the port at the address into $sockets: of those that match best only.
# Rank 1: that very address; 2: any IPv4; 3: any IPv6, and with it IPv4 unless the socket is for IPv6 only;
# 4: an address of this machine that is not known to be the one asked for.
listening() {
    _found=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$DSI_PORT" -v exact=" $DSI_EXACT " \
        -v family="$DSI_FAMILY" -v elsewhere="$elsewhere" '
        $4 != "0A" { next }
        { split($2, local, ":"); if (local[2] != port) next; a = local[1]; rank = 0 }
        index(exact, " " a " ") { rank = 1 }
        !rank && a == "00000000" && family ~ /4/ { rank = 2 }
        !rank && a == "00000000000000000000000000000000" { rank = 3 }
        !rank && elsewhere && a !~ /7F$/ && a != "00000000000000000000000001000000" { rank = 4 }
        rank && (!best || rank < best) { best = rank; found = "" }
        rank && rank == best { found = found " " $10 }
        END { if (best) print best found }')
    rank=${_found%% *} sockets=${_found#* }
    if [ "$rank" = 3 ] && [ "$DSI_FAMILY" = 4 ] && command -v ss >/dev/null 2>&1; then
        # ss writes `*` for both families and `[::]` for IPv6 only (ss(8), iproute2's ss.c).
        case " $(ss -H -ltn6 "sport = :$((0x$DSI_PORT))" 2>/dev/null) " in
        *" *:"*) ;;
        *" [::]:"*) rank='' sockets='' ;;
        esac
    fi
    [ -n "$rank" ]
}

# Puts the processes that have one of $sockets open into $holders, `PID:TICKS`, the oldest first.
find_holders() {
    # Processes come and go while they are listed: what ls could not read any more says nothing.
    # shellcheck disable=SC2012  # what the kernel names so holds no odd letter, and find would cost a process each
    holders=$(ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v sockets=" $sockets " '
        /^\/proc\// { split($0, path, "/"); pid = path[3] }
        match($0, /socket:\[[0-9]+\]$/) { if (index(sockets, " " substr($0, RSTART + 8, RLENGTH - 9) " ")) print pid }
        ' | sort -un | while read -r _pid; do
        ticks "$_pid" && printf '%s:%s\n' "$_pid" "$ticks"
    done | sort -t: -k2,2n -k1,1n)
}

# --- processes --------------------------------------------------------------------------------------------------

# When a process started, clock ticks since the machine did, in $ticks (proc_pid_stat(5), field 22); fails without one.
ticks() {
    ticks=
    { IFS= read -r _stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    case $_stat in *') '*) ;; *) return 1 ;; esac
    # shellcheck disable=SC2086  # its fields
    set -- ${_stat##*) }
    case $1 in Z | X) return 1 ;; esac
    ticks=${20}
}

# Tells whether PID:TICKS is still that process.
lives() {
    ticks "${1%%:*}" && [ "$ticks" = "${1#*:}" ]
}

# Says who PID:TICKS is: its name without its arguments, which may hold a password.
tell() {
    say "$1" "${2%%:*}" "${2#*:}" "$(tr -d '\t\n' <"/proc/${2%%:*}/comm" 2>/dev/null)" \
        "$(stat -c %U -- "/proc/${2%%:*}" 2>/dev/null)"
}

tell_clock() {
    say btime "$(awk '$1 == "btime" { print $2 }' /proc/stat)"
    say hertz "$(getconf CLK_TCK 2>/dev/null || echo 100)"
}

# The processes of a session that still live.
of_session() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v s="$1" '{ p = $1; sub(/^.*\) /, ""); if ($4 == s && $1 != "Z") print p }'
}

# Ends a command that was started in a session of its own, with all its children: SIGTERM, and SIGKILL 3 s later.
end_session() {
    for _signal in TERM KILL; do
        _left=$(of_session "$1")
        [ -n "$_left" ] || return 0
        # shellcheck disable=SC2086  # a list of numbers
        kill -s "$_signal" $_left 2>/dev/null
        _tries=0
        while [ "$_tries" -lt 60 ] && [ -n "$(of_session "$1")" ]; do
            sleep 0.05
            _tries=$((_tries + 1))
        done
    done
}

# --- the service ------------------------------------------------------------------------------------------------

# Puts the words that run COMMAND as the service's user, in the environment an init script has (service(8)), into
# $words. sudo makes an environment itself, and its rules may name the command.
_clean=
as_service() {
    # Asked once: every program counts while users wait.
    if [ -z "$_clean" ]; then
        _me=$(id -un) _who=$(eval "printf %s ${DSI_USER:-}")
        _home=$(getent passwd "${_who:-$_me}" | cut -d: -f6)
        _lang=$(sed -n 's/^LANG=//p' /etc/default/locale /etc/locale.conf 2>/dev/null | tail -n 1 | tr -d \'\")
        _clean="env -i PATH='$PATH' HOME='${_home:-/}' USER='${_who:-$_me}' LOGNAME='${_who:-$_me}' SHELL=/bin/sh"
        [ -z "$_lang" ] || _clean="$_clean LANG='$_lang'"
    fi
    if [ -z "$_who" ] || [ "$_who" = "$_me" ]; then
        words="$_clean $1"
    elif [ "$(id -u)" = 0 ]; then
        words="runuser -u $DSI_USER -- $_clean $1"
    else
        words="sudo -n -u $DSI_USER -- $1"
    fi
}

# Puts what the service manager says into $state: running, stopped, failed or unknown.
service_state() {
    state=unknown
    if [ "$DSI_KIND" = systemd ]; then
        command -v systemctl >/dev/null 2>&1 || refuse absent systemctl
        _shown=$(systemctl show -p LoadState -p ActiveState -p SubState -p MainPID -- "$DSI_UNIT" 2>&1) ||
            refuse systemctl "$(printf %s "$_shown" | tr '\n\t' '  ')"
        case $_shown in
        *LoadState=loaded*) ;;
        *) refuse unit "$DSI_UNIT" "$(printf '%s\n' "$_shown" | sed -n 's/^LoadState=//p')" ;;
        esac
        # One that restarts itself or stops is not stopped yet (systemd(1), "Units").
        case $(printf '%s\n' "$_shown" | sed -n 's/^ActiveState=//p') in
        active | reloading | refreshing | activating | deactivating) state=running ;;
        inactive) state=stopped ;;
        failed) state=failed ;;
        esac
        return
    fi
    as_service "$DSI_STATUS"
    eval "timeout 20 $words" </dev/null >/dev/null 2>&1
    case $? in
    0) state=running ;;
    1 | 2) state=failed ;;
    3) state=stopped ;;
    126 | 127) refuse unusable "$DSI_STATUS" ;;
    esac
}
