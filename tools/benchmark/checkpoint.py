"""Times the writing of checkpoints against dd with fsync, on the same disk and in the same run."""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import yaml

# Unknowns of the potential and cells of the weight.
NODES, CELLS = 1024, 4096
CHECKPOINTS = 5

CASE = f"""# Steps so short that checkpoints take most of the time.
model: {{noise: 1, epsilon: 0.1, input: "1", response: "N/(1 + N)"}}
initial: {{density: "exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)"}}
# V_R must be a node; the unknowns are one fewer than the cells.
grid: {{v_cells: {NODES + 2}, w_cells: {CELLS}}}
time: {{step: 0.00002, end: {0.00002 * CHECKPOINTS}, scheme: euler, start: plain}}
checkpoint: {{every: 0.00002, keep: 100}}
output: {{series_every: 1000}}
"""

HEAD = """
## Checkpoints

A checkpoint of {nodes} x {cells} unknowns on two ranks, with all that belongs to it: series.csv and
fields.h5 brought to the disk, the file written by both ranks, read again for its checksums, brought
to the disk and renamed. Beside it `dd conv=fsync` of as many bytes in the same folder, and what it takes
to remove such a file, as is done with checkpoints that are not kept. Medians over {rounds} rounds of all in turn;
a round is the mean of {checkpoints} checkpoints, and the median of as many files of `dd`.

| | MB | seconds | MB/s |
|---|---|---|---|
"""


def time_dd(folder, size):
    """Seconds that dd takes for a file of this size, as it says itself, and its removal."""
    target = folder / "dd.out"
    block = 1 << 20
    process = subprocess.run(
        ["dd", "if=/dev/zero", f"of={target}", f"bs={block}", f"count={-(-size // block)}",
         "conv=fsync"], capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    began = time.perf_counter()
    target.unlink()
    removal = time.perf_counter() - began
    seconds = float(re.search(r"copied, ([\d.e-]+) s", process.stderr).group(1))
    return seconds * size / (block * -(-size // block)), removal


def time_checkpoints(program, folder):
    """Seconds of one checkpoint, and its bytes, in a run that does little else."""
    case = folder / "case.yaml"
    case.write_text(CASE, encoding="utf-8")
    output = folder / "run"
    subprocess.run(["mpirun", "-n", "2", str(program), str(case), "-output_dir", str(output)],
                   capture_output=True, text=True, check=True)
    summary = yaml.safe_load((output / "summary.yaml").read_text(encoding="utf-8"))
    written = sorted((output / "checkpoints").glob("checkpoint_*.h5"))
    size = written[-1].stat().st_size
    subprocess.run(["rm", "-r", str(output)], check=True)
    return summary["checkpoint_seconds"] / summary["checkpoints"], size


def measure(program, parent, rounds):
    """Section of the report; `parent` is a folder on the disk that is measured."""
    checkpoints, copies, removals, ratios = [], [], [], []
    with tempfile.TemporaryDirectory(dir=parent, prefix="checkpoint_") as name:
        folder = pathlib.Path(name)
        time_checkpoints(program, folder)
        for _ in range(rounds):
            own, size = time_checkpoints(program, folder)
            files = [time_dd(folder, size) for _ in range(CHECKPOINTS)]
            copy = statistics.median(seconds for seconds, _ in files)
            checkpoints.append(own)
            copies.append(copy)
            removals.append(statistics.median(seconds for _, seconds in files))
            ratios.append(copy / own)
    text = HEAD.format(nodes=NODES + 1, cells=CELLS, rounds=rounds, checkpoints=CHECKPOINTS)
    for title, seconds in (("checkpoint", checkpoints), ("`dd conv=fsync`", copies)):
        middle = statistics.median(seconds)
        text += f"| {title} | {size / 1e6:.1f} | {middle:.4f} | {size / 1e6 / middle:.0f} |\n"
    text += f"| removing such a file | {size / 1e6:.1f} | {statistics.median(removals):.4f} | |\n"
    text += (f"\nThe checkpoint is written at {100 * statistics.median(ratios):.0f} % of what `dd` "
             f"reaches ({100 * min(ratios):.0f} to {100 * max(ratios):.0f} % over the rounds). The "
             f"file is {100 * (size / (8 * (NODES + 1) * CELLS) - 1):.1f} % larger than the density "
             "alone. Every ten minutes, as by default, writing and removing take "
             f"{100 * (statistics.median(checkpoints) + statistics.median(removals)) / 600:.2g} % "
             "of the time.\n")
    return text


def main():
    """Prints this section alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the program")
    parser.add_argument("folder", help="a folder on the disk that is measured")
    parser.add_argument("rounds", type=int, help="how often all is measured")
    arguments = parser.parse_args()
    print(measure(arguments.program, arguments.folder, arguments.rounds))


if __name__ == "__main__":
    main()
