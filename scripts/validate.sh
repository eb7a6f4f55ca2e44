#!/usr/bin/env bash
# The long tier: simulations and studies too slow for `make test`. Writes docs/validation/<date>-<what>.md
# with the command, the build and the figures that were measured.
#   scripts/validate.sh [simulations] [bench] [studies]     default: all
set -euo pipefail
cd "$(dirname "$0")/.."

date=$(date +%Y-%m-%d)
export OMP_NUM_THREADS=1

header() {
  echo "# $1, $date"
  echo
  echo "Command: \`$2\`. Build: \`$(build/bin/assay --version)\`. $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores."
  echo
}

# The interval coverage and cost figures that the unit tests print when asked to.
simulations() {
  header "Simulations" "scripts/validate.sh simulations"
  for test in build/bin/test_*; do
    [ "$("$test" --gtest_list_tests --gtest_filter='*Validate*' | grep -c '^  ')" -gt 0 ] || continue
    echo "## $(basename "$test")"
    echo '```'
    ASSAY_VALIDATE=1 "$test" --gtest_filter='*Validate*' --gtest_brief=1
    echo '```'
  done
  echo "## 1,000 tables: no fit is worse than SciPy from 500 random starts"
  echo '```'
  ASSAY_VALIDATE=1 .venv/bin/python -m pytest -q -s tests/cli/test_fit_oracle.py
  echo '```'
}

bench() {
  header "Step time beside PyTorch eager, laws beside SciPy" "scripts/validate.sh bench"
  echo '```'
  bench/run.sh step law
  echo '```'
}

# Studies on data beside the repository are left out, and said to be, where those are missing.
studies() {
  header "Studies" "scripts/validate.sh studies"
  build/bin/assay run studies/systems.toml -o runs/systems --no-progress >&2
  .venv/bin/python scripts/learned.py runs/systems
  scripts/summarise_study.py runs/systems
  build/bin/assay run studies/scaling.toml -o runs/scaling --no-progress >&2
  echo '```'
  build/bin/assay fit runs/scaling
  echo '```'
  if [ -d ../shared/data/tiny-imagenet ]; then
    build/bin/assay run studies/natural.toml -o runs/natural --no-progress >&2
    .venv/bin/python scripts/learned.py runs/natural
    scripts/summarise_study.py runs/natural
  else
    echo "studies/natural.toml: skipped, its data are not there."
  fi
}

for what in "${@:-simulations bench studies}"; do
  for one in $what; do
    out=docs/validation/$date-$one.md
    "$one" > "$out.new"
    mv "$out.new" "$out"
    echo "wrote $out"
  done
done
