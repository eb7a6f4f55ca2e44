#!/usr/bin/env bash
# Builds and runs the benchmarks. `bench/run.sh step` runs only the comparison with PyTorch eager.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -f build/build.ninja ] || cmake --preset release
cmake -S . -B build -DASSAY_BENCH=ON > /dev/null
cmake --build build > /dev/null
export OMP_NUM_THREADS=1
if [ "${1:-all}" = all ]; then
  for layer in noise stats data; do build/bin/${layer}_benchmark; done
  .venv/bin/python bench/law_fit.py
fi
.venv/bin/python bench/step_time.py --rounds 5 --steps 10
