#!/usr/bin/env bash
# Install the built tree, then build a five-line program against it twice:
# through find_package and through pkg-config.
set -euo pipefail
source_dir=$GRADUS_SOURCE
build_dir=$GRADUS_BUILD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build_dir" --prefix "$scratch/prefix" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; exit 1; }

cmake -G Ninja -S "$source_dir/tests/lint/consumer" -B "$scratch/build" \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; exit 1; }
cmake --build "$scratch/build" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; exit 1; }
"$scratch/build/consumer"

pc=$(dirname "$(find "$scratch/prefix" -name gradus.pc)")
# The installed file names the prefix that was configured.
sed -i "s|^prefix=.*|prefix=$scratch/prefix|" "$pc/gradus.pc"
export PKG_CONFIG_PATH=$pc
read -ra compile <<<"$(pkg-config --cflags --libs gradus)"
cc "$source_dir/tests/lint/consumer/consumer.c" "${compile[@]}" \
  -o "$scratch/pc_consumer"
"$scratch/pc_consumer"
echo "find_package and pkg-config both work"
