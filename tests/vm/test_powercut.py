#!/usr/bin/python3 -B
"""A power cut while the store and keyslots change: a user is removed, which rotates the unlock key. Once by killing
the machine in the middle; and from the log of all writes, for every instant at which something became durable,
with everything unflushed dropped: there is always one valid store, and its password opens the disk."""
import shutil

import storefile
from disk import Disk, header_opens
from laptop import Laptop
from machine import run
from story import check, main, show
from writelog import FLUSH, WriteLog

BOB = "second user 9"
REMOVE = "holdfast user remove bob"


def opens(disk, laptop, header):
    """Generation of the store that counts, whether alice's password opens the disk through it, and bob's."""
    store = storefile.of_disk(disk)
    if store is None:
        return None, False, False
    key = store.unlock_key(store.user(laptop.user), laptop.password.encode())
    bob = store.user("bob")
    alice_opens = header_opens(disk.header(header), key)
    bob_opens = bool(bob and bob["has_seal"]) and header_opens(header, store.unlock_key(bob, BOB.encode()))
    return store.head["generation"], alice_opens, bob_opens


def relevant(entry, info):
    """Does a write touch the ESP or the LUKS2 header?"""
    return entry.offset < info["root_offset"] + (16 << 20)


def replay(laptop, base, log):
    """Cut the power behind every flush that made something of ours durable."""
    disk = Disk(base, laptop.info)
    header = laptop.folder / "replay.header"
    states, instants, kept = [], 0, None
    for _, entries in log.cuts():
        for entry in entries:
            log.apply(entry, base)
        if not any(relevant(e, laptop.info) for e in entries):
            continue
        instants += 1
        generation, alice, bob = opens(disk, laptop, header)
        if not alice:
            raise AssertionError(f"power cut at instant {instants} (write {entries[-1].number}): "
                                 f"generation {generation}, and alice's password does not open the disk")
        states.append((generation, bob))
        if kept is None and states[0] != states[-1]:
            kept = laptop.folder / "middle.img"
            shutil.copy(base, kept)
    return instants, states, kept


def written_out(laptop):
    """The log of all writes of one removal; the machine is killed right after it."""
    laptop.boot()
    laptop.run(f"printf '{BOB}\\n' | holdfast user add bob", seconds=120)
    laptop.shutdown()
    base = laptop.folder / "base.img"
    run("qemu-img", "convert", "-O", "raw", laptop.image, base)
    laptop.boot(log_writes="writes.log")
    # The firmware's variables are no part of the disk's log; they follow the store, never lead it.
    shutil.copy(laptop.folder / "vars.fd", laptop.folder / "vars.before")
    laptop.run(REMOVE, seconds=120)
    laptop.kill()
    return base


def story():
    """Every power cut in the removal of a user."""
    with Laptop() as laptop:
        base = written_out(laptop)
        log = WriteLog(laptop.folder / "writes.log")
        flushes = sum(1 for e in log.entries if e.flags & FLUSH)
        show(f"the log has {len(log.entries)} writes and {flushes} flushes")
        before = storefile.of_disk(Disk(base, laptop.info))
        bobs_key = before.unlock_key(before.user("bob"), BOB.encode())
        instants, states, middle = replay(laptop, base, log)
        generations = sorted({g for g, _ in states})
        check(instants >= 4 and len(generations) >= 2,
              f"{instants} instants, generations {generations[0]} to {generations[-1]}: alice's password opened the "
              "disk at each of them")
        check(not states[-1][1] and not header_opens(laptop.folder / "replay.header", bobs_key),
              "at the end bob's opens nothing, not even with the copy of the ESP from before")
        check(middle is not None, "there is an instant in the middle to start from")
        laptop.put_disk(Disk(middle, laptop.info))
        shutil.copy(laptop.folder / "vars.before", laptop.folder / "vars.fd")
        laptop.boot()
        laptop.wait_status(lambda s: True, "the agent runs")
        show("ok  the laptop starts from an instant in the middle, with alice's password")
        cut_for_real(laptop)


def cut_for_real(laptop):
    """The same with the machine killed in the middle."""
    for seconds in (0.4, 1.2):
        laptop.run("holdfast user list | grep -q bob || printf 'second user 9\\n' | holdfast user add bob",
                   seconds=120)
        laptop.throttle(bytes_per_second=1 << 20)
        laptop.power_cut_during(lambda: laptop.send(REMOVE), seconds)
        disk = laptop.disk()
        generation, alice, _ = opens(disk, laptop, laptop.folder / "cut.header")
        check(alice, f"killed {seconds} s into the removal: generation {generation}, alice's password opens the disk")
        laptop.boot()
    show("ok  and each time the laptop started again")


if __name__ == "__main__":
    main(story)
