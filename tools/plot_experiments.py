"""Draws experiments: the film of what is learned, the phase plane, entropy, phases of a protocol.

Each figure function takes the Results of a run, and complains where a run has nothing to show.
"""

import pathlib
import subprocess

import h5py
import numpy
from matplotlib import pyplot

from engram_expression import ExpressionError, evaluate, variables_of
from engram_results import HDF5_ERRORS, ResultsError, accumulated_change, first_line
from plot_layout import add_legend
from plot_style import (LINE_COLOUR, MEAN_WEIGHT, RATE, REFERENCE_COLOUR, WEIGHT, check_owner,
                        curve_style, draw_heat, figure_size, letter_panels, mark, quantity, save,
                        scale_times, thick, time_label)

STILLS = 6
# Height of the stills of a film, in distances between them.
HEIGHT = 0.85
# Marks at equal times along a trajectory.
TICKS = 10
MOST_FRAMES = 120
FRAMES_PER_SECOND = 12
# Entropies below are round-off of the densities that they are made of.
FLOOR_OF_ENTROPY = 1e-16
# A last change of the entropy beyond this part of the whole: the run has not come to rest.
AT_REST = 1e-3
MOVIE = pathlib.Path(__file__).resolve().parent / "movie.sh"


def logarithmic(x):
    """G = x log x."""
    return numpy.where(x > 0.0, x * numpy.log(numpy.where(x > 0.0, x, 1.0)), 0.0)


def quadratic(x):
    """G = (x - 1)^2/2."""
    return 0.5 * (x - 1.0) ** 2


ENTROPIES = {r"$G = x \log x$": logarithmic, r"$G = (x - 1)^2/2$": quadratic}


def relative_entropy(function, density, steady, cell):
    """Sum of G(p/Q) Q over all cells; where Q is zero there is nothing to compare."""
    occupied = steady > 0.0
    return float(function(density[occupied] / steady[occupied]) @ steady[occupied] * cell)


def rows_of_stills(results):
    """Rows at equal steps of time and change taken together, so that neither is passed over."""
    change = accumulated_change(numpy.nan_to_num(results.weight_density))
    time = results.time - results.time[0]
    course = time / time[-1] + change / (change[-1] or 1.0)
    rows = numpy.searchsorted(course, numpy.linspace(0.0, course[-1], STILLS))
    return numpy.unique(numpy.minimum(rows, len(time) - 1))


def draw_stills(axes, results):
    """The shape of H(w) at a few times, one above the other from early to late."""
    rows = rows_of_stills(results)
    for place, row in enumerate(rows):
        values = numpy.nan_to_num(results.weight_density[row])
        height = place + HEIGHT * values / (values.max() or 1.0)
        axes.fill_between(results.w, place, height, color=LINE_COLOUR, linewidth=0.0,
                          alpha=0.2 + 0.4 * place / len(rows))
        axes.plot(results.w, height, color=LINE_COLOUR, linewidth=thick(0.8))
    axes.set_yticks(range(len(rows)), [f"{results.time[row]:.3g}" for row in rows])
    axes.set(title=r"Stills: $H(w)/\max H$", xlabel=WEIGHT,
             ylabel=time_label(results))


def film_figure(results):
    """H(w,t) as heat map, beside it the total rate over the same time, and stills."""
    require_film(results)
    figure, (heat, rate, stills) = pyplot.subplots(
        1, 3, figsize=figure_size(2, 0.42), gridspec_kw={"width_ratios": [5, 2.4, 4]})
    draw_heat(heat, results, results.w, results.weight_density, "$H(w,t)$")
    heat.set(title="Distribution of weights", xlabel=WEIGHT)
    rate.plot(results.series["total_rate"], results.series["time"], color=LINE_COLOUR)
    # The same times at the same height: the scale, too, is that of the map.
    scale_times(rate, results, results.weight_density)
    rate.set(title="Total rate", xlabel=quantity(r"$\bar N$"), ylabel="")
    rate.tick_params(labelleft=False)
    for _, _, end in results.phases[:-1]:
        heat.axhline(end, color="white", linestyle="--", linewidth=thick(0.7))
        rate.axhline(end, color="0.5", linestyle="--", linewidth=thick(0.7))
    for name, begin, end in results.phases:
        # Beside the panel, where no curve is.
        rate.annotate(name, (1.02, 0.5 * (begin + end)), xycoords=("axes fraction", "data"),
                      fontsize="small", color="0.35", va="center", ha="left", rotation=90,
                      annotation_clip=False)
    draw_stills(stills, results)
    letter_panels((heat, rate, stills))
    return figure


def require_film(results):
    """Complains about runs without a film."""
    if results.is_single_weight:
        raise ResultsError("film: a single weight has no distribution of weights over time")
    if len(results.time) < 3:
        raise ResultsError(f"film: only {len(results.time)} times in fields.h5; run with "
                           "output_fields_every above 0")


def phase_plane_figure(results):
    """The total rate over the mean weight, with marks at equal times and the phases told apart."""
    if results.is_single_weight:
        raise ResultsError("phase-plane: a single weight has one mean weight only")
    figure, axes = pyplot.subplots(figsize=figure_size(1, 0.8))
    time, mean, rate = (results.series[name] for name in ("time", "mean_weight", "total_rate"))
    phases = results.phases or [("", time[0], time[-1])]
    for number, (name, begin, end) in enumerate(phases):
        rows = (time >= begin) & (time <= end)
        style = {**curve_style(number, len(phases)), "marker": ""}
        axes.plot(mean[rows], rate[rows], **style, label=name or None)
    marks = numpy.linspace(time[0], time[-1], TICKS + 1)[1:-1]
    axes.plot(numpy.interp(marks, time, mean), numpy.interp(marks, time, rate), "|",
              color="0.25", markersize=mark(2.0), zorder=3,
              label=f"every {(time[-1] - time[0]) / TICKS:.3g} of time")
    axes.plot(mean[0], rate[0], "o", markersize=mark(1.8), markerfacecolor="white",
              markeredgecolor=LINE_COLOUR, zorder=4, label="begin")
    axes.plot(mean[-1], rate[-1], "o", markersize=mark(1.8), color=REFERENCE_COLOUR, zorder=4,
              label="end")
    axes.set(title="Phase plane", xlabel=MEAN_WEIGHT, ylabel=RATE)
    add_legend(axes)
    return figure


def require_uncoupled(results):
    """Complains about runs for which relative entropy need not decrease."""
    case = results.case
    if results.phases:
        raise ResultsError("entropy: the run has phases; entropy decreases within one of them only")
    if case.get("model_plasticity", True):
        raise ResultsError("entropy: decreases for frozen weights; run with model_plasticity: "
                           "false")
    rate = numpy.linspace(0.0, 10.0, 11)
    try:
        response = evaluate(case.get("model_response", "N"), N=rate) * numpy.ones_like(rate)
        moving = variables_of(case.get("model_input", "0")) & {"t", "s"}
    except ExpressionError as error:
        raise ResultsError(f"entropy: {error}") from error
    if response.any() and numpy.abs(results.w).max() > 0.0:
        raise ResultsError("entropy: decreases without coupling; run with model_response: 0")
    if moving:
        raise ResultsError("entropy: decreases for an input that rests; model_input has "
                           + ", ".join(sorted(moving)))
    if len(results.time) < 3:
        raise ResultsError(f"entropy: only {len(results.time)} times in fields.h5; run with "
                           "output_fields_every above 0")


def entropies(results):
    """Times and the entropies of all rows but the last, relative to that: name -> values."""
    require_uncoupled(results)
    cell = (results.v[1] - results.v[0]) * results.width
    values = {name: [] for name in ENTROPIES}
    path = results.directory / "fields.h5"
    try:
        with h5py.File(path, "r") as file:
            last = len(results.time) - 1
            steady = file["density"][last]
            # Row by row: the whole field may not fit the memory.
            for row in range(last):
                density = file["density"][row]
                for name, function in ENTROPIES.items():
                    values[name].append(relative_entropy(function, density, steady, cell))
    except HDF5_ERRORS as error:
        raise ResultsError(f"{path}: not readable as HDF5: {first_line(error)}") from error
    values = {name: numpy.array(row) for name, row in values.items()}
    if any(row[-1] > AT_REST * row[0] for row in values.values()):
        raise ResultsError("entropy: the run has not come to rest, so that there is no steady "
                           f"state to compare with at t = {results.time[-1]:.4g}; a longer "
                           "time_end helps")
    return results.time[:last], values


def entropy_figure(results):
    """Relative entropies over time; a straight line is an exponential decay."""
    time, values = entropies(results)
    figure, axes = pyplot.subplots(figsize=figure_size(1, 0.7))
    for number, (name, row) in enumerate(values.items()):
        axes.plot(time, numpy.maximum(row, FLOOR_OF_ENTROPY), **curve_style(number, len(values)),
                  label=name, markevery=max(1, len(time) // 12))
    axes.set_yscale("log")
    axes.axhline(FLOOR_OF_ENTROPY, color="0.4", linestyle=":", linewidth=thick(0.8),
                 label="floor: round-off")
    axes.set(title="Relative entropy: frozen weights, no coupling", xlabel=time_label(results),
             ylabel=quantity(r"$\int G(p/Q)\, Q\, dv\, dw$"))
    add_legend(axes)
    return figure


FIGURES = {"film": film_figure, "phase-plane": phase_plane_figure, "entropy": entropy_figure}


def frame_figure(results, row, top):
    """One picture of a movie: H(w) and N(w) at one time, on axes that all pictures share."""
    figure, panels = pyplot.subplots(2, 1, figsize=figure_size(1, 0.9), sharex=True)
    fields = (results.weight_density, results.firing_rate)
    for axes, field, limit, label in zip(panels, fields, top, ("$H(w,t)$", "$N(w,t)$")):
        axes.fill_between(results.w, field[row], color=LINE_COLOUR, alpha=0.25, linewidth=0.0)
        axes.plot(results.w, field[row], color=LINE_COLOUR)
        axes.set(ylabel=quantity(label), ylim=(0.0, limit), xlim=(results.w[0], results.w[-1]))
    phase = [name for name, begin, end in results.phases if begin <= results.time[row] <= end]
    panels[0].set_title(f"$t = {results.time[row]:.3f}$" + (f"   {phase[-1]}" if phase else ""))
    panels[1].set_xlabel(WEIGHT)
    return figure


def make_movie(results, folder, ending):
    """Draws the frames of the film and makes a movie of them; one that is there stays."""
    require_film(results)
    movie, frames = folder / f"film.{ending}", folder / "film_frames"
    if movie.exists():
        if movie.stat().st_mtime >= (results.directory / "fields.h5").stat().st_mtime:
            print(f"{movie}: is there already")
            return
        raise ResultsError(f"{movie}: is older than the results; remove it, and it is made anew")
    frames.mkdir(exist_ok=True)
    count = min(MOST_FRAMES, len(results.time))
    rows = numpy.unique(numpy.linspace(0, len(results.time) - 1, count).round().astype(int))
    # The early bump may be high and short.
    top = [1.1 * numpy.percentile(numpy.nan_to_num(field).max(axis=1), 90) or 1.0
           for field in (results.weight_density, results.firing_rate)]
    paths = [frames / f"frame_{row:05d}.png" for row in rows]
    for row, path in zip(rows, paths):
        check_owner(path)
        save(frame_figure(results, row, top), path, say=False)
    process = subprocess.run([str(MOVIE), "--rate", str(FRAMES_PER_SECOND), *map(str, paths),
                              str(movie)], capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise ResultsError(process.stderr.strip() or f"{movie}: not made")
    print(process.stdout.strip())
