#!/bin/sh
# Verifies an exported journal with ssh-keygen, sha256sum and the shell alone; run it in the export's folder.
export LC_ALL=C
wrong=0
bad() { echo "entry $n: $1"; wrong=1; }

n=0
[ "$(tr -d '\000' <journal.jsonl | wc -c)" = "$(wc -c <journal.jsonl)" ] || bad "NUL bytes were put into journal.jsonl"
prev=0000000000000000000000000000000000000000000000000000000000000000
exec 3<hashes.txt
while IFS= read -r line || [ -n "$line" ]; do
  n=$((n + 1))
  hash=$(printf '%s' "$line" | sha256sum | cut -d' ' -f1)
  IFS= read -r written <&3
  [ "$hash" = "$written" ] || bad "it is not what hashes.txt says"
  # The members of a line stand in alphabetical order; after the last "kind" come prev, seq, signed, subject.
  tail=${line##*',"kind":"'}
  kind=${tail%%'"'*}
  case "${tail#*'"'}" in
    ',"prev":"'"$prev"'","seq":'"$n"',"signed":'*) ;;
    *) bad "it does not follow entry $((n - 1))" ;;
  esac
  prev=$hash

  signed=${tail#*',"signed":'}
  case "$signed" in
    null,*)
      case "$kind" in request.* | emergency.* | custody.* | acceptance.*) bad "it should be signed and is not" ;; esac
      continue
      ;;
  esac
  s=signatures/$n
  who=$(cat "$s.principal") purpose=$(cat "$s.namespace")
  ssh-keygen -Y verify -f allowed_signers -I "$who" -n "$purpose" -s "$s.sig" \
    -Overify-time="$(cat "$s.time")" <"$s.document" >/dev/null 2>&1 || bad "the signature does not hold"
  time=$(sed 's/\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)Z/\1-\2-\3T\4:\5:\6/' "$s.time")
  case "$line" in
    '{"actor":"'"$who"'","at":"'"$time".*) ;;
    *) bad "it was signed by somebody else, or at another time" ;;
  esac
  document=$(sed 's/\\/\\\\/g; s/"/\\"/g' "$s.document")
  case "$signed" in
    '{"document":"'"$document"'","namespace":"'"$purpose"'",'*) ;;
    *) bad "the signed document is not the one of the entry" ;;
  esac
done <journal.jsonl
[ -z "$(cat <&3)" ] || { n=$((n + 1)); bad "hashes.txt goes on, the journal does not"; }

ssh-keygen -Y verify -f allowed_signers -I controller -n dsi-checkpoint \
  -s checkpoint.sig <checkpoint.document >/dev/null 2>&1 || { echo "the checkpoint's signature does not hold"; wrong=1; }
seq=$(sed 's/.*"seq":\([0-9]*\).*/\1/' checkpoint.document)
claimed=$(sed 's/.*"hash":"\([0-9a-f]*\)".*/\1/' checkpoint.document)
actual=$(sed -n "${seq}p" journal.jsonl | tr -d '\n' | sha256sum | cut -d' ' -f1)
[ "$claimed" = "$actual" ] || { echo "entry $seq is not the one of the checkpoint, or is no longer there"; wrong=1; }

if [ "$wrong" = 0 ]; then echo "OK: $n entries, the last one is $n:$prev"; else echo BROKEN; fi
[ "$wrong" = 0 ]
