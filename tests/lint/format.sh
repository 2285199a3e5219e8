#!/usr/bin/env bash
# clang-format decides the layout of every C file.
set -euo pipefail
cd "$GRADUS_SOURCE"
if ! command -v clang-format >/dev/null; then
  echo "SKIPPED: clang-format is not installed"
  exit 77
fi
find include src stages tests -name '*.[ch]' -print0 |
  xargs -0 clang-format --dry-run -Werror
