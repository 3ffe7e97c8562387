#!/bin/sh
# archive_wal.sh PATH NAME FOLDER: PostgreSQL's archive_command, for `archive_wal.sh %p %f /the/folder`.
#
# Keeps a segment of the log whole or not at all: copied beside its place, flushed to the disk, then linked to its
# name, which fails where that name is taken. A segment that is kept already is a success only when it is the same,
# byte for byte: another one is left as it is, and PostgreSQL is told no. Nothing else is ever touched.
# Exit status: 0 kept; 1 not kept, PostgreSQL tries again; never above 125, which would stop the archiver.
set -u
umask 027

refuse() {
    echo "archive_wal.sh: $*" >&2
    exit 1
}

[ $# -eq 3 ] || refuse "usage: archive_wal.sh PATH NAME FOLDER"
path=$1 name=$2 folder=$3
case $name in
'' | .* | */*) refuse "not the name of a segment: $name" ;;
esac
[ -f "$path" ] || refuse "there is no file $path"
[ -d "$folder" ] || refuse "there is no folder $folder (not mounted?)"

same() {
    cmp -s -- "$path" "$folder/$name"
}

if [ -e "$folder/$name" ]; then
    same || refuse "$folder/$name is there already and is another file: it stays as it is"
    # A crash may have come between our link and the flush of the folder.
    sync -- "$folder/$name" "$folder" || refuse "cannot flush $folder"
    exit 0
fi

part=$(mktemp -- "$folder/.$name.XXXXXXXX") || refuse "cannot write in $folder"
trap 'rm -f -- "$part"' EXIT
trap 'exit 1' HUP INT TERM
cp -- "$path" "$part" || refuse "cannot copy $path to $folder (disk full?)"
chmod 0640 -- "$part" || refuse "cannot set the mode of $part"
sync -- "$part" || refuse "cannot flush $part"
cmp -s -- "$path" "$part" || refuse "what was written to $folder is not what was read"
if ! ln -- "$part" "$folder/$name" 2>/dev/null; then
    [ -e "$folder/$name" ] || refuse "cannot name $folder/$name"
    same || refuse "$folder/$name came meanwhile and is another file: it stays as it is"
fi
sync -- "$folder" || refuse "cannot flush $folder"
exit 0
