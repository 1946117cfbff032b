#!/usr/bin/python3 -B
"""What the firmware starts, in a real system: boot entries that are lost come back, an update of holdfast.efi is tried
once, and neither a bad update nor a ruined loader nor emptied variables keep anybody out."""
import hashlib
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


def provide(laptop, contents):
    """What an administrator brings: other versions of holdfast.efi, and the program that offers them."""
    disk = laptop.disk()
    for name, content in {**contents, "activate": ACTIVATE.read_bytes()}.items():
        disk.esp_write(name, content)
    laptop.put_disk(disk)


def stage(laptop, name):
    """holdfast-activate --loader, in the guest."""
    said = laptop.run(f"test -e /var/activate || cp /boot/efi/activate /var/activate; chmod 700 /var/activate; "
                      f"/var/activate --loader /boot/efi/{name}; rm -f /boot/efi/{name} /boot/efi/activate")
    check("tried once" in said, "holdfast-activate --loader: " + said.splitlines()[0])
    check("Holdfast (update)" not in entries(laptop), "the update is in no order: BootNext alone leads to it")


def copies(laptop):
    """SHA-256 of every copy, as the running system sees them."""
    lines = laptop.run("cd /boot/efi/EFI && sha256sum holdfast/*.efi BOOT/BOOTX64.EFI")
    return {line.split()[1].rsplit("/", 1)[-1]: line.split()[0] for line in lines.splitlines()}


def digest(content):
    return hashlib.sha256(content).hexdigest()


def first_entries(laptop, organisation):
    """An image without boot entries starts by BOOTX64.EFI; the agent makes them. Then somebody offers an update."""
    provide(laptop, {"two.efi": other_version(2)[1], "three.efi": other_version(3)[1]})
    laptop.boot()
    check(started_by(laptop) == "BOOTX64.EFI", "the firmware has no entry of ours yet")
    check(entries(laptop)[0] == "Holdfast", f"the entry is there, and first: {entries(laptop)}")
    laptop.enrol(organisation)
    stage(laptop, "two.efi")
    laptop.shutdown()


def good_update(laptop, organisation):
    """An update that comes up stays. The next one is offered in the same start, and is not confirmed untried."""
    version, content = other_version(2)
    laptop.boot()
    check(started_by(laptop) == "update", "the firmware has tried next.efi")
    event = organisation.wait_event("laptop", "loader-updated")
    check(event["detail"]["version"] == version, f"the server knows of version {version}")
    check(entries(laptop)[:2] == ["Holdfast", "Holdfast (previous)"], f"entries: {entries(laptop)}")
    whole = {"holdfast.efi": digest(content), "BOOTX64.EFI": digest(content), "previous.efi": digest(EFI.read_bytes())}
    check(copies(laptop) == whole, "it is the current one now, and the one before is kept")
    stage(laptop, "three.efi")
    laptop.run("systemctl restart holdfast-volumed")
    laptop.wait_status(lambda s: True, "the daemon is back")
    check(copies(laptop) == {**whole, "next.efi": digest(other_version(3)[1])}, "the next one waits for its try")
    laptop.shutdown()
    return content


def bad_update(laptop, organisation, current):
    """An update that does not start."""
    disk = laptop.disk()
    disk.esp_write(f"{HOME}/next.efi", b"MZ, and nothing that starts")
    laptop.put_disk(disk)
    laptop.boot()
    check(started_by(laptop) == "current", "the firmware passed over it by itself")
    event = organisation.wait_event("laptop", "loader-update-failed")
    check("did not come up" in event["detail"]["why"], "and it is told: " + event["detail"]["why"])
    there = copies(laptop)
    check("next.efi" not in there and there["holdfast.efi"] == digest(current), "nothing is left of it")
    laptop.shutdown()


def ruined_loader(laptop, organisation, current):
    """holdfast.efi is a ruin."""
    disk = laptop.disk()
    disk.esp_write(f"{HOME}/holdfast.efi", b"ruin")
    laptop.put_disk(disk)
    laptop.boot()
    check(started_by(laptop) == "previous", "the previous one came up by itself")
    check("last started" in organisation.wait_event("laptop", "loader-repaired")["detail"]["from"] and
          copies(laptop)["holdfast.efi"] == digest(current), "it is mended, with what it was")
    organisation.wait_event("laptop", "preboot-loader-fallback")
    show("ok  pre-boot has told it, too")
    laptop.shutdown()


def wiped_variables(laptop, organisation):
    """The firmware has forgotten everything."""
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", laptop.folder / "vars.fd")
    laptop.boot()
    check(started_by(laptop) == "BOOTX64.EFI", "started by BOOTX64.EFI")
    event = organisation.wait_event("laptop", "boot-entry-repaired", having=lambda e: "lost" in e["detail"]["what"])
    check("Holdfast: lost" in event["detail"]["what"], "told: " + event["detail"]["what"])
    check(entries(laptop)[:2] == ["Holdfast", "Holdfast (previous)"], f"repaired: {entries(laptop)}")
    laptop.shutdown()


def story():
    """One laptop, and everything that may happen to what its firmware starts."""
    with Organisation() as organisation, Laptop() as laptop:
        first_entries(laptop, organisation)
        current = good_update(laptop, organisation)
        bad_update(laptop, organisation, current)
        ruined_loader(laptop, organisation, current)
        wiped_variables(laptop, organisation)


if __name__ == "__main__":
    main(story, limit_seconds=800)
