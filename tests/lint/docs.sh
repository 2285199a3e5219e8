#!/usr/bin/env bash
# What the program prints about itself is what docs/ says.
set -uo pipefail
gradus=$GRADUS_BUILD/gradus
bad=0
compare() { # file, arguments
  local file=$GRADUS_SOURCE/docs/$1
  shift
  if ! "$gradus" "$@" | diff -u "$file" -; then
    echo "docs/$(basename "$file") is old: build/release/gradus $* >$file"
    bad=1
  fi
}
compare gradus.1 help --man
compare manifest.md help manifest --markdown
if command -v man >/dev/null; then
  complaints=$(LC_ALL=C.UTF-8 man --warnings=w -l "$GRADUS_SOURCE/docs/gradus.1" 2>&1 >/dev/null)
  [ -z "$complaints" ] || { echo "$complaints"; bad=1; }
fi
exit $bad
