#!/usr/bin/python3 -B
"""What is changed is refused, with words that say what, before anything starts; and what is right works afterwards."""

import storefile
from laptop import Laptop
from story import check, main, show

BOOT = "EFI/holdfast/boot/current"
STORES = ("EFI/holdfast/store.0", "EFI/holdfast/store.1")


def flip(content, at):
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def wrong_password(laptop):
    """A wrong password is refused, with a delay; the right one opens right after."""
    laptop.start()
    laptop.login(laptop.user, "wrong horse 7")
    laptop.expect_text("Wrong user name or password.")
    laptop.expect_text("Next try in")
    show("ok  wrong password refused, and a delay before the next try")
    laptop.login("nobody", laptop.password)
    laptop.expect_text("Wrong user name or password.")
    show("ok  the same words for a user who does not exist")
    laptop.unlock()
    laptop.wait_agent()
    show("ok  the right password starts the laptop")
    laptop.run("printf 'second user 9\\n' | holdfast user add bob", seconds=120)
    laptop.shutdown()


def refused(laptop, words, password=True):
    laptop.start()
    if password:
        laptop.unlock()
    laptop.expect_text(words)
    laptop.kill()
    text = laptop.serial_text()
    check("EFI stub" not in text and "Linux version" not in text, f"refused before any kernel: {words}")


def changed_files(laptop, disk):
    """One byte in kernel, initrd, command line."""
    for name, words in (("vmlinuz", "The kernel of boot target 'current' was changed"),
                        ("initrd.img", "The initrd of boot target 'current' was changed"),
                        ("cmdline", "The command line of boot target 'current' was changed")):
        original = disk.esp_read(f"{BOOT}/{name}")
        disk.esp_write(f"{BOOT}/{name}", flip(original, len(original) // 2))
        laptop.put_disk(disk)
        refused(laptop, words)
        disk.esp_write(f"{BOOT}/{name}", original)


def recount(content):
    """Repair the checksum, as an attacker would."""
    total = int.from_bytes(content[12:16], "little")
    return content[:total - 32] + storefile.blake2b(content[:total - 32]) + content[total:]


def changed_store(laptop, disk):
    """One byte in both copies of the store; with the checksum as it was, and repaired."""
    originals = [disk.esp_read(name) for name in STORES]
    for name, content in zip(STORES, originals):
        disk.esp_write(name, flip(content, 300))
    laptop.put_disk(disk)
    refused(laptop, "Copy 1 of the credential store (store.0)", password=False)
    for name, content in zip(STORES, originals):
        # The command sequence in the head: signed, and nothing else depends on it.
        disk.esp_write(name, recount(flip(content, 72)))
    laptop.put_disk(disk)
    refused(laptop, "The credential store was changed by somebody else")
    for name, content in zip(STORES, originals):
        disk.esp_write(name, content)


def older_store(laptop, disk, old):
    """A store from yesterday copied back."""
    originals = [disk.esp_read(name) for name in STORES]
    for name, content in zip(STORES, old):
        disk.esp_write(name, content)
    laptop.put_disk(disk)
    refused(laptop, "older than the one this laptop last used", password=False)
    for name, content in zip(STORES, originals):
        disk.esp_write(name, content)


def one_copy_damaged(disk, laptop):
    """A torn write of the older copy."""
    order = [storefile.newest(disk.esp_read(name) or b"") for name in STORES]
    newer = max((i for i in (0, 1) if order[i]), key=lambda i: order[i].order())
    original = disk.esp_read(STORES[1 - newer])
    disk.esp_write(STORES[1 - newer], bytes(len(original)))
    laptop.put_disk(disk)


def afterwards(laptop, disk):
    """With everything as it was but for one torn copy of the store, the laptop starts, for the second user too."""
    one_copy_damaged(disk, laptop)
    laptop.start()
    laptop.login("bob", "second user 9")
    laptop.wait_agent()
    check("the root was opened" in laptop.run("cat /etc/holdfast-witness"), "bob's password opens the laptop, from one whole copy of the store")
    laptop.shutdown()


def story():
    """One laptop, changed in every way, one after the other."""
    with Laptop() as laptop:
        old = [laptop.disk().esp_read(name) for name in STORES]
        wrong_password(laptop)
        disk = laptop.disk()
        changed_files(laptop, disk)
        changed_store(laptop, disk)
        older_store(laptop, disk, old)
        afterwards(laptop, disk)


if __name__ == "__main__":
    main(story)
