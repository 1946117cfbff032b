#!/usr/bin/python3
"""The volume layer from outside: stock cryptsetup and holdfast-open on an image file, without device-mapper.

Runs in a user and mount namespace of its own, which have a user keyring of their own and let the token
plugin lie in libcryptsetup's folder without touching this machine's.
"""
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOST = pathlib.Path(os.environ.get("HOLDFAST_OUT", ROOT / "build/out/host"))
OPEN = HOST / "bin/holdfast-open"
PLUGIN = HOST / "lib/libcryptsetup-token-holdfast.so"
TOOL = HOST / "tests/driver_tool"
INSIDE = "HOLDFAST_TEST_NAMESPACE"


def plugin_folder():
    told = subprocess.run(["cryptsetup", "--help"], capture_output=True, text=True).stdout
    line = next(l for l in told.splitlines() if "external token plugin path" in l)
    return pathlib.Path(line.split(":")[1].strip().rstrip("."))


class Volume(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="driver-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.image, self.handoff, self.run_dir = (self.folder / n for n in ("disk.img", "handoff", "run"))
        with open(self.image, "wb") as f:
            f.truncate(18 << 20)
        self.recovery = self.tool("make", self.image, self.handoff, "root")

    def tool(self, *words):
        done = subprocess.run([TOOL, *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def cryptsetup(self, *words, key=None, handoff=None):
        env = dict(os.environ, **({"HOLDFAST_HANDOFF": str(handoff)} if handoff else {}))
        command = ["cryptsetup", "open", "--test-passphrase", self.image, *words]
        return subprocess.run(command, input=key, capture_output=True, text=True, env=env).returncode

    def by_token(self, handoff=None):
        return self.cryptsetup("--token-only", handoff=handoff) == 0

    def open(self, *words, typed="", keyring="--no-keyring"):
        command = [OPEN, "--handoff", self.handoff, "--run", self.run_dir, "--wait", "0", "--check-only",
                   "--device", self.image, "--name", "root", *([keyring] if keyring else []), *words]
        return subprocess.run(command, input=typed, capture_output=True, text=True)

    def recover(self, typed):
        return self.open("--recovery", typed=typed, keyring=None)

    def flip(self, at):
        with open(self.image, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1]))

    def null_segment(self):
        """What a thief with a screwdriver writes: the segment in the null cipher, both checksums repaired."""
        with open(self.image, "r+b") as f:
            both = bytearray(f.read(32768))
            for at in (0, 16384):
                copy = both[at:at + 16384]
                header = json.loads(copy[4096:].rstrip(b"\0"))
                header["segments"]["0"]["encryption"] = "cipher_null-ecb"
                copy[4096:] = json.dumps(header).encode().ljust(12288, b"\0")
                copy[448:512] = bytes(64)
                copy[448:480] = hashlib.sha256(copy).digest()
                both[at:at + 16384] = copy
            f.seek(0)
            f.write(both)

    # Stock cryptsetup

    def test_recovery_key_is_the_passphrase_for_stock_cryptsetup(self):
        self.assertEqual(self.cryptsetup("--key-file=-", key=self.recovery), 0)
        self.assertEqual(self.cryptsetup("--key-file=-", key=self.recovery.lower()), 2)

    def test_token_opens_by_handoff_file(self):
        self.assertTrue(self.by_token(self.handoff))
        self.assertFalse(self.by_token())

    def test_token_wants_a_private_handoff_file(self):
        self.handoff.chmod(0o644)
        self.assertFalse(self.by_token(self.handoff))
        self.handoff.chmod(0o600)
        self.assertTrue(self.by_token(self.handoff))
        link = self.folder / "link"
        link.symlink_to(self.handoff)
        self.assertFalse(self.by_token(link))

    def test_token_finds_nothing_in_a_stripped_handoff_file(self):
        self.tool("strip", self.handoff)
        self.assertFalse(self.by_token(self.handoff))

    def test_old_handoff_opens_nothing_after_rotation(self):
        old = self.folder / "old"
        shutil.copy2(self.handoff, old)
        self.tool("rotate", self.image, self.handoff)
        self.assertFalse(self.by_token(old))
        self.assertTrue(self.by_token(self.handoff))

    def test_token_opens_by_keyring(self):
        done = self.open("--keyring-only", keyring=None)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.handoff.exists())
        self.assertEqual(self.tool("keyring"), "present")
        self.assertTrue(self.by_token())

    def test_token_keeps_the_key_from_a_header_without_encryption(self):
        """CVE-2025-59054: stock cryptsetup calls such a volume open; our token must not help it."""
        self.null_segment()
        self.assertEqual(self.cryptsetup("--key-file=-", key=self.recovery), 0, "stock no longer falls for it")
        self.assertFalse(self.by_token(self.handoff))

    def test_dump_names_the_unlock_key(self):
        told = subprocess.run(["cryptsetup", "luksDump", self.image], capture_output=True, text=True).stdout
        self.assertIn("Unlock key id:", told)

    # holdfast-open with a hand-off

    def test_checked_and_passed_on(self):
        done = self.open()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.handoff.exists())
        left = self.run_dir / "handoff"
        self.assertEqual(stat.S_IMODE(left.stat().st_mode), 0o400)
        self.assertEqual(stat.S_IMODE(self.run_dir.stat().st_mode), 0o755)
        self.assertFalse(self.by_token(left))

    def refused(self, why):
        done = self.open(keyring=None)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(why, done.stderr)
        self.assertFalse(self.handoff.exists())
        self.assertFalse((self.run_dir / "handoff").exists())

    def test_changed_keyslot_is_refused(self):
        self.flip(32768 + 1000)
        self.refused("root REFUSED: its keyslot")

    def test_another_disk_is_refused(self):
        subprocess.run(["cryptsetup", "luksFormat", "--batch-mode", "--pbkdf=pbkdf2",
                        "--pbkdf-force-iterations=1000", "--key-file=-", self.image], input=b"other",
                       check=True, capture_output=True)
        self.refused("root REFUSED: its UUID")

    def test_wiped_disk_is_refused(self):
        with open(self.image, "r+b") as f:
            f.write(bytes(16 << 20))
        self.refused("root REFUSED: its header")

    def test_garbage_handoff_is_refused(self):
        self.handoff.chmod(0o600)
        self.handoff.write_bytes(b"HFHAND01" + bytes(300))
        self.refused("not usable")

    def test_overlong_handoff_is_refused(self):
        self.handoff.chmod(0o600)
        with open(self.handoff, "r+b") as f:
            f.truncate(1 << 20)
        self.refused("not usable")

    def test_open_handoff_of_others_is_refused(self):
        self.handoff.chmod(0o644)
        self.refused("not allowed")

    def test_no_handoff(self):
        self.handoff.unlink()
        done = self.open()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("did not come from holdfast.efi", done.stderr)

    def test_handoff_without_keys(self):
        self.tool("strip", self.handoff)
        self.assertEqual(self.open().returncode, 1)

    def test_missing_disk(self):
        self.image.unlink()
        done = self.open()
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("its disk has not appeared", done.stderr)

    def test_wrong_usage(self):
        for words in (["--nonsense"], ["--wait", "-1"], ["--wait", "x"], ["--keyring-only"], ["more"]):
            self.assertEqual(self.open(*words).returncode, 64, words)
        self.assertTrue(self.handoff.exists())

    # holdfast-open with the recovery key

    def test_recovery_key_as_people_type_it(self):
        for typed in (self.recovery, self.recovery.lower(), self.recovery.replace("-", " ")):
            self.assertEqual(self.recover(typed + "\n").returncode, 0, typed)

    def test_mistyped_group_is_named(self):
        groups = self.recovery.split("-")
        groups[2] = ("B" if groups[2][0] != "B" else "C") + groups[2][1:]
        done = self.recover("-".join(groups) + "\n" + self.recovery + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Group 3 is mistyped", done.stderr)

    def test_wrong_length_is_named(self):
        done = self.recover(self.recovery[:20] + "\n")
        self.assertEqual(done.returncode, 3)
        self.assertIn("8 groups", done.stderr)

    def test_another_key_opens_nothing(self):
        other = self.folder / "other.img"
        with open(other, "wb") as f:
            f.truncate(18 << 20)
        key = self.tool("make", other, self.folder / "handoff2", "other")
        done = self.recover(key + "\n")
        self.assertEqual(done.returncode, 3)
        self.assertIn("does not open volume root", done.stderr)

    def test_recovery_refuses_a_header_without_encryption(self):
        """CVE-2025-59054: the thief's data would be mounted as soon as the owner has typed the right key."""
        self.null_segment()
        done = self.recover(self.recovery + "\n")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("root REFUSED", done.stderr)
        self.assertNotIn("is open", done.stderr)

    def test_crypttab_names_the_volumes(self):
        tab = self.folder / "crypttab"
        tab.write_text(f"# comment\n\nroot {self.image} none luks,initramfs\n")
        command = [OPEN, "--recovery", "--check-only", "--wait", "0", "--crypttab", tab]
        done = subprocess.run(command, input=self.recovery + "\n", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        tab.write_text("# nothing\n")
        done = subprocess.run(command, input=self.recovery + "\n", capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("names no volume", done.stderr)

    def test_terminal_names_a_group_while_it_is_typed(self):
        import pexpect
        command = ["--recovery", "--check-only", "--device", str(self.image), "--name", "root"]
        console = pexpect.spawn(str(OPEN), command, timeout=20, encoding="ascii")
        console.expect("Recovery key:")
        first = self.recovery[:5]
        wrong = ("B" if first[0] != "B" else "C") + first[1:]
        console.send(wrong.lower())
        console.expect("Group 1 is mistyped")
        console.send("\x1b[A\x03\x1a\x04" + first + "\r")
        console.expect("5 of 40 letters")
        console.send("b\x7f")
        console.send(self.recovery[5:] + "\r")
        console.expect("volume root is open")
        console.expect(pexpect.EOF)
        console.close()
        self.assertEqual(console.exitstatus, 0)

    # initramfs-tools

    def boot(self, handoff, recovery):
        """Runs the boot script with these exit statuses of holdfast-open; -9 means that it switched off."""
        stubs = {"holdfast-open": f'[ "$1" = --recovery ] && exit {recovery}\nexit {handoff}',
                 "poweroff": "kill -9 $PPID", "sleep": "exit 0", "modprobe": "exit 0"}
        for name, body in stubs.items():
            path = self.folder / name
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        text = (ROOT / "driver/initramfs-tools/scripts/local-top/holdfast").read_text()
        script = self.folder / "local-top"
        script.write_text(text.replace("/sbin/holdfast-open", str(self.folder / "holdfast-open")))
        env = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        return subprocess.run(["sh", script], capture_output=True, env=env).returncode

    def test_a_refused_disk_does_not_reach_the_next_script(self):
        """Stock cryptsetup comes next: it would ask for the same recovery key and open what was refused."""
        for handoff, recovery, want in ((0, 0, 0), (1, 0, 0), (1, 3, 0), (3, 3, 0), (2, 0, 0),
                                        (1, 2, -9), (2, 2, -9), (2, 3, -9), (3, 2, -9)):
            self.assertEqual(self.boot(handoff, recovery), want, (handoff, recovery))

    def test_scripts_parse_and_do_not_wait_for_cryptroot(self):
        for name in ("hooks/holdfast", "scripts/local-top/holdfast"):
            script = ROOT / "driver/initramfs-tools" / name
            subprocess.run(["sh", "-n", script], check=True)
            told = subprocess.run([script, "prereqs"], capture_output=True, text=True, check=True).stdout
            self.assertEqual("cryptroot" in told, name.startswith("hooks"))


def main():
    if os.environ.get(INSIDE):
        folder = plugin_folder()
        with tempfile.TemporaryDirectory() as own:
            shutil.copy(PLUGIN, own)
            subprocess.run(["mount", "--bind", own, folder], check=True)
            result = unittest.main(verbosity=2, exit=False).result
            subprocess.run(["umount", folder], check=True)
        return 0 if result.wasSuccessful() else 1
    folder = plugin_folder()
    made = not folder.exists()
    if made:
        folder.mkdir()
    try:
        inside = dict(os.environ, **{INSIDE: "1"})
        return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", sys.executable, __file__],
                              env=inside).returncode
    finally:
        if made:
            folder.rmdir()


if __name__ == "__main__":
    sys.exit(main())
