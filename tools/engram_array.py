"""Runs a grid of engram cases as an array of SLURM jobs; see engram_grid.py for cases.

Two files are written to the folder of the grid: sweep.tasks, one line of words for the program a
point, and sweep.sbatch, which runs the line of its task. Both are made anew by every submission,
with the points that are not finished by then.
"""

import os
import pathlib
import shlex
import subprocess

from engram_grid import GridError
from engram_processes import words_of

SCRIPT = """\
#!/bin/bash
# Written by engram's tools/sweep.py: one task for each line of sweep.tasks. A task that needs more
# time than one job has is requeued, and goes on from its checkpoint.

#SBATCH --job-name=engram-sweep
#SBATCH --ntasks={ranks}
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --output={logs}/%x-%A_%a.log
#SBATCH --open-mode=append

set -euo pipefail

launcher=${{LAUNCHER:-srun --mpi=pmix --wait=20}}    # or: mpirun
export OMP_NUM_THREADS=1
# Seconds that mpirun gives its ranks for a checkpoint when the job is stopped.
export OMPI_MCA_odls_base_sigkill_timeout=${{OMPI_MCA_odls_base_sigkill_timeout:-10}}
# A stopped job: SLURM tells the program too, and the script waits for its checkpoint.
stopped=
trap 'stopped=yes' TERM

task=${{SLURM_ARRAY_TASK_ID:?submit this with sbatch: it is an array of jobs}}
mapfile -t lines <{tasks}
eval "set -- ${{lines[task]}}"

code=0
# shellcheck disable=SC2086
$launcher {program} "$@" || code=$?
if [ "$code" -eq 85 ] && [ -z "$stopped" ]; then
    echo "checkpoint written; requeued"
    scontrol requeue "$SLURM_JOB_ID"
fi
# A blow-up is a result.
[ "$code" -eq 3 ] && code=0
exit "$code"
"""


def refuse_while_queued(folder):
    """Complains if jobs of an earlier submission are still in the queue."""
    note = folder / "sweep.job"
    if not note.is_file():
        return
    job = note.read_text(encoding="utf-8").strip()
    try:
        answer = subprocess.run(["squeue", "--noheader", "--jobs", job], capture_output=True,
                                text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return
    # A job that is long gone is an error of squeue.
    if answer.returncode == 0 and answer.stdout.strip():
        raise GridError(f"{folder}: job {job} of this sweep has tasks in the queue; wait for them, "
                        f"or scancel {job}")


def write_script(cases, folder, program, ranks):
    """Writes tasks and script of an array; returns the path of the script."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    tasks, script = folder / "sweep.tasks", folder / "sweep.sbatch"
    tasks.write_text("".join(shlex.join(words_of(case, folder)) + "\n" for case in cases),
                     encoding="utf-8")
    script.write_text(SCRIPT.format(ranks=ranks, logs=folder / "logs",
                                    tasks=shlex.quote(str(tasks)),
                                    program=shlex.quote(str(program))), encoding="utf-8")
    script.chmod(0o755)
    return script


def submit(cases, folder, program, ranks, options=""):
    """Submits an array with one task for each case; returns the number of the job.

    The options are words for sbatch. Paths are as seen from the working folder, which is that of
    the jobs too.
    """
    folder = pathlib.Path(folder)
    refuse_while_queued(folder)
    script = write_script(cases, folder, program, ranks)
    command = ["sbatch", "--parsable", f"--array=0-{len(cases) - 1}", *shlex.split(options),
               str(script)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False,
                                stdin=subprocess.DEVNULL, env=os.environ)
    except OSError as error:
        raise GridError(f"--slurm: sbatch: {error.strerror}; without SLURM leave --slurm out, and "
                        "the points run on this machine") from error
    if answer.returncode != 0:
        message = (answer.stderr or answer.stdout).strip().splitlines() or ["nothing was said"]
        raise GridError(f"--slurm: {shlex.join(command)}: {message[-1]}")
    # "JOB" or "JOB;CLUSTER"
    job = answer.stdout.strip().partition(";")[0]
    (folder / "sweep.job").write_text(job + "\n", encoding="utf-8")
    return job
