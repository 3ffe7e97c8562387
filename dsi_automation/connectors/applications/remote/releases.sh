# shellcheck shell=sh disable=SC2154,SC2015  # common.sh assigns them; `refuse` ends the script, whichever part failed
# Releases beside each other, and the link to the one in use. $1: what to do. $2...: for it.
# DSI_RELEASES, DSI_LINK: where. DSI_OWNER: whose they are, or nothing. Names were checked: no slash, no leading dot.
SEAL=.dsi-release.json
umask 022
cd -- "$DSI_RELEASES" 2>/dev/null || {
    [ "$1" = begin ] && mkdir -- "$DSI_RELEASES" 2>/dev/null && cd -- "$DSI_RELEASES" || refuse no_folder "$DSI_RELEASES"
}

last_line() {
    printf %s "$1" | tail -n 1 | tr '\t' ' '
}

# Ends with why something could not be written: tar tells of a full disk in other words than the kernel.
unwritten() { # WHAT WAS SAID
    case $1 in *'No space left'* | *uota* | *'Wrote only'*) refuse full "$DSI_RELEASES" ;; esac
    refuse write "$(printf '%s\n' "$1" | head -n 1 | tr '\t' ' ')"
}

count() { # FOLDER: how many files and links it holds, the seal not counted
    find "$1" -xdev ! -type d ! -path "$1/$SEAL" -printf . | wc -c
}

sealed() { # FIELD RELEASE
    sed -n "s/.*\"$1\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$2/$SEAL"
}

whole() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ -f "$1/$SEAL" ] && [ "$(sealed name "$1")" = "$1" ] &&
        [ "$(count "$1")" -ge "$(sealed files "$1")" ]
}

seal() { # FOLDER NAME SHA256 FILES
    printf '{"name": "%s", "sha256": "%s", "files": %s}\n' "$2" "$3" "$4" >"$1/$SEAL"
}

# The release the link points to, in $used; nothing without a link.
in_use() {
    used=
    if [ -L "$DSI_LINK" ]; then
        _real=$(readlink -f -- "$DSI_LINK")
        case $_real in
        "$(pwd -P)"/*/*) refuse elsewhere "$DSI_LINK" "$_real" ;;
        "$(pwd -P)"/*) used=${_real##*/} ;;
        *) refuse elsewhere "$DSI_LINK" "$_real" ;;
        esac
    elif [ -e "$DSI_LINK" ]; then
        refuse no_link "$DSI_LINK"
    fi
}

# What a killed one left; only one run at a time has this server.
clean() {
    for left in ./.*.dsi-part ./.*.dsi-new ./.*.dsi-gone; do
        if [ -e "$left" ] || [ -L "$left" ]; then rm -rf --one-file-system -- "$left" || refuse write "$DSI_RELEASES/$left"; fi
    done
}

case $1 in
begin) # NAME SHA256
    if [ -e "$2" ] || [ -L "$2" ]; then
        [ ! -L "$2" ] && [ -f "$2/$SEAL" ] || refuse not_ours "$2"
        [ "$(sealed sha256 "$2")" = "$3" ] || refuse other "$2" "$(sealed sha256 "$2")"
        whole "$2" || refuse not_whole "$2"
        clean
        say there
        exit 0
    fi
    clean
    error=$(: 2>&1 >".$2.dsi-part") || unwritten "$error"
    say ready
    ;;
add) # NAME OFFSET; the bytes on standard input
    [ "$(stat -c %s -- ".$2.dsi-part")" = "$3" ] || refuse changed
    error=$(cat 2>&1 >>".$2.dsi-part") || unwritten "$error"
    say ready
    ;;
finish) # NAME SHA256 FILES
    part=.$2.dsi-part new=.$2.dsi-new
    sum=$(sha256sum <"$part") || refuse write "$part"
    [ "${sum%% *}" = "$3" ] || refuse checksum "${sum%% *}"
    error=$(mkdir -- "$new" 2>&1) || unwritten "$error"
    error=$(tar -x -f "$part" -C "$new" --no-same-owner --no-same-permissions --keep-old-files 2>&1) ||
        unwritten "$error"
    found=$(count "$new")
    [ "$found" = "$4" ] || refuse unpacked "$found" "$4"
    error=$(seal "$new" "$2" "$3" "$4" 2>&1) || unwritten "$error"
    if [ -n "$DSI_OWNER" ]; then
        error=$(chown -Rh -- "$DSI_OWNER:" "$new" 2>&1) || refuse owner "$(last_line "$error")"
    fi
    # Whole on the disk before it has its name.
    error=$(sync -f -- "$new/$SEAL" 2>&1) || unwritten "$error"
    error=$(mv -T -n -- "$new" "$2" 2>&1) || unwritten "$error"
    [ ! -e "$new" ] || refuse not_ours "$2"
    sync -- . && rm -f -- "$part"
    say ready
    ;;
clean)
    clean
    say ready
    ;;
use) # NAME
    in_use
    whole "$2" || refuse not_whole "$2"
    if [ "$used" != "$2" ]; then
        # One that was put there by hand was whole enough to be used: it can be gone back to.
        if [ -n "$used" ] && [ ! -e "$used/$SEAL" ]; then
            error=$(seal "$used" "$used" "" "$(count "$used")" 2>&1) || unwritten "$error"
        fi
        new=$DSI_LINK.dsi-new
        rm -f -- "$new"
        error=$(ln -s -- "$(pwd -P)/$2" "$new" 2>&1) || unwritten "$error"
        if [ -n "$DSI_OWNER" ]; then chown -h -- "$DSI_OWNER:" "$new" || refuse owner "$new"; fi
        error=$(mv -fT -- "$new" "$DSI_LINK" 2>&1) || { rm -f -- "$new"; unwritten "$error"; }
        sync -- "${DSI_LINK%/*}/" || refuse write "$DSI_LINK"
    fi
    say used "$used"
    ;;
drop) # NAME...: those that are kept
    shift
    in_use
    clean
    for folder in *; do
        [ -d "$folder" ] && [ ! -L "$folder" ] && [ -f "$folder/$SEAL" ] && [ "$folder" != "$used" ] || continue
        case $folder in -*) continue ;; esac
        for kept in "$@"; do [ "$folder" != "$kept" ] || continue 2; done
        # Without its name first: what is left of one whose removal was cut short is never taken for a release.
        mv -T -- "$folder" ".$folder.dsi-gone" && rm -rf --one-file-system -- ".$folder.dsi-gone" ||
            refuse write "$DSI_RELEASES/$folder"
        say dropped "$folder"
    done
    ;;
esac
say end
