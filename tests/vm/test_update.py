#!/usr/bin/python3 -B
"""What the firmware starts, in a real system: boot entries that are lost come back, an update of holdfast.efi is tried
once, and neither a bad update nor a ruined loader nor emptied variables keep anybody out."""
import re
import shutil

from laptop import OVMF, Laptop
from machine import OUT
from organisation import Organisation
from story import check, main, show

EFI = OUT / "efi/holdfast.efi"
ACTIVATE = OUT / "host/bin/holdfast-activate"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
HOME = "EFI/holdfast"


def other_version(number):
    """holdfast.efi as it will be one day: the same program with another version in its .sbat section."""
    content = EFI.read_bytes()
    line = re.search(rb"holdfast,1,Holdfast,holdfast,([0-9.]+),", content)
    version = (b"%d" % number) * len(line.group(1))
    return version.decode(), content.replace(line.group(0), line.group(0).replace(line.group(1), version), 1)


def entries(laptop):
    """Texts of the boot entries in their order, as the running system sees them."""
    order = bytes.fromhex(laptop.run(f"od -An -tx1 -v /sys/firmware/efi/efivars/BootOrder-{GLOBAL} | tr -d ' \\n'"))[4:]
    texts = []
    for at in range(0, len(order), 2):
        name = f"Boot{order[at + 1]:02X}{order[at]:02X}-{GLOBAL}"
        status, text = laptop.run(f"od -An -tx1 -v /sys/firmware/efi/efivars/{name} | tr -d ' \\n'", check=False)
        if status == 0 and text:
            words = bytes.fromhex(text)[4 + 6:]
            texts.append(words.decode("utf-16-le", "replace").split("\0")[0])
    return texts


def started_by(laptop):
    return laptop.wait_status(lambda s: "loader" in s, "who started it")["loader"]["started_by"]


def stage(laptop, content):
    """An administrator offers another holdfast.efi: put on the disk, then holdfast-activate --loader in the guest."""
    disk = laptop.disk()
    disk.esp_write("two.efi", content)
    disk.esp_write("activate", ACTIVATE.read_bytes())
    laptop.put_disk(disk)
    laptop.boot()
    said = laptop.run("cp /boot/efi/activate /var/activate; rm /boot/efi/activate; chmod 700 /var/activate; "
                      "/var/activate --loader /boot/efi/two.efi; rm -f /var/activate /boot/efi/two.efi")
    check("tried once" in said, "holdfast-activate --loader: " + said.splitlines()[0])
    check("Holdfast (update)" not in entries(laptop), "the update is in no order: BootNext alone leads to it")
    laptop.shutdown()


def first_entries(laptop, organisation):
    """An image without boot entries starts by BOOTX64.EFI; the agent makes them."""
    laptop.boot()
    check(started_by(laptop) in ("BOOTX64.EFI", "?"), "the firmware has no entry of ours yet")
    laptop.wait_status(lambda s: True, "settled")
    check(entries(laptop)[0] == "Holdfast", f"the entry is there, and first: {entries(laptop)}")
    laptop.enrol(organisation)
    laptop.shutdown()


def good_update(laptop, organisation):
    """An update that comes up stays."""
    version, content = other_version(2)
    stage(laptop, content)
    laptop.boot()
    check(started_by(laptop) == "update", "the firmware has tried next.efi")
    event = organisation.wait_event("laptop", "loader-updated")
    check(event["detail"]["version"] == version, f"the server knows of version {version}")
    check(entries(laptop)[:2] == ["Holdfast", "Holdfast (previous)"], f"entries: {entries(laptop)}")
    laptop.shutdown()
    disk = laptop.disk()
    check(disk.esp_read(f"{HOME}/holdfast.efi") == content == disk.esp_read("EFI/BOOT/BOOTX64.EFI") and
          disk.esp_read(f"{HOME}/previous.efi") == EFI.read_bytes() and disk.esp_read(f"{HOME}/next.efi") is None,
          "it is the current one now, and the one before is kept")
    return content


def bad_update(laptop, organisation, current):
    """An update that does not start."""
    stage(laptop, other_version(3)[1])
    disk = laptop.disk()
    check(disk.esp_read(f"{HOME}/next.efi") is not None, "next.efi waits")
    disk.esp_write(f"{HOME}/next.efi", b"MZ, and nothing that starts")
    laptop.put_disk(disk)
    laptop.boot()
    check(started_by(laptop) == "current", "the firmware passed over it by itself")
    event = organisation.wait_event("laptop", "loader-update-failed")
    check("did not come up" in event["detail"]["why"], "and it is told: " + event["detail"]["why"])
    laptop.shutdown()
    disk = laptop.disk()
    check(disk.esp_read(f"{HOME}/next.efi") is None and disk.esp_read(f"{HOME}/holdfast.efi") == current,
          "nothing is left of it")
    return disk


def ruined_loader(laptop, organisation, disk):
    """holdfast.efi is a ruin."""
    disk.esp_write(f"{HOME}/holdfast.efi", b"ruin")
    laptop.put_disk(disk)
    laptop.boot()
    check(started_by(laptop) == "previous", "the previous one came up by itself")
    check("previous" in organisation.wait_event("laptop", "loader-repaired")["detail"]["from"], "it is mended from there")
    organisation.wait_event("laptop", "preboot-loader-fallback")
    show("ok  pre-boot has told it, too")
    laptop.shutdown()


def wiped_variables(laptop, organisation):
    """The firmware has forgotten everything."""
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", laptop.folder / "vars.fd")
    laptop.boot()
    check(started_by(laptop) in ("BOOTX64.EFI", "?"), "started by BOOTX64.EFI")
    event = organisation.wait_event("laptop", "boot-entry-repaired", having=lambda e: "lost" in e["detail"]["what"])
    check("Holdfast: lost" in event["detail"]["what"], "told: " + event["detail"]["what"])
    check(entries(laptop)[:2] == ["Holdfast", "Holdfast (previous)"], f"repaired: {entries(laptop)}")
    variable = f"/sys/firmware/efi/efivars/BootOrder-{GLOBAL}"
    laptop.run(f"chattr -i {variable}; rm {variable}")
    laptop.shutdown()
    laptop.boot()
    check(entries(laptop)[0] == "Holdfast", f"BootOrder was emptied, and is whole again: {entries(laptop)}")
    laptop.shutdown()


def story():
    """One laptop, and everything that may happen to what its firmware starts."""
    with Organisation() as organisation, Laptop() as laptop:
        first_entries(laptop, organisation)
        current = good_update(laptop, organisation)
        disk = bad_update(laptop, organisation, current)
        ruined_loader(laptop, organisation, disk)
        wiped_variables(laptop, organisation)


if __name__ == "__main__":
    main(story, limit_seconds=1100)
