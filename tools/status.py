#!/usr/bin/env python3
"""Shows how engram runs are doing: progress, time to go, last checkpoint, state."""

import argparse
import datetime
import os
import pathlib
import socket
import sys

try:
    from engram_runs import RunError, find_runs, number_of, read_values
    from engram_stream import bear_closed_pipes
except ImportError as error:
    print(f"status.py: error: {sys.executable}: {error}; on Debian: apt install python3-yaml, and "
          "run with /usr/bin/python3", file=sys.stderr)
    sys.exit(2)

EPILOG = """\
states:
  running       steps are being taken
  done          the end is reached
  requeued      left with a checkpoint (signal, time limit); goes on when it is started again
  interrupted   the same after an interrupt from the keyboard
  blown up, not finite
                stopped by the program: there is nothing to go on with
  failed        an error ended it; the last checkpoint is good
  lost          says it runs, but its process is gone or has been silent for long
  unknown       nothing but a case.yaml: ended before its first news, or has just been started

examples:
  tools/status.py results/learning-42
  tools/status.py results            (all runs in it, at any depth)
"""

HEADER = ("run", "state", "progress", "time", "to go", "last checkpoint", "job", "remark")
RIGHT_ALIGNED = {"progress", "to go"}
# A run tells of itself every few seconds; file systems of clusters may take a minute to show it.
SILENT_SECONDS = 600.0
# Between the clock of the kernel's table of processes and that of the file.
CLOCK_SLACK_SECONDS = 5.0


def duration(seconds):
    """A length of time in words that fit a column."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"


def moment(text, path):
    """A time as engram writes it, in seconds."""
    try:
        parsed = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError) as error:
        raise RunError(f"{path}: {text} is not a time like 2026-01-31T23:59:59Z") from error
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def process_started(pid):
    """When the process of this machine was started, in seconds; None if there is none."""
    try:
        # The name, in brackets, may hold anything; the 20th field after it is the start.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
        ticks = int(fields.rpartition(")")[2].split()[19])
        uptime = float(pathlib.Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, IndexError, ValueError):
        return None
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    return now - uptime + ticks / os.sysconf("SC_CLK_TCK")


def is_here(host):
    """True if this is the name of this machine."""
    return bool(host) and host.split(".")[0] == socket.gethostname().split(".")[0]


def why_lost(values, updated, now, silent_seconds):
    """Why a run that says it is running is lost; empty if it is not."""
    silent = now - updated
    if is_here(values.get("host", "")) and values.get("pid", "").isdecimal():
        started = process_started(values["pid"])
        # Another process may have got the number: then it is younger than the last news.
        if started is None or started > updated + CLOCK_SLACK_SECONDS:
            return f"process {values['pid']} is gone"
        return ""
    if silent > silent_seconds:
        return f"no news from {values.get('host', 'its host')} for {duration(silent)}"
    return ""


def checkpoint_text(values, path, now):
    """Time and age of the last checkpoint, or a dash."""
    if "checkpoint" not in values:
        return "-"
    text = f"t = {number_of(values, 'checkpoint_time', path):.6g}"
    if "checkpoint_written" in values:
        text += f", {duration(now - moment(values['checkpoint_written'], path))} ago"
    return text


def read_texts(path):
    """The entries of a file that have a text as value; one of them must be the status."""
    values = {name: value for name, value in read_values(path).items() if isinstance(value, str)}
    if not values.get("status"):
        raise RunError(f"{path}: no entry 'status'")
    return values


def status_row(directory, now, silent_seconds):
    """The row of a run that has a status.yaml."""
    path = directory / "status.yaml"
    values = read_texts(path)
    time, end = number_of(values, "time", path), number_of(values, "end_time", path)
    state, remark, to_go = values["status"], values.get("reason", ""), "-"
    if state == "running":
        lost = why_lost(values, moment(values.get("updated"), path), now, silent_seconds)
        if lost:
            state, remark = "lost", lost
        else:
            start = number_of(values, "start_time", path)
            taken = number_of(values, "wall_seconds", path)
            to_go = duration((end - time) * taken / (time - start)) if time > start else "?"
    return {"state": state, "progress": percent(time, end), "time": f"{time:.6g} of {end:.6g}",
            "to go": to_go, "last checkpoint": checkpoint_text(values, path, now),
            "job": values.get("job") or "-", "remark": remark}


def percent(time, end):
    """Progress; never 100 % before the end."""
    if time >= end:
        return "100 %"
    return f"{min(99.9, max(0.0, 100.0 * time / end)):.1f} %"


def summary_row(directory):
    """The row of a run that has ended and left no status.yaml."""
    path = directory / "summary.yaml"
    values = read_texts(path)
    time, reason = number_of(values, "time", path), values.get("reason", "")
    state = values["status"]
    if state == "stopped":
        state = "blown up" if "blow-up" in reason else "not finite" if "finite" in reason else state
    row = {"state": state, "time": f"{time:.6g}", "remark": reason}
    if state == "done":
        row["progress"] = "100 %"
    return row


def row_of(directory, now, silent_seconds):
    """The row of one run: a dictionary by the names of the columns."""
    if (directory / "status.yaml").is_file():
        row = status_row(directory, now, silent_seconds)
    elif (directory / "summary.yaml").is_file():
        row = summary_row(directory)
    else:
        row = {"state": "unknown", "remark": "no status.yaml yet"}
    return {"run": str(directory), **row}


def printable(text):
    """The text on one line, whatever a file or a name of a folder holds."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def print_table(rows):
    """The rows in columns; those in which nothing stands are left out."""
    cells = [{name: printable(row.get(name, "-")) for name in HEADER} for row in rows]
    columns = [name for name in HEADER if any(row[name] not in ("", "-") for row in cells)]
    width = {name: max(len(name), *(len(row[name]) for row in cells)) for name in columns}
    for row in [dict(zip(HEADER, HEADER)), *cells]:
        words = [row[name].rjust(width[name]) if name in RIGHT_ALIGNED else
                 row[name].ljust(width[name]) for name in columns]
        print("  ".join(words).rstrip())


def print_counts(rows):
    """How many there are of each state, where there are several runs."""
    if len(rows) > 1:
        states = [row["state"] for row in rows]
        counts = ", ".join(f"{states.count(state)} {printable(state)}"
                           for state in dict.fromkeys(states))
        print(f"{len(rows)} runs: {counts}")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", metavar="DIR", nargs="+", type=pathlib.Path,
                        help="output folder of a run, or a folder that holds such folders")
    parser.add_argument("--silent", metavar="SECONDS", type=float, default=SILENT_SECONDS,
                        help="a run on another host is lost after so long without news "
                             "(default: %(default)g)")
    return parser.parse_args()


def main():
    """Prints the table; 2 if something could not be read."""
    arguments = parse_arguments()
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    rows, code = [], 0
    for directory in arguments.directories:
        try:
            runs = find_runs(directory)
        except RunError as error:
            print(f"status.py: error: {printable(error)}", file=sys.stderr)
            code = 2
            continue
        for run in runs:
            try:
                rows.append(row_of(run, now, arguments.silent))
            except RunError as error:
                print(f"status.py: error: {printable(error)}", file=sys.stderr)
                code = 2
    if rows:
        print_table(rows)
        print_counts(rows)
    return code


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
