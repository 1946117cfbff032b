#!/usr/bin/python3 -B
"""The hardware self-test in a virtual machine: asked for by a boot entry and by a file; with a person at the keyboard,
with nobody there; with and without a TPM; the report that it leaves, and that a laptop in use is not stopped by it."""
import re
import subprocess
import sys
import tempfile
import time

from rig import OUT, Laptop, run, table, table_bytes, decode, EFI

ACTIVATE = OUT / "host/bin/holdfast-activate"
REPORT, REQUEST = "/EFI/holdfast/selftest.report", "/EFI/holdfast/selftest.request"
RESULTS = ["not tested", "ok", "FAILED"]


def show(text):
    print(f"ok  {text}", flush=True)


def report(laptop):
    """The report by the tables of common/: {key: (result, figure, figure2)}, and its head."""
    content = laptop.get(REPORT)
    fields, base = table("selftest_test_v1.inc"), table_bytes(table("selftest_v1.inc"))
    head = decode(table("selftest_v1.inc"), content)
    head["text"] = content
    source = (OUT.parents[1] / "common/selftest.h").read_text()
    keys = {int(n): key for n, key in re.findall(r'X\(SELFTEST_\w+, (\d+), "([a-z0-9-]+)", ', source)}
    tests = {}
    for i in range(head["test_count"]):
        t = decode(fields, content[base + i * table_bytes(fields):])
        tests[keys[t["kind"]]] = (RESULTS[t["result"]], t["figure"], t["figure2"])
    return tests, head


def shown(laptop):
    """What holdfast-activate --self-test --show says of it."""
    with tempfile.TemporaryDirectory() as esp:
        run("mcopy", "-s", "-i", laptop.esp, "::/EFI", esp)
        return run(ACTIVATE, "--self-test", "--show", "--esp", esp, "--efivars", "").decode()


def ask(laptop):
    """As holdfast-activate does it where firmware takes no entry: by the file."""
    with tempfile.TemporaryDirectory() as esp:
        text = run(ACTIVATE, "--self-test", "--esp", esp, "--efivars", "", "--efi", EFI).decode()
        assert "boot menu" in text, text
        for name in ("selftest.efi", "selftest.request"):
            laptop.put(f"{esp}/EFI/holdfast/{name}", f"/EFI/holdfast/{name}")


def end(laptop):
    """The machine restarts, which ends it here."""
    laptop.told("MESSAGE_SELFTEST_VERDICT")
    laptop.type(" ")
    laptop.off(timeout=90)


def with_a_person(folder):
    """A PS/2 keyboard; no TPM."""
    laptop = Laptop(folder)
    ask(laptop)
    laptop.start(panel=(1280, 800))
    laptop.told("MESSAGE_SELFTEST")
    laptop.see(r"Argon2id: ok, \d+ ms, processors: \d", timeout=240)
    laptop.told("MESSAGE_SELFTEST_PRESENT", timeout=120)
    laptop.key("spc")
    laptop.see("Can you read this")
    laptop.key("y")
    laptop.see("Type this line")
    laptop.keys("sphinx of black quartz judge my vow 012345678\r")
    laptop.told("MESSAGE_SELFTEST_KEYS", 1)
    laptop.keys("sphinx of black quartz judge my vow 0123456789\r")
    laptop.see(r"Keyboard: ok, keys that came: 36 of 36")
    end(laptop)
    tests, head = report(laptop)
    for key in ("memory", "kdf", "variables", "run-time-variables", "disk", "clock", "secure-boot", "screen",
                "screen-modes", "readable", "keyboard"):
        assert tests[key][0] == "ok", (key, tests[key])
    for key in ("tpm", "tpm-pcr7", "tpm-pcr11", "tpm-random"):
        assert tests[key][0] == "not tested", (key, tests[key])
    assert tests["screen"][1:] == (1280, 800), tests
    # Not every build of the virtual firmware hands the monitor's EDID on.
    assert tests["edid"] in (("ok", 1280, 800), ("not tested", 0, 0)), tests
    assert 300 < tests["memory"][2] < 512 and tests["kdf"][1] > 100, tests
    assert head["layout"].rstrip(b"\0") == b"us" and head["vendor"].rstrip(b"\0"), head
    assert abs(head["time"] - time.time()) < 7200, head["time"]
    assert not laptop.has(REQUEST) and not laptop.has("/EFI/holdfast/selftest.tmp")
    words = shown(laptop)
    assert "Screen                   ok, 1280 x 800 pixels" in words and "no TPM 2.0" in words, words
    show("with a person: every test but the TPM's is ok, and the missing TPM is told")
    laptop.start()
    laptop.told("MESSAGE_NO_STORE", timeout=120)
    laptop.cut()
    show("it runs once: the next start goes its usual way")
    return laptop


def damaged(laptop):
    content = bytearray(laptop.get(REPORT))
    content[40] ^= 1
    changed = laptop.folder / "changed"
    changed.write_bytes(content)
    laptop.put(changed, REPORT)
    with tempfile.TemporaryDirectory() as esp:
        run("mcopy", "-s", "-i", laptop.esp, "::/EFI", esp)
        done = subprocess.run([ACTIVATE, "--self-test", "--show", "--esp", esp, "--efivars", ""], capture_output=True)
    assert done.returncode == 1 and b"damaged" in done.stderr, done
    show("a damaged report is refused in words")


def nobody(folder):
    """Nobody there, and no graphics: skipped by itself; a store keeps the file from being heard."""
    laptop = Laptop(folder)
    ask(laptop)
    laptop.start(panel=None)
    laptop.told("MESSAGE_SELFTEST_PRESENT", timeout=240)
    laptop.see("Keyboard: not tested: nobody was there", timeout=120)
    laptop.told("MESSAGE_SELFTEST_VERDICT")
    laptop.off(timeout=120)
    tests, _ = report(laptop)
    assert tests["keyboard"][0] == tests["readable"][0] == tests["screen"][0] == "not tested", tests
    show("nobody there and no panel: told so, and it restarts by itself")
    laptop.delete(REPORT)
    ask(laptop)
    empty = laptop.folder / "empty"
    empty.write_bytes(b"no store")
    laptop.put(empty, "/EFI/holdfast/store.0")
    laptop.start(panel=None)
    laptop.told("MESSAGE_NO_STORE", timeout=120)
    laptop.cut()
    assert laptop.has(REQUEST) and not laptop.has(REPORT)
    show("on a laptop with a store the file alone starts nothing")


def main():
    stories = sys.argv[1:] or ["with_a_person", "nobody"]
    if "with_a_person" in stories:
        with tempfile.TemporaryDirectory(prefix="holdfast-selftest-") as folder:
            damaged(with_a_person(folder))
    if "nobody" in stories:
        with tempfile.TemporaryDirectory(prefix="holdfast-selftest-") as folder:
            nobody(folder)


if __name__ == "__main__":
    main()
