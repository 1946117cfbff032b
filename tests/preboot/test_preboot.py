#!/usr/bin/python3
"""holdfast.efi in a virtual machine: what it accepts, what it refuses and with which words, and that a power cut
in the middle of an erasure changes nothing about its end. Prints what each step shows."""
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rig  # noqa: E402
from installation import INITIAL, NEW, PASSWORD, USER, Installation, show  # noqa: E402

WRONG_PASSWORD, WRONG_CODE, CODE_USED, COPY_DAMAGED, GENERATION_MISSING, ROLLBACK, REFUSED = 2, 3, 4, 5, 6, 7, 8
AREA_BYTES = 32 << 20


class Preboot(Installation):
    """Its stores are named by their generation."""

    def __init__(self, folder):
        super().__init__(folder)
        self.codes = self.make(5)
        self.install()

    def make(self, generation, password=PASSWORD):
        return self.make_store(generation, f"generation={generation}", f"user={USER}:{password}", "codes=3")

    def install(self, generation=5):
        """Every file as it should be."""
        self.install_targets()
        self.install_store(generation)


def unlock_after_wrong_answers(p):
    """Keys mashed at the prompt, an unknown user, a wrong password, then the right one."""
    laptop = p.laptop
    laptop.start()
    laptop.see("Laptop:  test laptop")
    laptop.see("User name: ")
    laptop.type("\b" * 40 + "x" * 300 + "\x15" + "\x01\x02\x03\x04\x05\x06\x07\x1a\x1c" + "\t" * 20)
    laptop.type("mallory\r")
    laptop.see("Password: ")
    laptop.type("y" * 400 + "\x7f" * 400 + "guess\r")
    laptop.told("MESSAGE_WRONG_PASSWORD", "password")
    laptop.counts_down(1)
    show("unknown user: refused in the words of a wrong password; mashed keys changed nothing")
    p.log_in("wrong")
    laptop.told("MESSAGE_WRONG_PASSWORD", "password")
    laptop.counts_down(2)
    laptop.type("typed while waiting\r")
    laptop.counts_down(1)
    show("wrong password: refused, the delay doubled, keys typed meanwhile thrown away")
    p.log_in()
    h = laptop.handoff()
    assert h.user == USER and h.kind == 1 and h.generation == 5 and h.target == 0, vars(h)
    assert any(h.unlock_key) and any(h.user_seed)
    assert h.event(WRONG_PASSWORD) == 2, h.events
    assert h.event(GENERATION_MISSING) == 0, h.events
    show(f"right password: kernel started with the hand-off (KDF {h.kdf_ms} ms, overhead {h.overhead_ms} ms, "
         f"largest free range {h.memory_mib} MiB), two failures reported")
    return h


def code_once(p):
    """The one-time code: a mistyped group is named, the right one opens, and is crossed out in both copies."""
    laptop = p.laptop
    laptop.start()
    laptop.see("User name: ")
    laptop.type("\r")
    laptop.see("One-time code Call your helpdesk")
    laptop.see(r"Challenge: \w{5}-\w{5}-\w{5}")
    code = p.codes["code 1"].replace("-", "")
    laptop.see("Code: ")
    mistyped = "B" if code[7] != "B" else "C"
    laptop.type(code[:7] + mistyped + code[8:10])
    laptop.told("MESSAGE_GROUP_MISTYPED", 2)
    laptop.see(f"Code: {code[:5]}-")
    show("mistyped code: group 2 named as soon as it was typed")
    laptop.type("\r")
    laptop.told("MESSAGE_CODE_SHORT", 7, 5, 30)
    laptop.type(code[5:].lower() + "\r")
    h = laptop.handoff()
    assert h.kind == 2 and h.number == 1 and h.user == "", vars(h)
    assert h.event(CODE_USED) == 1, h.events
    for copy in p.stores():
        assert "code 1 dropped" in copy and "code 2 sealed" in copy, copy
    show("one-time code 1: kernel started, the code crossed out in both copies of the store")


def used_code_and_damaged_copy(p):
    """The same code again; and one copy of the store damaged."""
    laptop = p.laptop
    laptop.flip("/EFI/holdfast/store.1", 1000)
    laptop.start()
    laptop.see("User name: ")
    laptop.type("\x12")
    p.type_code(p.codes["code 1"])
    laptop.told("MESSAGE_WRONG_CODE")
    show("used code: refused, the next one is asked for")
    laptop.see("User name: ")
    laptop.type("\x0b")
    laptop.see("Recovery key: ")
    laptop.type(p.codes["recovery"] + "\r")
    h = laptop.handoff()
    assert h.kind == 3, vars(h)
    assert h.event(WRONG_CODE) == 1 and h.event(COPY_DAMAGED) == 1, h.events
    assert "code 1 dropped" in p.stores()[1]
    show("one copy damaged: unlocked from the other (by the recovery key), mended, reported")


def changed_kernel(p):
    laptop = p.laptop
    p.install()
    laptop.flip("/EFI/holdfast/boot/current/vmlinuz", 2_000_000)
    laptop.start()
    p.log_in()
    laptop.told("MESSAGE_TARGET_CHANGED", "kernel", "current")
    laptop.see("target=previous")
    h = laptop.handoff(linger=True)
    assert h.target == 1 and h.event(REFUSED) == 0, vars(h)
    show("changed kernel: named and not started; the previous target was")
    laptop.cut()


def changed_initrd_and_cmdline(p):
    laptop = p.laptop
    p.install()
    laptop.flip("/EFI/holdfast/boot/current/initrd.img", 500_000)
    laptop.flip("/EFI/holdfast/boot/previous/cmdline", 3)
    laptop.start()
    p.log_in()
    laptop.told("MESSAGE_TARGET_CHANGED", "initrd", "current")
    laptop.told("MESSAGE_TARGET_CHANGED", "command line", "previous")
    laptop.told("MESSAGE_NO_TARGET")
    laptop.see("R: Restart P: Power off")
    laptop.type("xyz\r\x1bp")
    laptop.off()
    show("changed initrd and changed command line: each named, nothing started")


def forged_store(p):
    laptop = p.laptop
    p.install()
    p.put_both("forge", 5)
    laptop.start()
    p.log_in()
    laptop.told("MESSAGE_STORE_CHANGED")
    laptop.see("R: Restart P: Power off")
    laptop.cut()
    show("store changed with its checksum mended: refused by signature")
    p.put_both("plant", 5)
    laptop.start()
    p.log_in()
    laptop.told("MESSAGE_CREDENTIAL_CHANGED")
    laptop.cut()
    show("another seal planted in the record: refused")


def damaged_store(p):
    laptop = p.laptop
    p.install()
    laptop.flip("/EFI/holdfast/store.0", 900)
    laptop.delete("/EFI/holdfast/store.1")
    laptop.start()
    laptop.told("MESSAGE_NO_STORE", "damaged or half written: the checksum does not match", "not found")
    laptop.see("R: Restart P: Power off")
    laptop.cut()
    show("one byte of the store changed, the other copy gone: each named, and what to do")


def rolled_back(p):
    laptop = p.laptop
    p.make(8)
    p.install(8)
    laptop.start()
    p.log_in()
    assert laptop.handoff().generation == 8
    p.install_store(5)
    laptop.start()
    laptop.told("MESSAGE_ROLLED_BACK", 5, 8)
    laptop.see("R: Restart P: Power off")
    laptop.cut()
    show("older store copied back: refused by its generation")
    p.put_both("lock", 8)
    laptop.start()
    laptop.told("MESSAGE_LOCKED")
    laptop.see("Challenge: ")
    laptop.see("Code: ")
    laptop.cut()
    show("locked store: said up front, the code is asked for")
    p.install(8)
    laptop.start()
    p.log_in()
    h = laptop.handoff()
    assert h.event(ROLLBACK) == 1, h.events
    show("right store back: unlocks, and the attempt is reported")


def word_of_the_firmwares(p):
    """Bug: a password that is a word of the firmware's was overwritten there too, when what was typed was cleared
    away. "holdfast" emptied a folder's name in the file system driver's cache: the right password started nothing."""
    laptop = p.laptop
    p.make(9, "holdfast")
    p.install(9)
    p.install_store(8, ["store.1"])
    laptop.start()
    p.log_in("holdfast")
    assert laptop.handoff().target == 0
    assert "generation 9" in p.stores()[1]
    show("password that is a folder's name: unlocks; the older copy of the store was brought up to the newer")


def refused_kernel(p):
    """A kernel that the manifest vouches for and that the firmware does not take: the next target is started."""
    laptop = p.laptop
    kernel = p.targets["current"] / "vmlinuz"
    kernel.write_bytes(b"no program" * 1000)
    p.make(10)
    p.install(10)
    laptop.start()
    p.log_in()
    laptop.told("MESSAGE_TARGET_UNLOADABLE", "current")
    h = laptop.handoff(linger=True)
    laptop.cut()
    assert h.target == 1 and h.event(REFUSED) == 0, vars(h)
    shutil.copy(rig.kernel(), kernel)
    show("kernel that firmware refuses: said, and the previous target started")


def nothing_left(p):
    """What was typed on the terminal, shown there by Ctrl-T, and chosen there."""
    laptop = p.laptop
    p.make_store(11, "generation=11", f"user={USER}:{INITIAL},must-change", targets=["previous"])
    p.install(11)
    laptop.start()
    laptop.see("User name: ")
    laptop.type(f"{USER}\r")
    laptop.see("Password: ")
    laptop.type(f"\x14{INITIAL}")
    laptop.see(INITIAL)
    traces = laptop.memory().traces({"the password": INITIAL})
    assert any("characters" in trace for trace in traces), "the search does not find what is there"
    laptop.type("\r")
    for label in ("New password: ", "The same again: "):
        laptop.see(label)
        laptop.type(f"\x14{NEW}\r")
    h = laptop.handoff(linger=True)
    laptop.see("LINGERING")
    p.nothing_left(h, {"the password": INITIAL, "the new password": NEW})
    show("memory after the kernel has started and the hand-off was overwritten: no password, old or new, and no key, "
         f"although it was there while it was typed ({len(traces)} traces)")


def erased(p):
    """A kill that had begun is finished, although the power is cut in the middle of that too, and as far as a
    disk with a bad sector allows."""
    laptop = p.laptop
    stone = p.folder / "tombstone"
    laptop.fill_area(b"K")
    rig.tool("tombstone", stone, rig.PARTITION.replace("-", ""), AREA_BYTES)
    laptop.put(stone, "/EFI/holdfast/tombstone")
    laptop.start(laptop.disk_with_bad_sector(3 << 20))
    laptop.told("MESSAGE_ERASURE_UNFINISHED")
    laptop.type(" ")
    laptop.off()
    area = laptop.area()[:AREA_BYTES]
    assert area[3 << 20:][:4096] == b"K" * 4096, "the bad sector was written: the test shows nothing"
    assert area.count(b"K" * 64) == 64, "a bad sector has saved more than itself"
    show("disk with a bad sector: all around it is overwritten, and it is not called erased")
    laptop.fill_area(b"K")
    p.install(10)
    rig.tool("tombstone", stone, rig.PARTITION.replace("-", ""), AREA_BYTES)
    laptop.start()
    laptop.told("MESSAGE_ERASING")
    time.sleep(0.15)
    laptop.cut()
    left = laptop.area()[:AREA_BYTES].count(b"K" * 4096)
    assert laptop.has("/EFI/holdfast/tombstone")
    show(f"power cut while erasing, {left * 4096 >> 20} of {AREA_BYTES >> 20} MiB still to do")
    laptop.start()
    laptop.told("MESSAGE_ERASED_VOLUME", 1, 1, "erased")
    laptop.told("MESSAGE_ERASED")
    laptop.off()
    area = laptop.area()
    assert b"K" * 64 not in area[:AREA_BYTES], "keys are left on the disk"
    assert area[AREA_BYTES:] == b"K" * (len(area) - AREA_BYTES), "erased further than the tombstone says"
    for gone in ("store.0", "store.1", "boot/current/vmlinuz", "boot/previous/initrd.img"):
        assert not laptop.has(f"/EFI/holdfast/{gone}"), gone
    stone.write_bytes(laptop.get("/EFI/holdfast/tombstone"))
    assert rig.tool("state", stone) == "ERASED kill.command.kept\n"
    show("next start: erased to the end, files gone, tombstone says so and keeps the command")
    p.install_store(10)
    laptop.start()
    laptop.told("MESSAGE_ERASED")
    laptop.type(" ")
    laptop.off()
    assert not laptop.has("/EFI/holdfast/store.0") and not laptop.has("/EFI/holdfast/store.1")
    show("and at every start after that; a store that was left (power cut in the agent's erasure) goes too")
    laptop.delete("/EFI/holdfast/tombstone")
    p.install(5)
    laptop.start()
    p.log_in()
    h = laptop.handoff()
    assert h.event(GENERATION_MISSING) == 0, h.events
    show("a new installation begins with a low generation: the erased one's is forgotten")


def main():
    steps = [unlock_after_wrong_answers, code_once, used_code_and_damaged_copy, changed_kernel,
             changed_initrd_and_cmdline, forged_store, damaged_store, rolled_back,
             word_of_the_firmwares, refused_kernel, nothing_left, erased]
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="preboot-") as folder:
        p = Preboot(folder)
        try:
            for step in steps:
                if not wanted or step.__name__ in wanted:
                    step(p)
        finally:
            if p.laptop.child:
                p.laptop.cut()
    print("preboot: all shown")


if __name__ == "__main__":
    main()
