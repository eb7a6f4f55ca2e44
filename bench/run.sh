#!/usr/bin/env bash
# Builds and runs the benchmarks: `bench/run.sh [kernels] [law] [step]`, default all. `step` compares with PyTorch
# eager, `law` with NumPy and SciPy.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -f build/build.ninja ] || cmake --preset release
cmake -S . -B build -DASSAY_BENCH=ON > /dev/null
cmake --build build > /dev/null
export OMP_NUM_THREADS=1
for what in ${@:-kernels law step}; do
  case $what in
    kernels) for layer in noise stats data; do build/bin/${layer}_benchmark; done ;;
    law) .venv/bin/python bench/law_fit.py ;;
    step) .venv/bin/python bench/step_time.py --rounds 5 --steps 10 ;;
    *) echo "bench/run.sh: no benchmark \`$what\`; there are kernels, law and step" >&2; exit 2 ;;
  esac
done
