#!/usr/bin/python3
"""Power cuts: holdfast-volumed dies at each system call that writes, in the middle of each operation; the next
start works or finishes. strace kills it at the Nth call of a kind; the page cache stays, so what this shows is
that every order of writes is safe (lost unflushed writes are the virtual machine's part).
An argument N runs every Nth point only (default 4); 1 runs all."""
import json
import os
import subprocess
import struct
import sys
import time

from laptop import Laptop, enrolled_laptop, uuid_of
from organisation import Organisation

CALLS = ("write", "pwrite64", "fsync", "rename", "unlink", "syncfs")
TOMBSTONE = os.path.join("EFI", "holdfast", "tombstone")


def keyslots(laptop):
    dump = json.loads(subprocess.run(["cryptsetup", "luksDump", "--dump-json-metadata", laptop.image],
                                     capture_output=True, check=True).stdout)
    return len(dump["keyslots"])


def cut(laptop, call, n, operation):
    """Run the operation, with volumed killed at the nth call. True: it was."""
    tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(laptop.process.pid), "-e",
                               f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"],
                              stderr=subprocess.DEVNULL)
    wait_traced(laptop.process.pid)
    try:
        operation(laptop)
        ended = False
    except (ConnectionError, OSError):
        laptop.process.wait(20)
        ended = True
    tracer.terminate()
    tracer.wait(20)
    return ended


def wait_traced(pid):
    for _ in range(2000):
        with open(f"/proc/{pid}/status") as f:
            if "TracerPid:\t0\n" not in f.read():
                return
        time.sleep(0.005)
    raise TimeoutError("strace did not attach")


def sound(laptop):
    """What must hold after the next start, whatever was cut."""
    laptop.prove()
    status = laptop.status()
    assert status["waiting"] == [], status["waiting"]
    assert status["policy"]["state"] == "enforced", status["policy"]
    assert status["volumes"][0]["header"] == "as vouched"
    assert keyslots(laptop) == 2, "one unlock keyslot and one recovery keyslot"
    assert "copies OK OK same-key 1" in laptop.show(), laptop.show()


def known_recovery_opens(laptop):
    keys = [laptop.secrets["recovery"]]
    keys += [s for b, s in map(laptop.org.open_escrow, laptop.escrow) if b["purpose"] == "recovery"]
    assert any(laptop.opens_recovery(k) for k in keys), "no escrowed recovery key opens the disk"


def remove_user(laptop):
    laptop.ask("USER_REMOVE", "bob")


def after_remove_user(laptop, old):
    laptop.restart()
    sound(laptop)
    known_recovery_opens(laptop)
    if not laptop.opens(user="bob", password="bob's password"):
        assert not laptop.opens(esp=old, user="bob", password="bob's password")
    assert laptop.opens_code(1, laptop.secrets[1])


def lock(laptop):
    laptop.ask("COMMAND", laptop.org.command("lock", sequence=50), laptop.org.certs())


def after_lock(laptop, old):
    laptop.stop(hard=True)
    code, out, _ = laptop.boot()
    assert code == 0 or out.strip() == "hand-off: ERR_LOCKED", out
    if code == 0:
        laptop.start()
        sound(laptop)
        lock(laptop)
        laptop.stop(hard=True)
        assert laptop.boot()[1].strip() == "hand-off: ERR_LOCKED"
    assert laptop.boot(code=laptop.secrets[1], number=1)[0] == 0
    laptop.start()
    sound(laptop)
    assert laptop.opens() and not laptop.opens_code(1, laptop.secrets[1], esp=old)


def rotate_recovery(laptop):
    laptop.ask("COMMAND", laptop.org.command("rotate-recovery", sequence=50), laptop.org.certs())
    laptop.prove()


def after_rotate_recovery(laptop, old):
    known_recovery_opens(laptop)
    laptop.restart()
    known_recovery_opens(laptop)
    sound(laptop)
    known_recovery_opens(laptop)
    assert laptop.opens_code(1, laptop.secrets[1]) and old


def kill(laptop):
    laptop.ask("COMMAND", laptop.org.command("kill", sequence=50), laptop.org.certs())


def after_kill(laptop, old):
    begun = os.path.exists(os.path.join(laptop.esp, TOMBSTONE))
    laptop.stop(hard=True)
    laptop.boot()
    if not begun:
        laptop.start()
        sound(laptop)
        kill(laptop)
    else:
        try:
            laptop.start()
        except AssertionError:
            # Store and hand-off are both gone: then there is nothing left to be finished.
            assert not os.path.exists(os.path.join(laptop.esp, "EFI", "holdfast", "store.0"))
    for esp in (laptop.esp, old):
        assert not laptop.opens(esp=esp) and not laptop.opens_code(1, laptop.secrets[1], esp=esp)
    assert not laptop.opens_recovery(laptop.secrets["recovery"])


def enrol(laptop):
    request = laptop.ask("ENROL_BEGIN", laptop.org.token(), os.urandom(32))
    laptop.org.take_enrol(request)
    laptop.ask("ENROL_FINISH", laptop.org.enrolled(request, {"one_time_codes": 2}))
    laptop.prove()


def after_enrol(laptop, old):
    laptop.restart()
    if not laptop.status()["enrolled"]:
        enrol(laptop)
    sound(laptop)
    assert laptop.opens() and old
    known_recovery_opens(laptop)


def boot_code(laptop):
    return laptop.boot(code=laptop.secrets[1], number=1)[0]


def after_code(laptop, old):
    # Either it was not burnt yet, and opens once more, or passwords (and other codes) open.
    if boot_code(laptop):
        assert laptop.boot()[0] == 0
    laptop.start()
    sound(laptop)
    assert not laptop.opens_code(1, laptop.secrets[1])
    assert not laptop.opens_code(1, laptop.secrets[1], esp=old)
    assert laptop.opens_code(2, laptop.secrets[2])


def boot_changing(laptop):
    return laptop.boot_changing("alice's password", "chosen at pre-boot")[0]


def after_changing(laptop, old):
    # Without the event: what pre-boot told was lost with the power.
    assert laptop.boot(password="chosen at pre-boot")[0] == 0
    laptop.start()
    sound(laptop)
    assert laptop.opens(password="chosen at pre-boot") and not laptop.opens()
    assert not laptop.opens(esp=old), "the old password with the old store"


def settled(laptop):
    """It listens first, and answers when it has settled; False: it was killed before."""
    try:
        return bool(laptop.connect() and laptop.status())
    except (OSError, ValueError, EOFError, AssertionError, struct.error):
        return False


def play_start(name, base, boot, after, stride):
    """The start after something that pre-boot did: cut while volumed starts."""
    points, begun = 0, time.time()
    for call in CALLS:
        n, cut_here = 1, True
        while cut_here:
            laptop = base.copy()
            old = laptop.save_esp()
            assert boot(laptop) == 0
            # -D: volumed, not strace, is the process that stop() ends.
            laptop.start(("strace", "-D", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                          f"inject={call}:signal=KILL:when={n}"), wait=False)
            cut_here = not settled(laptop)
            laptop.stop(hard=True)
            points += cut_here
            try:
                after(laptop, old)
            except Exception:
                laptop.stop(hard=True)
                print(f"FAILED  {name}: killed at {call} number {n}; left in {laptop.at}")
                raise
            laptop.remove()
            n += stride
    print(f"ok      {name}: {points} power cuts survived ({time.time() - begun:.0f} s)", flush=True)


def play(name, base, operation, after, stride):
    points, begun = 0, time.time()
    for call in CALLS:
        n = 1
        while True:
            laptop = base.copy()
            try:
                assert laptop.boot()[0] == 0
                laptop.start()
                old = laptop.save_esp()
                if not cut(laptop, call, n, operation):
                    laptop.remove()
                    break
                points += 1
                after(laptop, old)
            except Exception:
                laptop.stop(hard=True)
                print(f"FAILED  {name}: killed at {call} number {n}; left in {laptop.at}")
                raise
            laptop.remove()
            n += stride
    assert points, "nothing was ever cut"
    print(f"ok      {name}: {points} power cuts survived ({time.time() - begun:.0f} s)", flush=True)


def main():
    stride = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    base = enrolled_laptop()
    base.ask("USER_ADD", "bob", "bob's password", 0)
    base.drain()
    base.stop()
    for row in (("a user removed", remove_user, after_remove_user), ("lock", lock, after_lock),
                ("a new recovery key", rotate_recovery, after_rotate_recovery), ("kill", kill, after_kill)):
        play(row[0], base, row[1], row[2], stride)
    play_start("a code burnt at the start", base, boot_code, after_code, stride)
    play_start("a password changed at pre-boot", base, boot_changing, after_changing, stride)
    base.remove()
    fresh = Laptop()
    fresh.activate()
    fresh.org, fresh.secrets = Organisation(), {"recovery": fresh.first_recovery}
    fresh.uuids = {fresh.image: uuid_of(fresh.image)}
    play("enrolment", fresh, enrol, after_enrol, stride)
    fresh.remove()


if __name__ == "__main__":
    main()
