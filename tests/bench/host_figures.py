"""Figures of a laptop on this machine, with its server on loopback: enrolment and kill."""
import pathlib
import sqlite3
import subprocess
import time

from hostlaptop import BIN, OUT, HostLaptop, HostOrganisation, call
from keyslots import Keyslots

from figure import Figure

RUNS = 5
LIMIT_S = 60
POLL_S = 0.001
SETTLED_S = 1.5  # a laptop just enrolled has then sent what it had, and waits in its long-poll
BENCH_TOOL = OUT / "host/tests/bench_tool"
OFFICER_KDF = (65536, 3)  # KiB, passes: server/ctl/officer.h


def timed(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def enrolled_laptop(organisation, name):
    """A fresh laptop; returns it and the seconds from `holdfast enroll` to "policy enforced"."""
    laptop = HostLaptop(name)
    try:
        laptop.start()
        token = organisation.token()
        return laptop, timed(lambda: laptop.holdfast("enroll", token))
    except BaseException:
        laptop.__exit__()
        raise


def kill_command(organisation, name):
    return [str(BIN / "holdfast-ctl"), "--dir", organisation.officer, "--passphrase-file",
            organisation.passphrase_file, "device", "kill", name, "--yes", "--wait", "30"]


class Acceptance:
    """When does the server have a kill in its database?"""

    def __init__(self, organisation):
        path = pathlib.Path(organisation.data, "frontend/holdfast.db")
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.before = self.kills()

    def kills(self):
        return self.db.execute("SELECT count(*) FROM commands WHERE is_kill").fetchone()[0]

    def seen(self):
        return self.kills() > self.before


def kill_watch(laptop, organisation, kill):
    """Start the command; returns the seconds from then to: accepted by the server, begun on the laptop (the
    tombstone is there), keyslots gone."""
    slots, acceptance = Keyslots(laptop.image), Acceptance(organisation)
    tombstone = laptop.esp / "EFI/holdfast/tombstone"
    looks = [acceptance.seen, tombstone.exists, slots.gone]
    times = [None] * len(looks)
    begin = time.monotonic()
    process = subprocess.Popen(kill, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    while None in times:
        for i, look in enumerate(looks):
            if times[i] is None and look():
                times[i] = time.monotonic() - begin
        if time.monotonic() - begin > LIMIT_S:
            process.kill()
            break
        time.sleep(POLL_S)
    output = process.communicate(timeout=LIMIT_S)[0]
    slots.close()
    if process.returncode or None in times or laptop.opens(laptop.recovery_key.encode()):
        raise RuntimeError(f"the kill was not what it should be: {output}\n{laptop.log('holdfast-volumed')}")
    return times


def kill_once(organisation, name):
    """As kill_watch, of a fresh laptop, which is then lost; and the officer's Argon2id alone, just before."""
    laptop, _ = enrolled_laptop(organisation, name)
    with laptop:
        time.sleep(SETTLED_S)
        kdf = float(call(BENCH_TOOL, "kdf", *OFFICER_KDF, 1)) / 1000
        return [kdf, *kill_watch(laptop, organisation, kill_command(organisation, name))]


def kill_latency(progress):
    """From `holdfast-ctl device kill` being started to the keyslots being gone from the image."""
    runs = []
    with HostOrganisation() as organisation:
        for i in range(RUNS):
            runs.append(kill_once(organisation, f"kill-{i}"))
            progress(f"run {i + 1} of {RUNS}: {runs[-1][-1]:.3f} s")
    kdf, accepted, begun, gone = zip(*runs)
    return [Figure("kill.latency_s", "s", list(gone), 0.5, parts={
        "start to accepted by the server": list(accepted),
        "accepted to keyslots gone": [g - a for g, a in zip(gone, accepted)],
        "tombstone to keyslots gone, part of it": [g - b for g, b in zip(gone, begun)],
        "beside it: the officer's Argon2id alone, just before": list(kdf)})]


def enrol_enforced(progress):
    """From `holdfast enroll TOKEN` being started to its "policy enforced"."""
    seconds = []
    with HostOrganisation() as organisation:
        for i in range(RUNS):
            laptop, took = enrolled_laptop(organisation, f"enrol-{i}")
            with laptop:
                policy = laptop.status()["policy"]
                if policy["state"] != "enforced":
                    raise RuntimeError(f"`holdfast enroll` ended, but the policy is {policy}")
            seconds.append(took)
            progress(f"run {i + 1} of {RUNS}: {took:.3f} s")
    return [Figure("enrol.enforced_s", "s", seconds, 3.0)]
