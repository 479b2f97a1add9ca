#!/usr/bin/env python3
"""Prints the folder in which a sweep keeps the run of some values, as tools/sweep.py names it.

    tools/engram_names.py model_noise=0.8 "model_input=1 + w"

Needs nothing but Python, so that a job script can ask for a name on any node.
"""

import argparse
import hashlib
import re

# Longer names of folders are cut: file systems allow 255 letters.
LONGEST_NAME = 180


def folder_name(values):
    """NAME_VALUE,NAME_VALUE: readable, of harmless letters, and different for other values."""
    words = []
    for name, value in values.items():
        plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", value)
        words.append(f"{name}_{plain}")
        if plain != value:
            words[-1] += "_" + hashlib.sha1(value.encode()).hexdigest()[:6]
    name = ",".join(words)
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha1(name.encode()).hexdigest()[:10]
        name = f"{name[:LONGEST_NAME]}_{digest}"
    return name


def main():
    """Prints the name."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("values", metavar="OPTION=VALUE", nargs="+", help="what is varied")
    arguments = parser.parse_args()
    pairs = [word.partition("=") for word in arguments.values]
    for word, (name, equals, _) in zip(arguments.values, pairs):
        if not name or not equals:
            parser.error(f"{word}: not of the form OPTION=VALUE")
    print(folder_name({name: value for name, _, value in pairs}))


if __name__ == "__main__":
    main()
