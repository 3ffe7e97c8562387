# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# How a start goes on. DSI_FOLDER: what start.sh said, or nothing.
own_address
service_state
say state "$state"
if listening; then say listening "$rank"; fi
if [ -n "$DSI_FOLDER" ]; then
    if [ -f "$DSI_FOLDER/ended" ]; then say ended "$(cat -- "$DSI_FOLDER/ended")"; fi
    say said "$(base64 <"$DSI_FOLDER/said" 2>/dev/null | tr -d '\n')"
elif [ "$DSI_KIND" = systemd ] && [ "$state" = failed ]; then
    say said "$(journalctl -q -u "$DSI_UNIT" -n 10 -o cat --no-pager 2>/dev/null | tail -c 2000 | base64 | tr -d '\n')"
fi
say end
