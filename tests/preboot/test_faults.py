#!/usr/bin/python3
"""A few starts with faults, several at once, of the many that `make soak` plays: the owner gets in by a documented way,
and the hand-off tells of each."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import faults  # noqa: E402
from installation import show  # noqa: E402

ROUNDS = [
    ["variable_store_wiped", "current_kernel_damaged", "store_copy_damaged"],
    ["boot_order_emptied", "memory_short"],
    ["boot_entry_lost", "previous_kernel_missing"],
    ["new_loader_corrupt", "current_loader_corrupt", "power_cut"],
    ["current_loader_missing", "tpm_cleared"],
    ["clock_wrong", "tpm_missing"],
    ["memory_fragmented"],
]


def main():
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        world = faults.World(folder)
        for seed, names in enumerate(ROUNDS):
            show(world.play(seed, names))
    print("faults: all shown")


if __name__ == "__main__":
    main()
