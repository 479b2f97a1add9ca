#!/usr/bin/env bash
# Times a step against PETSc's stock solvers, SciPy, the memory's limit and a reference revision of
# Engram itself, in one run:
#
#     tools/bench.sh [--rounds N] [--output docs/performance.md]

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages $compare_packages
find_python
configure_and_build release
build_reference engram_benchmark engram_program
say "measuring (some seconds a round; leave the machine alone meanwhile)"
exec "$python" -B tools/benchmark/report.py --build build/release --reference build "$@"
