#!/usr/bin/python3 -B
"""The main story: password, hand-off, enrolment, proven escrow, policy; then the helpdesk's code, which opens once;
then a machine without Holdfast, which opens the disk with the escrowed recovery key."""
import shutil

import storefile
from laptop import OVMF, Laptop, enforced
from organisation import Organisation
from story import check, main, show


# A second LUKS2 volume on the same unlock key, opened as a person would with stock cryptsetup alone.
SECOND_VOLUME = """
set -e; umask 077; cd /root
keyctl pipe $(keyctl search @u user holdfast:unlock) >/run/second.key
truncate -s 20M second.img
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/second.key second.img
shred -u /run/second.key
for id in 0 1 2 3; do
  token=$(cryptsetup token export --token-id $id /dev/vda2 2>/dev/null) || continue
  case $token in *'"type":"holdfast",'*) break ;; esac
done
echo "$token" | sed 's/"keyslots":\\["[0-9]*"\\]/"keyslots":["0"]/' | cryptsetup token import --token-id 0 second.img
cryptsetup open --token-only --token-type holdfast second.img second
echo written | dd of=/dev/mapper/second conv=fsync status=none
cryptsetup close second
cryptsetup open --token-only --token-type holdfast --readonly second.img second
head -c 7 /dev/mapper/second
cryptsetup close second; rm second.img
"""


def first_start(laptop, organisation):
    """Right password, kernel, volume open by the hand-off, agent enrolled, policy enforced."""
    seconds = laptop.boot()
    show(f"started in {seconds:.0f} s")
    check(" / ext4" in laptop.run("cat /proc/mounts"), "the root is mounted")
    check("crypt" in laptop.run("lsblk -rno TYPE,MOUNTPOINT 2>/dev/null || dmsetup ls --target crypt"),
          "it lies on dm-crypt")
    check("Please unlock" not in laptop.serial_text(), "nobody was asked for a passphrase after pre-boot")
    check("debian" in laptop.run("uname -v").lower(), "the kernel is the distribution's own")
    status, _ = laptop.run("ls /holdfast/handoff /run/initramfs/holdfast/handoff", check=False)
    check(status != 0, "the hand-off with the keys is gone")

    laptop.enrol(organisation)
    detail = organisation.wait_device("laptop", lambda d: d["policy_version"] >= 1, "policy enforced")
    laptop.wait_status(lambda s: s["network"]["session"] == "user", "a session with the user's proof")
    show("ok  policy enforced, and the session has the proof of the user who typed the password")
    kinds = [r["kind"] for r in detail["escrow"] if r["current"]]
    check(kinds.count("recovery-key") == 1 and kinds.count("one-time-code") >= 1,
          f"escrow holds the recovery key and {kinds.count('one-time-code')} one-time codes")
    check(laptop.run(SECOND_VOLUME, seconds=180).strip().endswith("written"),
          "stock cryptsetup opens another volume through the token plugin, without asking for anything")
    laptop.shutdown()


def helpdesk_start(laptop, organisation):
    """The helpdesk's code starts the laptop, once."""
    before = laptop.disk()
    esp = before.esp_image()
    old_store = storefile.of_disk(before)
    laptop.start()
    challenge = laptop.preboot_challenge()
    show(f"the screen shows the challenge {challenge}")
    code = organisation.remote_help(challenge)
    laptop.type(code.replace("-", ""))
    laptop.wait_agent()
    event = organisation.wait_event("laptop", "preboot-code-used")
    number = event["detail"].get("value", event["detail"].get("number"))
    check(number is not None, f"the server knows that code number {number} was used")
    old_key = old_store.unlock_key(old_store.code(number), code.encode())
    laptop.wait_status(lambda s: s["network"]["session"] == "recovered", "a start by code is a limited proof")
    show("ok  the session of a start by code is a limited one")
    laptop.wait_status(enforced, "settled again")
    laptop.shutdown()
    after = laptop.disk()
    check(storefile.of_disk(after).code(number) is None or not storefile.of_disk(after).code(number)["has_seal"],
          "the used code is gone from the store")
    check(not after.opens(old_key), "the unlock key that the code gave opens nothing on today's disk")
    check(after.opens(storefile.of_disk(after).unlock_key(storefile.of_disk(after).user(laptop.user),
                                                          laptop.password.encode())),
          "the password's key, rotated without the password, opens today's disk")
    return esp, code


def thief(laptop, esp, code):
    """An earlier copy of the ESP with that code, in a machine with fresh firmware, opens nothing."""
    disk = laptop.disk()
    today = disk.esp_image()
    disk.esp_restore(esp)
    laptop.put_disk(disk)
    shutil.copy(laptop.folder / "vars.fd", laptop.folder / "vars.mine")
    laptop.start()
    laptop.expect_text("older than the one this laptop last used")
    show("ok  on the laptop itself pre-boot says that the store was copied back")
    laptop.kill()
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", laptop.folder / "vars.fd")
    laptop.start()
    laptop.preboot_challenge()
    laptop.type(code.replace("-", ""))
    laptop.expect("holdfast: .*recovery key opens this laptop")
    show("ok  in another machine the burned code opens the old store, but not today's disk")
    laptop.kill()
    disk.esp_restore(today)
    laptop.put_disk(disk)
    shutil.move(laptop.folder / "vars.mine", laptop.folder / "vars.fd")


def stock_recovery(laptop, organisation):
    """A machine without Holdfast: the distribution's kernel and stock cryptsetup."""
    key = organisation.recovery_key("laptop")
    laptop.start_rescue()
    status, _ = laptop.shell("ls /sbin/holdfast-open")
    check(status != 0, "the rescue system has nothing of Holdfast")
    status, text = laptop.shell(f"printf %s {key} | cryptsetup open --key-file - /dev/vda2 disk")
    check(status == 0, f"stock cryptsetup opens the disk with the escrowed recovery key {text}")
    laptop.shell("mkdir -p /mnt; mount -o ro /dev/mapper/disk /mnt")
    check("the root was opened" in laptop.shell("cat /mnt/etc/holdfast-witness")[1], "its files are readable")
    laptop.kill()


def story():
    """One laptop, from its first start to the rescue of its data."""
    with Organisation() as organisation, Laptop() as laptop:
        first_start(laptop, organisation)
        esp, code = helpdesk_start(laptop, organisation)
        thief(laptop, esp, code)
        stock_recovery(laptop, organisation)


if __name__ == "__main__":
    main(story)
