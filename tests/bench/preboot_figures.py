"""Figures of pre-boot on a small virtual laptop with a panel: how soon it asks, and what 250 users cost."""
import os
import statistics
import tempfile
import time

import rig
from installation import PASSWORD, USER, Installation

from figure import Figure

STARTS = 3
MULTICORE_STARTS = 5
LANES = 4
CROWD = 249


def one_start(p):
    """Seconds from the firmware's last word before efi_main to the prompt, from Enter behind the user name to the
    password's field on the screen; and of the hand-off, ms: from the last key to the kernel without Argon2id."""
    laptop = p.laptop
    laptop.start()
    laptop.see("BdsDxe: starting Boot")
    begin = time.monotonic()
    laptop.see("User name: ")
    prompt = time.monotonic() - begin
    laptop.type(USER)
    laptop.see(USER)
    begin = time.monotonic()
    laptop.type("\r")
    laptop.see("Password: ")
    field = time.monotonic() - begin
    laptop.type(PASSWORD + "\r")
    h = laptop.handoff()
    return {"prompt": prompt, "own": h.prompt_ms / 1000, "field": field, "overhead": h.overhead_ms / 1000}


def starts(p, name, *options, generation):
    p.make_store(name, f"generation={generation}", *options, "codes=3", "organisation=Example Organisation", "logo=1",
                 targets=["current"])
    p.install_store(name)
    found = [one_start(p) for _ in range(STARTS)]
    return {key: [start[key] for start in found] for key in found[0]}


def preboot_figures(progress):
    user = f"user={USER}:{PASSWORD}"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        p = Installation(folder)
        p.install_targets()
        alone = starts(p, "alone", user, generation=2)
        progress("one user: prompt {:.3f} s".format(statistics.median(alone["prompt"])))
        many = starts(p, "many", f"crowd={CROWD}", user, generation=3)
        progress("{} users: prompt {:.3f} s".format(CROWD + 1, statistics.median(many["prompt"])))
    usual = statistics.median(alone["overhead"])
    lookup = [field + max(0, overhead - usual) for field, overhead in zip(many["field"], many["overhead"])]
    return [
        Figure("preboot.lookup_s", "s", lookup, 0.2, parts={
            "Enter behind the name to the password's field": many["field"],
            "the same with one user": alone["field"],
            "last key to kernel, without Argon2id": many["overhead"],
            "the same with one user, which is taken off": alone["overhead"]}),
        Figure("preboot.prompt_s", "s", many["prompt"], 0.5, parts={
            "as pre-boot measures it": many["own"], "the same with one user": alone["prompt"]}),
    ]


def one_kdf(laptop, processors):
    """Argon2id with the defaults of passwords on a machine of so many processors: (ms, processors that took part)."""
    laptop.start(processors=processors)
    laptop.see("User name: ")
    laptop.type(USER + "\r")
    laptop.see("Password: ")
    laptop.type(PASSWORD + "\r")
    h = laptop.handoff()
    return h.kdf_ms, h.processors


def preboot_multicore(progress):
    """All cores of this machine, at least two, against one. Starts take turns, so that other load falls on both."""
    many, times, took_part = max(2, os.cpu_count()), {}, set()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        p = Installation(folder)
        p.install_targets()
        p.make_store("a", f"user={USER}:{PASSWORD}", "memory=65536", "passes=4", "lanes=4", targets=["current"])
        p.install_store("a")
        for i in range(MULTICORE_STARTS):
            for processors in (1, many):
                ms, part = one_kdf(p.laptop, processors)
                times.setdefault(processors, []).append(ms)
                took_part |= {(processors, part)}
            progress("start {} of {}: one core {} ms, {} cores {} ms".format(
                i + 1, MULTICORE_STARTS, times[1][-1], many, times[many][-1]))
    if took_part != {(1, 1), (many, min(many, LANES))}:
        raise RuntimeError(f"processors there were, and took part: {sorted(took_part)}")
    return [Figure("preboot.multicore", "ratio", [one / all_ for one, all_ in zip(times[1], times[many])], 1.7,
                   parts={"one core, ms": times[1], f"{many} cores, ms": times[many]}, at_least=True)]


def preboot_size(_):
    return [Figure("preboot.size_kib", "KiB", [rig.EFI.stat().st_size / 1024], 400)]
