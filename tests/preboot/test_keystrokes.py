#!/usr/bin/python3
"""Keys mashed at the prompt of holdfast.efi, on the serial terminal and on a keyboard: ten thousand of them, random
bytes, function keys, escape sequences that end in the middle. The prompt stays, nothing else starts, and afterwards the
right password opens as if nothing had been."""
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rig  # noqa: E402
from installation import PASSWORD, USER, Installation, show  # noqa: E402

BYTES, KEYS, SEED = 10_000, 300, 20261122
ENTERS = b"\r\n\t"  # answers: each wrong one costs a delay, so they are typed on purpose only
SEQUENCES = [b"\x1b[A", b"\x1b[1;5C", b"\x1bOP", b"\x1b[24~", b"\x1b[", b"\x1bO", b"\x1b\x1b\x1b", b"\x1b[99999999999m",
             b"\xff\xfe", b"\xc3", b"\xf0\x9f\x98\x80", b"\0" * 8, b"\x7f" * 300, b"\x08" * 28]
NAMED = [f"f{n}" for n in range(1, 13)] + ["esc", "backspace", "delete", "insert", "home", "end", "pgup", "pgdn", "up",
         "down", "left", "right", "caps_lock", "num_lock", "ctrl-c", "ctrl-d", "ctrl-z", "ctrl-x", "alt-f4", "shift-a",
         "spc", "alt-sysrq", "print", "pause", "menu", "meta_l"]
ELSEWHERE = (b"Shell>", b"UEFI Interactive Shell", b"Boot Manager", b"X64 Exception", b"Select Language", b"~ #")


def mash(rng):
    """Bytes as from a terminal that somebody sits on."""
    left = BYTES
    while left > 0:
        piece = rng.choice(SEQUENCES) if rng.randrange(8) == 0 else bytes(
            b for b in rng.randbytes(rng.randrange(1, 16)) if b not in ENTERS)
        left -= len(piece)
        yield piece


def main():
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="keys-") as folder:
        p = Installation(folder)
        laptop = p.laptop
        p.make_store("owner", "generation=5", f"user={USER}:{PASSWORD}", "codes=3")
        p.install_targets()
        p.install_store("owner")
        laptop.start()
        try:
            laptop.see("User name: ")
            laptop.child.send(b"\x10")
            for piece in mash(rng):
                laptop.child.send(piece)
            show(f"{BYTES} bytes on the serial terminal")
            for _ in range(KEYS):
                laptop.key(rng.choice(NAMED))
            show(f"{KEYS} function and control keys on the keyboard")
            for _ in range(3):  # an answer, whatever it is to: a wrong name and password, a code that is none
                laptop.child.send(b"\r")
                time.sleep(1)
            time.sleep(6)
            again(laptop)
            h = laptop.handoff()
        finally:
            if laptop.child and laptop.child.isalive():
                laptop.cut()
        told = (laptop.folder / "serial-1.log").read_bytes()
        assert told.count(b"BdsDxe: starting Boot") == 1, "it was started again"
        for other in ELSEWHERE:
            assert other not in told, f"{other!r} is on the screen"
        assert h.user == USER and h.kind == 1, vars(h)
        show("the prompt was there all the time, and the right password opened")


def again(laptop):
    """To the first page, where nothing is typed; then the right answers. A mashed F7 has asked for a new password
    after unlocking: the owner leaves that with Esc."""
    for _ in range(20):
        laptop.child.send(b"\x1b")
        time.sleep(0.6)
    laptop.child.expect([b".+"])
    laptop.child.send(b"\x15" + USER.encode() + b"\r")
    laptop.see("Password: ")
    laptop.type("\x15" + PASSWORD + "\r")
    laptop.see("Keep the old one New password: ")
    laptop.type("\x1b")


if __name__ == "__main__":
    main()
