#!/usr/bin/python3 -B
"""Kill: it reaches a laptop that waits, and afterwards nothing opens the disk. A power cut in its middle changes
nothing: the next start finishes it."""
import shutil
import time

import storefile
from laptop import OVMF, Laptop
from organisation import Organisation, payload
from story import check, main, show


class Keys:
    """Everything that opens the disk before the kill."""

    def __init__(self, laptop, organisation):
        disk = laptop.disk()
        self.esp = disk.esp_image()
        self.header = disk.read(laptop.info["root_offset"], 16 << 20)
        self.store = storefile.of_disk(disk)
        record = min((r for r in self.store.records if r["kind"] == storefile.ONE_TIME_CODE and r["has_seal"]),
                     key=lambda r: r["number"])
        detail = organisation.device("laptop")
        escrow = next(e for e in detail["escrow"] if e["current"] and e["number"] == record["number"]
                      and e["kind"] == "one-time-code")
        code = organisation.ctl("escrow", "show", "laptop", escrow["id"], "--reason", "test").split()[-1]
        self.recovery_key = organisation.recovery_key("laptop")
        self.unlock_keys = {
            "the password": self.store.unlock_key(self.store.user(laptop.user), laptop.password.encode()),
            "a one-time code": self.store.unlock_key(record, code.encode()),
        }
        check(all(disk.opens(key) for key in self.unlock_keys.values()) and disk.opens(self.recovery_key.encode()),
              "before the kill password, one-time code and recovery key open the disk")

    def open_nothing(self, laptop):
        """On the disk as it is now, with stock cryptsetup and our own reader."""
        disk = laptop.disk()
        check(not disk.opens(self.recovery_key.encode()), "the recovery key opens nothing")
        for name, key in self.unlock_keys.items():
            check(not disk.opens(key), f"the unlock key that {name} and a saved copy of the ESP give opens nothing")
        now = disk.read(laptop.info["root_offset"], 16 << 20)
        same = sum(now[i:i + 4096] == self.header[i:i + 4096] != bytes(4096) for i in range(0, len(now), 4096))
        check(same == 0, "not one block of headers and keyslots is as it was")
        check(storefile.of_disk(disk) is None, "both copies of the store are destroyed")
        return disk


def thief_with_copy(laptop, keys, disk):
    """The saved ESP put back, in a machine with fresh firmware."""
    disk.esp_restore(keys.esp)
    laptop.put_disk(disk)
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", laptop.folder / "vars.fd")
    laptop.start()
    laptop.unlock()
    laptop.expect("holdfast: .*recovery key opens this laptop", 90)
    show("ok  pre-boot with the saved ESP accepts the old password, and the disk stays shut")
    laptop.kill()


def prepare(laptop, organisation):
    laptop.boot()
    laptop.enrol(organisation)
    return Keys(laptop, organisation)


def proof_checked(organisation, keys, laptop):
    detail = organisation.wait_device("laptop", lambda d: d["state"] == "killed" and d["kill_proof"], "kill proof")
    proof = payload(detail["kill_proof"])
    volumes = proof["detail"]["volumes"]
    check(all(v["read_back"] is True for v in volumes) and volumes[0]["uuid"] == laptop.info["root_uuid"],
          f"the server holds a signed proof: {volumes[0]['bytes'] >> 20} MiB overwritten and read back")


def kill_story():
    """Kill of a waiting laptop."""
    with Organisation() as organisation, Laptop() as laptop:
        keys = prepare(laptop, organisation)
        begin = time.monotonic()
        show(organisation.device_command("laptop", "kill").strip())
        show(f"answered after {time.monotonic() - begin:.1f} s")
        laptop.wait_off(120)
        show("ok  the laptop switched itself off")
        proof_checked(organisation, keys, laptop)
        disk = keys.open_nothing(laptop)
        laptop.start()
        laptop.expect_text("This laptop has been erased by its organisation.")
        show("ok  the pre-boot screen says what happened")
        laptop.kill()
        thief_with_copy(laptop, keys, disk)


def power_cut_story():
    """Power cut in the middle of a kill."""
    with Organisation() as organisation, Laptop() as laptop:
        keys = prepare(laptop, organisation)
        # Slow the disk down, so that the cut surely falls into the overwriting.
        laptop.throttle(bytes_per_second=2 << 20)
        laptop.power_cut_during(lambda: organisation.ctl("device", "kill", "laptop", "--yes", "--wait", "0",
                                                         check=False), seconds=4)
        disk = laptop.disk()
        tombstone = disk.esp_read("EFI/holdfast/tombstone")
        check(tombstone is not None and b"PENDING" in tombstone[:48], "the power was cut while the kill was under way")
        laptop.start()
        laptop.expect_text("Finishing the erasure of this laptop.")
        laptop.expect_text("This laptop has been erased by its organisation.")
        show("ok  the next start finished it")
        laptop.kill()
        keys.open_nothing(laptop)


if __name__ == "__main__":
    main(kill_story, power_cut_story)
