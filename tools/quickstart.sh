#!/usr/bin/env bash
# From a fresh machine to pictures: installs what is missing, builds a release, runs the main job on
# two ranks, plots. Run it again at any time, from any directory; options go to the program:
#
#     tools/quickstart.sh [CASE.yaml] [-option value ...]
#
# The results go to results/<case>, or results/<case>-2, -3, ... where that folder is in use.
# ENGRAM_RANKS=1 runs it on another number of ranks (cases with a single weight need 1).

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# The first of results/NAME, results/NAME-2, ... that is not in use.
free_folder() {
    local folder=$root/results/$1
    local count=1
    while [ -e "$folder" ]; do
        count=$((count + 1))
        folder=$root/results/$1-$count
    done
    printf '%s' "$folder"
}

case_file=$root/input/learning.yaml
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    case_file=$(cd "$OLDPWD" && realpath -- "$1")
    shift
fi
# shellcheck disable=SC2086
install_packages $build_packages $tool_packages
find_python
configure_and_build release -DENGRAM_TESTS=OFF
output=$(free_folder "$(basename "$case_file" .yaml)")
ranks=${ENGRAM_RANKS:-2}
say "running $(basename "$case_file") on $ranks ranks"
status=0
mpirun -n "$ranks" "$engram" "$case_file" -output_dir "$output" "$@" || status=$?
# A run that stops at a blow-up (3) has results worth a picture.
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"
say "plotting"
"$python" tools/plot.py "$output"
say "done: results and pictures are in ${output#"$root"/}"
exit "$status"
