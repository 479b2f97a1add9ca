"""Hands a ladder to SLURM: an array with a task for each level, and a job that makes the tables.

The tasks run the program as jobscripts/convergence.sbatch does, and are requeued at the limit of
their time. The script is left in the folder of the study, to be looked at, changed and submitted
again by hand.
"""

import math
import pathlib
import shlex
import subprocess
import sys

from convergence_runs import is_done
from convergence_table import write_file
from engram_runs import RunError, first_line

SCRIPT = "ladder.sbatch"
# Jobs get more time than is expected of them, and no less than this.
SLACK, LEAST_MINUTES, MOST_MINUTES = 2.0, 10, 1440

TEMPLATE = r"""#!/bin/bash
# Written by tools/convergence.py: task n of the array runs level n of a convergence study.
#SBATCH --job-name=engram-convergence
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append

set -euo pipefail

# module load openmpi petsc hdf5                   # what the program was built with
launcher=${LAUNCHER:-srun --mpi=pmix --wait=20}    # or: mpirun
export OMP_NUM_THREADS=1
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-10}
# A stopped job: SLURM tells the program too, and the script waits for its checkpoint.
stopped=
trap 'stopped=yes' TERM

code=0
case ${SLURM_ARRAY_TASK_ID:?submit this with sbatch: it is an array of jobs} in
@TASKS@
*) echo "no level $SLURM_ARRAY_TASK_ID in this study" >&2; exit 2 ;;
esac
if [ "$code" -eq 85 ] && [ -z "$stopped" ]; then
    echo "checkpoint written; requeued"
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def script_of(study, levels):
    """The text of the script of all levels."""
    tasks = []
    for level in levels:
        words = shlex.join([study.program, *level.words(study), "-restart", "auto"])
        tasks.append(f"{level.number}) $launcher {words} || code=$? ;;")
    return TEMPLATE.replace("@TASKS@", "\n".join(tasks))


def time_limit(seconds):
    """A limit of time for jobs that are expected to take so long, as HH:MM:SS."""
    minutes = math.ceil(SLACK * seconds / 60.0)
    minutes = min(max(minutes, LEAST_MINUTES), MOST_MINUTES)
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def sbatch(words):
    """Submits a job; returns its number."""
    command = ["sbatch", "--parsable", *words]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL)
    except OSError as error:
        raise RunError(f"sbatch: {error.strerror}: is this the login node of a cluster with SLURM? "
                       "Without --slurm the ladder is run here") from error
    # With several clusters the answer is NUMBER;CLUSTER.
    number = process.stdout.strip().split(";")[0]
    if process.returncode or not number.isdecimal():
        raise RunError(f"sbatch: {first_line(process.stderr or process.stdout)}")
    return number


def submit(study, levels, folder, seconds, options, words):
    """Submits what is missing of the ladder, and the job of the tables.

    `seconds` are those expected of each level by its number; `options` are words for sbatch, like
    --partition=long, for all jobs.
    """
    script = folder / SCRIPT
    write_file(script, script_of(study, levels))
    missing = [level.number for level in levels if not is_done(level)]
    dependency = []
    if missing:
        array = sbatch([f"--array={','.join(map(str, missing))}", f"--ntasks={study.ranks}",
                        f"--time={time_limit(max(seconds.values()))}",
                        f"--output={folder}/level-%a-job.log", *options, str(script)])
        print(f"levels {', '.join(map(str, missing))}: job {array}")
        dependency = [f"--dependency=afterok:{array}", "--kill-on-invalid-dep=yes"]
    tool = pathlib.Path(__file__).resolve().with_name("convergence.py")
    command = shlex.join([sys.executable, str(tool), "--collect", str(folder), *words])
    try:
        table = sbatch(["--job-name=engram-table", "--ntasks=1", "--time=00:30:00",
                        f"--output={folder}/table-job.log", *dependency, *options, "--wrap",
                        command])
    except RunError as error:
        raise RunError(f"{error}; no job for the table; when all levels are done: {command}") \
            from error
    print(f"tables and picture: job {table}; they will be in {folder}")
