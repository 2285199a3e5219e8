#!/usr/bin/env bash
# Hundreds of small videos: planned, extracted, and as many files on two ranks
# as on five.  The benchmark takes thousands.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"
"$GRADUS_SOURCE/tests/bench/extract_many.sh" "$gradus" 200 400
