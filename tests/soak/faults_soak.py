#!/usr/bin/python3
"""Starts with random faults, one after the other: the owner gets in each time, and is told why it was not as usual.

usage: python3 tests/soak/faults_soak.py [COUNT [FIRST_SEED]]

`make soak` plays 200 (SOAK=N: as many), with a first seed of the clock's. What failed is played again alone by
`python3 tests/soak/faults_soak.py 1 SEED`."""
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/preboot"))
sys.dont_write_bytecode = True
import faults  # noqa: E402


def main(arguments):
    count = int(arguments[0]) if arguments else 200
    first = int(arguments[1]) if len(arguments) > 1 else int(time.time())
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        world = faults.World(folder)
        failed = faults.rounds(world, range(first, first + count))
    print(f"{count} starts with faults, first seed {first}: the owner got in and was told {count - failed} times, "
          f"failed {failed} times")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
