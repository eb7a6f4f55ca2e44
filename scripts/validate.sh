#!/usr/bin/env bash
# The long tier: simulations and studies too slow for `make test`. Writes docs/validation/<date>.md with
# the commands, the build and the figures that they print.
set -euo pipefail
cd "$(dirname "$0")/.."

date=$(date +%Y-%m-%d)
out=docs/validation/$date.md
{
  echo "# Validation of $date"
  echo
  echo "Command: \`make validate\`. Build: \`$(build/bin/assay --version)\`."
  echo
  for test in build/bin/test_*; do
    name=$(basename "$test")
    [ "$("$test" --gtest_list_tests --gtest_filter='*Validate*' | wc -l)" -gt 0 ] || continue
    echo "## $name"
    echo
    echo '```'
    ASSAY_VALIDATE=1 "$test" --gtest_filter='*Validate*' --gtest_brief=1
    echo '```'
    echo
  done
} | tee "$out.new"
mv "$out.new" "$out"
echo "wrote $out"
