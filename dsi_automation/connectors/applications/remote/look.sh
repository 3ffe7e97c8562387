# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# Looks at everything at once. DSI_RELEASES, DSI_LINK: where releases lie, or nothing. $@: the cache folders.
say clock "$(date +%s.%N)"
tell_clock
own_address
service_state
say state "$state"
if listening; then
    say listening "$rank"
    find_holders
    for each in $holders; do tell holder "$each"; done
fi
[ "$(id -u)" = 0 ] || say limited "$(id -un)"

bytes=0
for folder in "$@"; do
    [ -d "$folder" ] || continue
    here=$(find "$folder/" -xdev -mindepth 1 ! -type d -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { printf "%.0f", n }')
    bytes=$((bytes + here))
done
say caches "$bytes"

if [ -n "$DSI_LINK" ] && [ -L "$DSI_LINK" ]; then
    say link "$(readlink -f -- "$DSI_LINK")" "$(readlink -f -- "$DSI_RELEASES")"
fi
if [ -n "$DSI_RELEASES" ]; then
    for folder in "$DSI_RELEASES"/*/; do
        folder=${folder%/}
        if [ -f "$folder/.dsi-release.json" ] && [ ! -L "$folder" ]; then say release "${folder##*/}"; fi
    done
fi
say end
