#!/usr/bin/env python3
"""Draws the results of engram runs: firing rates, weights, density and invariants."""

import argparse
import pathlib
import sys

try:
    import matplotlib
    import numpy
    from matplotlib import patheffects, pyplot

    from engram_learning import learned_rate, learning_strength
    from engram_results import ResultsError, pick_rows, read_results
    from engram_stream import bear_closed_pipes
    from plot_experiments import FIGURES, make_movie
    from plot_invariants import draw_mass_error, draw_mean_weight, draw_min_density
    from plot_layout import add_legend
    from plot_steady import (draw_bifurcation, draw_state_rates, draw_states, mark_potentials,
                             show_occupied)
    from plot_style import (HEAT_COLOURS, LINE_COLOUR, POTENTIAL, RATE, REFERENCE_COLOUR,
                            STYLES, WEIGHT, check_owner, draw_heat, figure_size,
                            letter_panels, mark_phases, quantity, save, thick, time_label)
    from style_option import add_style_option
except ImportError as error:
    print(f"plot.py: error: {sys.executable}: {error}; on Debian: apt install python3-h5py "
          "python3-matplotlib python3-yaml, and run with /usr/bin/python3", file=sys.stderr)
    sys.exit(2)

EXAMPLES = """\
examples:
  tools/plot.py results/learning
  tools/plot.py results/sweep    (of a run with -steady or -steady_sweep: states, bifurcation)
  tools/plot.py results/learning --output pictures --format pdf
  tools/plot.py results/a results/b --output pictures    (pictures/a and pictures/b)
  tools/plot.py results/learning --pictures film,phase-plane --format both
  tools/plot.py results/frozen --pictures entropy    (frozen weights without coupling)
  tools/plot.py results/learning --pictures film --movie gif    (film.gif; needs ffmpeg)
  tools/plot.py results/learning --style talk    (large letters, for slides)
"""

CURVES = 5
# Beyond this ratio of largest to median rate a linear axis shows nothing but the peak.
RATIO_FOR_LOGARITHM = 100.0


def start_at_zero(axes, values):
    """Lets the vertical axis begin at zero, unless that would hide a negative value."""
    if not (values < 0.0).any():
        axes.set_ylim(bottom=0.0)


def draw_rate(axes, results):
    """Total firing rate over time; logarithmic if a blow-up dwarfs the rest."""
    rate = results.series["total_rate"]
    axes.plot(results.series["time"], rate, color=LINE_COLOUR)
    positive = rate[numpy.isfinite(rate) & (rate > 0.0)]
    if len(positive) and positive.max() > RATIO_FOR_LOGARITHM * numpy.median(positive):
        axes.set_yscale("log")
    else:
        start_at_zero(axes, rate)
    mark_phases(axes, results)
    axes.set(title="Total firing rate", xlabel=time_label(results), ylabel=RATE)


def draw_weights(axes, results):
    """H(w,t) as heat map."""
    draw_heat(axes, results, results.w, results.weight_density, "$H(w,t)$")
    axes.set(title="Distribution of weights", xlabel=WEIGHT)


def draw_firing(axes, results):
    """N(w,t) as heat map."""
    draw_heat(axes, results, results.w, results.firing_rate, "$N(w,t)$")
    axes.set(title="Firing rate by weight", xlabel=WEIGHT)


def draw_curves(axes, positions, field, times, also=None):
    """A few rows of a field [time][position], from light and early to dark and late.

    Returns these rows; the row of the number also is among them.
    """
    rows = pick_rows(field, CURVES)
    rows = sorted({*rows, also} - {None})
    colours = pyplot.get_cmap(HEAT_COLOURS)(numpy.linspace(0.85, 0.0, len(rows)))
    for row, colour in zip(rows, colours):
        axes.plot(positions, field[row], color=colour, label=f"$t = {times[row]:.3g}$",
                  linewidth=thick(1.5 if row == rows[-1] else 0.9))
    start_at_zero(axes, field[rows])
    add_legend(axes)
    return field[rows]


def draw_weight_curves(axes, results):
    """H(w) at a few times."""
    draw_curves(axes, results.w, results.weight_density, results.time)
    axes.set(title="Weights at a few times", xlabel=WEIGHT, ylabel=quantity("$H(w,t)$"))


def draw_firing_curves(axes, results):
    """N(w) at a few times, and where the learned state must have it at the end of learning."""
    learned = learned_rate(results)
    draw_curves(axes, results.w, results.firing_rate, results.time, learned and learned[0])
    if learned is not None:
        draw_learned_line(axes, results, *learned)
    axes.set(title="Firing rate at a few times", xlabel=WEIGHT, ylabel=quantity("$N(w,t)$"))


def draw_learned_line(axes, results, row, w, rate):
    """The rates that the state in a row must have if it is learned."""
    strength = learning_strength(results)
    time = "" if row == len(results.time) - 1 else f"({results.time[row]:.3g})"
    below = rf"\bar N{time}" if strength == 1.0 else rf"(K \bar N{time})"
    axes.plot(w, rate, color=REFERENCE_COLOUR, linestyle=(0, (4, 3)), linewidth=thick(1.1),
              label=rf"learned: $w/{below}$")
    add_legend(axes)


def draw_density(axes, results):
    """p(w,v) at the end, with threshold and reset."""
    axes.grid(False)
    mesh = axes.pcolormesh(results.w, results.v, numpy.ma.masked_invalid(results.last_density),
                           shading="nearest", rasterized=True, cmap=HEAT_COLOURS, vmin=0.0)
    threshold, reset = results.number("model_v_threshold"), results.number("model_v_reset")
    axes.axhline(threshold, color="black", linewidth=thick(1.2))
    # A dark rim keeps white readable on the bright end of the colours too.
    rim = [patheffects.withStroke(linewidth=thick(1.5), foreground="0.15")]
    axes.axhline(reset, color="white", linewidth=thick(0.8), linestyle="--", path_effects=rim)
    # Above the threshold nothing lives. The names stand at either side: the lines may be close.
    axes.set_ylim(results.v[0], threshold)
    for x, side, level, name in ((0.02, "left", threshold, "threshold $V_F$"),
                                 (0.98, "right", reset, "reset $V_R$")):
        axes.annotate(name, (x, level), xycoords=axes.get_yaxis_transform(), xytext=(0, -3),
                      textcoords="offset points", ha=side, va="top", color="white",
                      path_effects=rim)
    axes.set(title=f"Density at $t = {results.time[-1]:.4g}$", xlabel=WEIGHT, ylabel=POTENTIAL)
    axes.figure.colorbar(mesh, ax=axes, label=quantity("$p(w,v)$"), pad=0.02)


def draw_potential_map(axes, results):
    """p(v,t) of a single weight as heat map."""
    draw_heat(axes, results, results.v, results.potential_density, "$p(v,t)$")
    for name in ("model_v_reset", "model_v_threshold"):
        axes.axvline(results.number(name), color="white", linestyle="--",
                     linewidth=thick(0.8))
    axes.set(title="Density over time", xlabel=POTENTIAL)


def draw_potential_curves(axes, results):
    """p(v) of a single weight at a few times, with threshold and reset."""
    rows = draw_curves(axes, results.v, results.potential_density, results.time)
    show_occupied(axes, results, rows)
    mark_potentials(axes, results)
    axes.set(title=f"Density at $w = {results.w[0]:.4g}$", xlabel=POTENTIAL,
             ylabel=quantity("$p(v,t)$"))


def draw_refractory(axes, results):
    """The share of refractory neurons over time."""
    share = results.refractory_share
    axes.plot(results.time[:len(share)], share, color=LINE_COLOUR)
    start_at_zero(axes, share)
    axes.set(title="Refractory neurons", xlabel=time_label(results),
             ylabel=quantity("", "share of all neurons"))


def figure_of(drawers, results, shape, ratio, columns=1, **layout):
    """A figure of panels, each drawn by a function of (axes, results); sizes as figure_size."""
    figure, panels = pyplot.subplots(*shape, figsize=figure_size(columns, ratio), squeeze=False,
                                     **layout)
    for axes, drawer in zip(panels.flat, drawers):
        drawer(axes, results)
    return figure


def map_and_rows_figure(results, draw_map, draw_rows):
    """A field over w or v: heat map over time above curves; only these if there are few times."""
    if not results.has_heat_maps:
        return figure_of([draw_rows], results, (1, 1), 0.72)
    figure = figure_of([draw_map, draw_rows], results, (2, 1), 1.25, sharex=True,
                       gridspec_kw={"height_ratios": [3, 2]})
    figure.axes[0].set_xlabel("")
    return figure


def invariants_figure(results):
    """What the scheme keeps, and the spread of the weights unless there is only one."""
    drawers = [draw_mass_error, draw_min_density]
    if not results.is_single_weight:
        drawers.append(draw_mean_weight)
    return figure_of(drawers, results, (len(drawers), 1), 0.55 * len(drawers))


def overview_figure(results):
    """The run in one picture, with letters for a caption."""
    drawers = [draw_rate, draw_potential_curves, draw_mass_error, draw_min_density]
    if not results.is_single_weight:
        map_or_spread = draw_weights if results.has_heat_maps else draw_mean_weight
        drawers = [draw_rate, map_or_spread, draw_density,
                   draw_mass_error, draw_weight_curves, draw_firing_curves]
    rows = len(drawers) // 2
    figure = figure_of(drawers, results, (rows, 2), 0.08 + 0.31 * rows, columns=2)
    letter_panels(figure.axes[:len(drawers)])
    return figure


def figures_of(results):
    """Pairs of a picture's name and the function that makes its figure."""
    if results.steady is not None:
        return figures_of_steady(results)
    figures = {
        "rate": lambda run: figure_of([draw_rate], run, (1, 1), 0.62),
        "weights": lambda run: map_and_rows_figure(run, draw_weights, draw_weight_curves),
        "firing": lambda run: map_and_rows_figure(run, draw_firing, draw_firing_curves),
        "density": lambda run: figure_of([draw_density], run, (1, 1), 0.8),
        "invariants": invariants_figure,
        "overview": overview_figure,
    }
    if results.is_single_weight:
        del figures["weights"], figures["firing"]
        figures["density"] = lambda run: map_and_rows_figure(run, draw_potential_map,
                                                             draw_potential_curves)
    if results.refractory_share is not None:
        figures["refractory"] = lambda run: figure_of([draw_refractory], run, (1, 1), 0.62)
    return figures.items()


def figures_of_steady(results):
    """The same for a run that has looked for steady states: its rows are no times."""
    figures = {}
    if results.steady:
        drawers = [draw_states] if results.is_single_weight else [draw_states, draw_state_rates]
        figures["states"] = lambda run: figure_of(drawers, run, (len(drawers), 1),
                                                  0.15 + 0.65 * len(drawers))
    if results.branches:
        figures["bifurcation"] = lambda run: figure_of([draw_bifurcation], run, (1, 1), 0.75)
    return figures.items()


def chosen_figures(results, names):
    """Pairs of name and figure maker: all that a run always has, or those of these names."""
    figures = dict(figures_of(results))
    if not names:
        return figures.items()
    if results.steady is None:
        figures.update(FIGURES)
    unknown = [name for name in names if name not in figures]
    if unknown:
        raise ResultsError(f"--pictures {unknown[0]}: no such picture of this run; there is "
                           f"{', '.join(figures)}")
    return [(name, figures[name]) for name in names]


def plot(directory, output, arguments):
    """Draws all pictures of one run, or those that are wanted."""
    results = read_results(directory)
    figures = chosen_figures(results, arguments.pictures)
    extensions = ("png", "pdf") if arguments.format == "both" else (arguments.format,)
    output.mkdir(parents=True, exist_ok=True)
    paths = [(output / f"{name}.{extension}", draw)
             for name, draw in figures for extension in extensions]
    for path, _ in paths:
        check_owner(path)
    for note in results.notes:
        print(f"plot.py: note: {note}")
    with matplotlib.rc_context(STYLES[arguments.style]):
        try:
            for path, draw in paths:
                save(draw(results), path, is_small=path.stem == "overview")
            if arguments.movie:
                make_movie(results, output, arguments.movie)
        except ResultsError as error:
            raise ResultsError(f"{directory}: {error}") from error


def parse_arguments():
    """The command line: folders, each with the folder its pictures go to."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", metavar="DIR", nargs="+", type=pathlib.Path,
                        help="output folder of a run, with case.yaml, series.csv and fields.h5")
    parser.add_argument("--output", metavar="DIR2", type=pathlib.Path,
                        help="folder for the pictures (default: DIR/plots); "
                             "with several DIR, one folder in it for each")
    parser.add_argument("--format", choices=("png", "pdf", "both"), default="png",
                        help="file format (default: png)")
    parser.add_argument("--pictures", metavar="NAMES", default="",
                        help="only these, as in rate,weights; beside those that are drawn always "
                             f"there is {', '.join(FIGURES)}")
    parser.add_argument("--movie", choices=("gif", "mp4"),
                        help="make a movie of H and N over time too")
    add_style_option(parser)
    arguments = parser.parse_args()
    arguments.pictures = [name.strip() for name in arguments.pictures.split(",") if name.strip()]
    names = [directory.resolve().name for directory in arguments.directories]
    if arguments.output and len(set(names)) < len(names):
        parser.error("--output needs folders DIR of different names")
    return arguments


def main():
    """Draws every folder that can be drawn; 2 if one could not."""
    arguments = parse_arguments()
    code = 0
    for directory in arguments.directories:
        output = arguments.output or directory / "plots"
        if arguments.output and len(arguments.directories) > 1:
            output = arguments.output / directory.resolve().name
        try:
            plot(directory, output, arguments)
        except (ResultsError, OSError) as error:
            print(f"plot.py: error: {error}", file=sys.stderr)
            code = 2
    return code


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
