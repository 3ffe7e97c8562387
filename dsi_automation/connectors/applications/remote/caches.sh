# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# Empties folders while the server is down: what is in them, never the folders nor what a link points to.
# DSI_RELEASES, DSI_LINK: what must not lie in them, or nothing. $@: the folders, absolute.
own_address
service_state
if [ "$state" = running ] || listening; then refuse up; fi

inside() { # PATH FOLDER: whether PATH is the folder or lies in it
    case $1/ in "$2"/*) return 0 ;; esac
    return 1
}

# mountinfo writes a space as \040 (proc_pid_mountinfo(5)).
mounts=$(awk '{ gsub(/\\040/, " ", $5); print $5 }' /proc/self/mountinfo) || refuse scratch
check() {
    [ ! -L "$1" ] || refuse link "$1"
    [ -d "$1" ] || refuse no_folder "$1"
    real=$(readlink -f -- "$1") || refuse no_folder "$1"
    case $real in / | /*/*) ;; *) refuse shallow "$1" ;; esac
    [ "$real" != / ] || refuse shallow "$1"
    # A release lies in its folder, and a cache may lie in a release: never the other way round.
    for kept in "$DSI_RELEASES" "$DSI_LINK" "${DSI_LINK:+$(readlink -f -- "$DSI_LINK")}" \
        "${DSI_RELEASES:+$(readlink -f -- "$DSI_RELEASES")}" "${DSI_LINK:+$(readlink -f -- "${DSI_LINK%/*}")/${DSI_LINK##*/}}"; do
        [ -n "$kept" ] || continue
        if inside "$kept" "$real" || inside "$kept" "$1"; then refuse holds_release "$1"; fi
    done
    printf '%s\n' "$mounts" | while IFS= read -r mount; do
        if inside "$mount" "$real"; then exit 1; fi
    done || refuse mounted "$1"
}

size() {
    find . -xdev -mindepth 1 ! -type d -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { printf "%.0f", n }'
}

# All are looked at before anything of one is removed.
for folder in "$@"; do if [ -e "$folder" ] || [ -L "$folder" ]; then check "$folder"; fi; done
bytes=0
for folder in "$@"; do
    if [ -e "$folder" ] || [ -L "$folder" ]; then
        check "$folder"
        cd -P -- "$real" && [ "$(pwd -P)" = "$real" ] || refuse no_folder "$folder"
        before=$(size)
        error=$(find . -xdev -mindepth 1 -delete 2>&1) || refuse not_emptied "$folder" "$(printf %s "$error" | tail -n 1)"
        bytes=$((bytes + before - $(size)))
    fi
done
say bytes "$bytes"
say end
