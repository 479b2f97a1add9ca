#!/usr/bin/env bash
# Runs the experiments of docs/experiments.md and copies their pictures and tables to a gallery:
#
#     tools/experiments.sh [GALLERY]          (docs/gallery unless given; about eight minutes on 2 cores)
#
# The runs themselves go to results/experiments and are not run again when they are done.

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages
find_python
configure_and_build release -DENGRAM_TESTS=OFF
gallery=${1:-docs/gallery}
results=results/experiments
mkdir -p "$gallery" "$results"

# run NAME CASE [-option value ...]: a run into its own folder; a blow-up is a result.
run() {
    local name=$1 code=0
    shift
    if [ -e "$results/$name/summary.yaml" ]; then
        return  # it has come to its end
    fi
    say "$name"
    "$engram" "$@" -output_dir "$results/$name" -restart auto 2>"$results/$name.log" || code=$?
    if [ "$code" -ne 0 ] && [ "$code" -ne 3 ]; then
        cat "$results/$name.log" >&2
        exit "$code"
    fi
}

# draw NAME PICTURES: the pictures of a run, in the gallery as NAME_PICTURE.png.
draw() {
    local name=$1 picture
    "$python" tools/plot.py "$results/$name" --pictures "$2" >/dev/null
    for picture in ${2//,/ }; do
        cp "$results/$name/plots/$picture.png" "$gallery/${name}_${picture//-/_}.png"
    done
}

# copy TOOL_FOLDER NAME...: what a tool has made, under the name of its folder.
copy() {
    local folder=$1 name
    shift
    for name in "$@"; do
        cp "$results/$folder/$name" "$gallery/${folder}_$name"
    done
}

# 1. One weight: the classical network comes to rest, or blows up.
run nnlif_steady input/nnlif_steady.yaml
draw nnlif_steady rate
run nnlif_blowup input/nnlif_blowup.yaml
draw nnlif_blowup rate

# 2. Learning, in phases, with a film.
run learning input/recognition.yaml -output_fields_every 0.05 -output_series_interval 0.01 \
    -protocol_phases learn,rest,other -time_end 12 -phase_learn_duration 5 \
    -phase_rest_duration 2 -phase_rest_input 0 \
    -phase_other_duration 5 -phase_other_input "1 - 0.3*sin(6*w)"
draw learning film,phase-plane,rate
run frozen input/recognition.yaml -model_plasticity false -model_response 0 -time_end 2 \
    -output_fields_every 0.02 -grid_w_cells 50
draw frozen entropy

# 3. Recognition: a panel of inputs, patterns learned one after the other, and what it depends on.
say "recognition"
"$python" tools/recognition.py input/recognition.yaml --output "$results/recognition" \
    --test 1 1.5 "1 - 0.3*sin(6*w)" >/dev/null
copy recognition recognition.md responses.png discrimination.png
"$python" tools/recognition.py input/recognition.yaml --output "$results/forgetting" --patterns 4 \
    --names A B C D flat higher opposite >/dev/null
copy forgetting recognition.md forgetting.png
"$python" tools/recognition.py input/recognition.yaml --output "$results/dependence" \
    --set grid_w_max=2 --set grid_w_cells=400 --set model_v_min=-6 --set grid_v_cells=80 \
    --vary model_noise=0.5,0.7,1,1.4,2 --vary model_learning=0.25,0.5,0.75,1,1.5,2 \
    --vary model_epsilon=0.01,0.1,1 --names learned flat higher opposite >/dev/null
copy dependence recognition.md spread_model_noise.png spread_model_learning.png \
    spread_model_epsilon.png

# 4. Excitation: where learning comes to rest, runs away or blows up, with the theoretical boundary.
say "excitation"
"$python" tools/excitation.py --output "$results/excitation" >/dev/null
copy excitation excitation.md excitation.png

# 5. The limit of fast neurons: the run with eps = 0, and runs that tend to it.
say "limit"
run limit input/limit.yaml
draw limit rate
"$python" tools/sweep.py input/limit.yaml --vary model_epsilon=0,1e-6,1e-5,1e-4,1e-3,1e-2 \
    --set initial_quasi_static=true --set time_end=1 \
    --plot total_rate,mean_weight --output "$results/limits" >/dev/null
copy limits sweep.csv curves.png

# 6. Other neurons: a quadratic and an exponential one learn.
run quadratic input/quadratic.yaml
run exponential input/exponential.yaml
"$python" tools/plot_neurons.py "$results/quadratic" "$results/exponential" \
    --output "$gallery/neurons_neurons.png" >/dev/null

# Particles: the same network, neuron by neuron.
for name in frozen learning; do
    say "particles_$name"
    "$python" tools/particles.py "input/particles_$name.yaml" \
        --output "$results/particles_$name" >/dev/null
    copy "particles_$name" comparison.md comparison.png
done
# Half the room in the repository.
PYTHONPATH=tools "$python" -c 'import sys, plot_style; plot_style.shrink(sys.argv[1:])' \
    "$gallery"/*.png
say "pictures and tables are in $gallery"
