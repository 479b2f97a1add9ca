#!/usr/bin/env python3
"""Writes docs/options.md from what the program says of its own options.

    tools/option_reference.py [--program build/release/engram] [--check]

With --check nothing is written, and the exit code is 1 when the file is not up to date.
"""

import argparse
import pathlib
import re
import subprocess
import sys

from engram_program import HELP, ProgramError, find_program
from engram_stream import bear_closed_pipes

ROOT = pathlib.Path(__file__).resolve().parents[1]

HEAD = """# Options

Written by `tools/option_reference.py` from `engram -help`. In a case file the dashes fall away, and
the parts of a name may be nested: `model_noise: 1` is `model: {noise: 1}`. The command line wins.
"""

OPTION = re.compile(r"^  -(\S+)\s+(.*)$")
DETAILS = re.compile(r"^\s+\[(.*); (?:default (.*)|must be given)\]$")


def parse(text):
    """Headings and rows of the help text: a list of (heading, [(name, meaning, unit, default)])."""
    sections = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        option = OPTION.match(line)
        if option:
            unit, default = DETAILS.match(lines[number + 1]).groups()
            sections[-1][1].append((option[1], option[2], unit, default))
        elif line[:1].strip() and number + 1 < len(lines) and OPTION.match(lines[number + 1]):
            sections.append((line, []))
    return sections


def render(sections):
    """The document."""
    parts = [HEAD]
    for heading, rows in sections:
        lines = [f"## {heading}\n", "| option | meaning | unit or values | default |",
                 "|---|---|---|---|"]
        for name, meaning, unit, default in rows:
            shown = f"`{default}`" if default else "must be given"
            lines.append(f"| `{name}` | {meaning} | {unit} | {shown} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def main():
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "options.md")
    parser.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args()
    try:
        program = find_program(arguments.program)
    except ProgramError as error:
        sys.exit(f"option_reference.py: error: {error}")
    process = subprocess.run([program, "-help"], capture_output=True, text=True, check=True)
    text = render(parse(process.stdout))
    if arguments.check:
        written = arguments.output.read_text(encoding="utf-8") if arguments.output.exists() else ""
        if written != text:
            sys.exit(f"option_reference.py: {arguments.output} is not up to date; run "
                     "tools/option_reference.py")
        return
    arguments.output.write_text(text, encoding="utf-8")
    print(f"option_reference.py: wrote {arguments.output}")


if __name__ == "__main__":
    bear_closed_pipes()
    main()
