#!/usr/bin/env python3
"""Measures error against work for every way to step in time; writes docs/work_precision.md.

    tools/verification/work_precision.py --program build/release/engram
    tools/verification/work_precision.py --quick --output /tmp/work_precision.md

Runs one case after the other on one core; leave the machine alone meanwhile. --keep saves what was
measured, and --read writes the document again from that.
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import matplotlib

matplotlib.use("Agg")

import work_precision_cases as cases  # noqa: E402
import work_precision_picture as picture  # noqa: E402
import work_precision_report as report  # noqa: E402
import work_precision_study as study  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_program import HELP, ProgramError, find_program  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tell(text):
    """One line of progress."""
    print(f"work_precision.py: {text}", file=sys.stderr, flush=True)


def arguments_of():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--output", type=pathlib.Path,
                        default=ROOT / "docs" / "work_precision.md",
                        help="what is written (default: docs/work_precision.md)")
    parser.add_argument("--quick", action="store_true",
                        help="three cases, larger tolerances, fewer steps")
    parser.add_argument("--cases", nargs="+", choices=cases.KEYS, metavar="CASE",
                        help=f"only these: {', '.join(cases.KEYS)}")
    parser.add_argument("--rounds", type=int, default=study.FULL.rounds,
                        help="runs of less than "
                        f"{study.SHORT_RUN:g} s are repeated so often; the fewest seconds count "
                        f"(default: {study.FULL.rounds})")
    parser.add_argument("--keep", type=pathlib.Path, help="JSON file for what was measured")
    parser.add_argument("--read", type=pathlib.Path,
                        help="such a file: only the document is written")
    return parser.parse_args()


def checked_program(given):
    """The program, if it is there and knows the options of the study."""
    try:
        program = pathlib.Path(find_program(given)).resolve()
    except ProgramError as error:
        sys.exit(f"work_precision.py: error: {error}")
    text = subprocess.run([str(program), "-help"], capture_output=True, text=True,
                          check=False).stdout
    missing = [option for option in study.NEEDED_OPTIONS if option not in text]
    if missing:
        sys.exit(f"work_precision.py: {program} does not know {', '.join(missing)}; build it again")
    return program


def measure(arguments):
    """All runs of the study."""
    program = checked_program(arguments.program)
    settings = study.QUICK if arguments.quick else study.FULL
    settings = dataclasses.replace(settings, rounds=arguments.rounds)
    keys = arguments.cases or (cases.QUICK_KEYS if arguments.quick else cases.KEYS)
    started = time.monotonic()
    results = [study.study_case(program, case, settings, tell) for case in cases.chosen(keys)]
    tell(f"all runs took {time.monotonic() - started:.0f} s")
    return {"is_quick": arguments.quick, "finest": settings.references[0],
            "machine": report.machine(), "cases": results}


def main():
    """Writes the document and its picture."""
    arguments = arguments_of()
    if arguments.read:
        measured = json.loads(arguments.read.read_text(encoding="utf-8"))
    else:
        measured = measure(arguments)
    if arguments.keep:
        arguments.keep.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    report.write(measured, arguments.output)
    if any(result["families"] for result in measured["cases"]):
        picture.draw(measured["cases"], report.TITLES,
                     arguments.output.parent / "pictures" / "work_precision.png")
    tell(f"wrote {arguments.output}")


if __name__ == "__main__":
    bear_closed_pipes()
    main()
