#!/usr/bin/env bash
# The error and the cost of every case and experiment, beside those of an older revision:
#
#     tools/case_errors.sh [--only NAME,...] [--output docs/cases.md]      (five minutes on one core)

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages
find_python
configure_and_build release
build_reference engram_program
exec "$python" -B tools/verification/case_errors.py --program build/release/engram \
     --before build/reference/engram "$@"
