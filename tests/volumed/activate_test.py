#!/usr/bin/python3
"""holdfast-activate: volumes taken under management, preflight, new boot files."""
import hashlib
import json
import os
import subprocess

from laptop import ACTIVATE, Laptop, main, run


class Fresh:
    """A folder with an ESP, boot files and an existing LUKS2 volume with the passphrase "old"."""

    def __init__(self):
        self.laptop = Laptop()
        self.at = self.laptop.at
        for name in ("esp", "efivars"):
            os.mkdir(self.laptop.path(name))
        for name, text in (("vmlinuz", "kernel one"), ("initrd", "initrd one"), ("key", "old")):
            with open(self.laptop.path(name), "w") as f:
                f.write(text)
        self.image = self.laptop.image
        with open(self.image, "wb") as f:
            f.truncate(32 << 20)
        subprocess.run(["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "pbkdf2",
                        "--pbkdf-force-iterations", "1000", self.image, self.laptop.path("key")], check=True)

    def options(self, **change):
        base = {"volume": f"root={self.image}", "key-file": self.laptop.path("key"),
                "esp": self.laptop.esp, "efivars": self.laptop.path("efivars"),
                "kernel": self.laptop.path("vmlinuz"), "initrd": self.laptop.path("initrd"),
                "cmdline": "root=/dev/mapper/root quiet", "name": "Laptop", "user": "alice",
                "kdf-memory-kib": "32768", "kdf-passes": "1"}
        base.update({k.replace("_", "-"): v for k, v in change.items()})
        return [a for k, v in base.items() if v is not None for a in ([f"--{k}"] + ([v] if v != "" else []))]

    def run(self, password="alice's password", **change):
        return run(ACTIVATE, *self.options(**change), text=password + "\n")

    def keyslots(self):
        dump = subprocess.run(["cryptsetup", "luksDump", "--dump-json-metadata", self.image],
                              capture_output=True, check=True).stdout
        return len(json.loads(dump)["keyslots"])

    def opens(self, passphrase):
        return subprocess.run(["cryptsetup", "open", "--test-passphrase", "--key-file=-", self.image],
                              input=passphrase.encode(), capture_output=True).returncode == 0


def test_adopt():
    """an existing LUKS2 volume: password and recovery key open it, the old passphrase stays until it shall go"""
    fresh = Fresh()
    try:
        tombstone = os.path.join(fresh.laptop.esp, "EFI/holdfast/tombstone")
        os.makedirs(os.path.dirname(tombstone), exist_ok=True)
        with open(tombstone, "w") as f:
            f.write("of an installation before")
        code, out, err = fresh.run()
        assert code == 0, err
        recovery = out.split("recovery key: ")[1].strip()
        # The bug: an old installation's tombstone on a kept ESP destroyed the new one, and its tries counted on.
        assert not os.path.exists(tombstone)
        with open(fresh.laptop.path(
                "efivars/HoldfastOwner-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"), "rb") as f:
            assert len(f.read()) == 36
        assert len(out.splitlines()) == 1 and len(recovery) == 47
        assert fresh.opens(recovery) and fresh.opens("old") and fresh.keyslots() == 3
        assert fresh.laptop.opens() and not fresh.laptop.opens(password="wrong")
        code, _, err = fresh.run()
        assert code == 1 and "under management" in err, "twice is refused"
    finally:
        fresh.laptop.remove()
    fresh = Fresh()
    try:
        code, out, err = fresh.run(remove_other_keyslots="")
        assert code == 0, err
        assert fresh.opens(out.split("recovery key: ")[1].strip()) and not fresh.opens("old")
        assert fresh.keyslots() == 2
    finally:
        fresh.laptop.remove()


def test_preflight():
    """what is wrong is said before anything is changed"""
    fresh = Fresh()
    other = fresh.laptop.path("other")
    with open(other, "wb") as f:
        f.write(b"no volume" * 100000)
    wrong_key = fresh.laptop.path("wrong-key")
    with open(wrong_key, "w") as f:
        f.write("wrong")
    rows = [
        ("no kernel file", {"kernel": "/nonexistent"}, "/nonexistent"),
        ("no volume file", {"volume": "root=/nonexistent"}, "/nonexistent"),
        ("a volume that is no LUKS2", {"volume": f"root={other}"}, other),
        ("bad volume name", {"volume": f"Ro ot={fresh.image}"}, "--volume"),
        ("no key file", {"key_file": "/nonexistent"}, "/nonexistent"),
        ("neither key nor format", {"key_file": None}, "--key-file"),
        ("both", {"format": ""}, "--key-file"),
        ("no user", {"user": None}, "--user"),
        ("bad user", {"user": "a/b"}, "user name"),
        ("no name", {"name": None}, "--name"),
        ("long name", {"name": "x" * 56}, "--name"),
        ("no ESP", {"esp": "/nonexistent"}, "/nonexistent"),
        ("KDF too cheap", {"kdf_memory_kib": "100"}, "--kdf-memory-kib"),
        ("empty password", {"password": ""}, "password"),
        ("password that cannot be typed", {"password": "p\u2603ss"}, "character 2 of the password"),
        ("wrong key", {"key_file": wrong_key}, "--key-file"),
        ("format over a LUKS volume", {"key_file": None, "format": ""}, fresh.image),
    ]
    try:
        with open(fresh.image, "rb") as f:
            before = hashlib.sha256(f.read()).digest()
        for why, change, word in rows:
            code, out, err = fresh.run(**change)
            assert code in (1, 2) and word in err and not out, (why, code, out, err)
            with open(fresh.image, "rb") as f:
                assert hashlib.sha256(f.read()).digest() == before, why
            assert not os.path.exists(fresh.laptop.path("esp", "EFI", "holdfast", "store.0")), why
        assert run(ACTIVATE, "--help")[0] == 0
        assert fresh.run()[0] == 0, "and afterwards it works"
    finally:
        fresh.laptop.remove()


def store_hindered(fresh):
    """The store cannot be written; gives what has to go for it to be again."""
    made = [fresh.laptop.path("esp", "EFI", "holdfast", f"store.{i}") for i in (0, 1)]
    for path in made:
        os.makedirs(path)
    return made


def test_cut_short():
    """an activation cut short between keyslots and store: the next one replaces what it left, once said "exists already\""""
    fresh = Fresh()
    try:
        hindrances = store_hindered(fresh)
        lost = []
        for _ in range(3):
            code, out, err = fresh.run()
            assert code == 1 and "credential store" in err, (code, err)
            lost.append(out.split("recovery key: ")[1].strip())
            assert fresh.opens("old") and fresh.opens(lost[-1]) and fresh.keyslots() == 3
        for path in hindrances:
            os.rmdir(path)
        code, out, err = fresh.run()
        assert code == 0, err
        assert fresh.opens(out.split("recovery key: ")[1].strip()) and fresh.opens("old")
        assert not any(fresh.opens(key) for key in lost) and fresh.keyslots() == 3
        assert fresh.laptop.boot()[0] == 0
        volume = fresh.laptop.start().status()["volumes"][0]
        assert volume["header"] == "as vouched" and volume["foreign_keyslots"] == 1, volume
    finally:
        fresh.laptop.remove()


def test_format_cut_short():
    """a --format cut short: the next one says what is in its way, and how to clear it"""
    fresh = Fresh()
    try:
        subprocess.run(["wipefs", "--all", "--quiet", fresh.image], check=True)
        for path in store_hindered(fresh):
            code, _, err = fresh.run(key_file=None, format="")
            assert code == 1, err
            os.rmdir(path)
        assert "wipefs --all " + fresh.image in err, err
        subprocess.run(["wipefs", "--all", "--quiet", fresh.image], check=True)
        code, _, err = fresh.run(key_file=None, format="")
        assert code == 0 and fresh.laptop.opens(), err
    finally:
        fresh.laptop.remove()


def test_boot_files():
    """new kernel and initrd: current becomes previous, and both are vouched for"""
    fresh = Fresh()
    try:
        assert fresh.run()[0] == 0
        for name, text in (("vmlinuz", "kernel two"), ("initrd", "initrd two")):
            with open(fresh.laptop.path(name), "w") as f:
                f.write(text)
        assert fresh.laptop.boot()[0] == 0
        common = [ACTIVATE, "--boot-files", "--esp", fresh.laptop.esp, "--efivars",
                  fresh.laptop.path("efivars"), "--kernel", fresh.laptop.path("vmlinuz"), "--initrd",
                  fresh.laptop.path("initrd"), "--cmdline", "quiet"]
        done = subprocess.run([*common, "--handoff", fresh.laptop.path("handoff")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        boot = fresh.laptop.path("esp", "EFI", "holdfast", "boot")
        with open(os.path.join(boot, "current", "vmlinuz")) as f:
            assert f.read() == "kernel two"
        with open(os.path.join(boot, "previous", "vmlinuz")) as f:
            assert f.read() == "kernel one"
        store = open(fresh.laptop.path("esp", "EFI", "holdfast", "store.0"), "rb").read()
        for text in (b"kernel one", b"kernel two", b"initrd one", b"initrd two", b"quiet"):
            assert hashlib.blake2b(text, digest_size=32).digest() in store, text
        assert fresh.laptop.opens(), "the store is still sound"
        done = subprocess.run([*common, "--handoff", "handoff"], cwd=fresh.at, capture_output=True, text=True)
        assert done.returncode == 1 and "unlock key" in done.stderr, "without a key nothing is changed"
    finally:
        fresh.laptop.remove()


if __name__ == "__main__":
    main([test_adopt, test_preflight, test_cut_short, test_format_cut_short, test_boot_files])
