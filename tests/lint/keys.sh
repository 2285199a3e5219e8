#!/usr/bin/env bash
# The table of keys and the stages agree: a stage reads every key of its kind,
# and asks for no other.  A key that nobody reads would be accepted in silence.
set -uo pipefail
bad=0
kinds=0
reference=$("$GRADUS_BUILD/gradus" help manifest --markdown) || exit 1
for source in "$GRADUS_SOURCE"/stages/*.c; do
  kind=$(basename "$source" .c)
  kind=${kind//_/-} # train_detector.c
  # shellcheck disable=SC2016 # the backquotes are Markdown's
  keys=$(sed -n "/^### $kind\$/,/^### /p" <<<"$reference" |
    sed -nE 's/^\| `([^`]+)` \|.*/\1/p' | sort)
  [ -n "$keys" ] || continue
  kinds=$((kinds + 1))
  asked=$(tr -d '\n' <"$source" |
    grep -oE 'gd_instance_(int|real|reals|flag|text)\([a-z>-]*self, *"[a-z_0-9.]+"' |
    sed -E 's/.*"([^"]+)"/\1/' | sort -u)
  # The run loop itself reads max_skipped.
  unread=$(comm -23 <(grep -vx max_skipped <<<"$keys") <(echo "$asked") | xargs)
  unknown=$(comm -13 <(echo "$keys") <(echo "$asked") | xargs)
  if [ -n "$unread" ]; then
    echo "$source never reads: $unread"
    bad=1
  fi
  if [ -n "$unknown" ]; then
    echo "$source asks for keys that are not in the table: $unknown"
    bad=1
  fi
done
# Of no stage are these three.
known=$(grep '^### ' <<<"$reference" | grep -vcE ' (corpus|slurm|site)$')
if [ "$kinds" -ne "$known" ]; then
  echo "keys of $kinds stages were compared, the reference has $known"
  bad=1
fi
exit $bad
