"""Unlocking before the operating system: holdfast.efi against GRUB's cryptodisk on the same virtual machine; and what a
TPM costs."""
import pathlib
import statistics
import subprocess
import tempfile
import time

import rig
from installation import PASSWORD, USER, Installation

from figure import Figure

STARTS = 5
TPM_STARTS = 3
PROCESSORS = 2
PBKDF2_ITERATIONS = 100_000
MODULES = ("serial", "terminal", "echo", "ls", "part_gpt", "cryptodisk", "luks2", "pbkdf2", "afsplitter",
           "gcry_sha256", "gcry_rijndael")
# GRUB 2.06 asks, opens, and says so; then it lists what there is: the opened disk is crypto0.
CONFIGURATION = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
cryptomount -a
echo UNLOCKED
ls
"""


class Grub:
    """GRUB's EFI program of the distribution, and a LUKS2 volume in the second partition."""

    def __init__(self, folder):
        folder.mkdir()
        configuration, program, volume = (folder / name for name in ("grub.cfg", "grub.efi", "luks.img"))
        configuration.write_text(CONFIGURATION)
        rig.run("grub-mkstandalone", "-O", "x86_64-efi", "-o", program, "--modules", " ".join(MODULES), "--locales=",
                "--fonts=", "--themes=", f"boot/grub/grub.cfg={configuration}")
        with open(volume, "wb") as f:
            f.truncate(24 << 20)
        subprocess.run(["cryptsetup", "luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--hash", "sha256",
                        "--pbkdf-force-iterations", str(PBKDF2_ITERATIONS), "--cipher", "aes-xts-plain64",
                        "--key-size", "512", "--key-file", "-", str(volume)], input=PASSWORD.encode(), check=True)
        self.laptop = rig.Laptop(folder)
        self.laptop.put(program, "/EFI/BOOT/BOOTX64.EFI")
        with open(self.laptop.disk, "r+b") as f:
            f.seek((rig.ESP_AT + rig.ESP_MIB) << 20)
            f.write(volume.read_bytes())

    def unlock(self):
        """Seconds from Enter to UNLOCKED."""
        self.laptop.start(processors=PROCESSORS)
        self.laptop.see("Enter passphrase for")
        time.sleep(0.5)
        self.laptop.type(PASSWORD)
        begin = time.monotonic()
        self.laptop.type("\r")
        self.laptop.see("UNLOCKED", timeout=180)
        took = time.monotonic() - begin
        self.laptop.see("crypto0")
        self.laptop.cut()
        return took


class Holdfast(Installation):
    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder)
        self.install_targets()
        self.make_store("grub", f"user={USER}:{PASSWORD}", "memory=65536", "passes=4", "lanes=4", targets=["current"])
        self.install_store("grub")

    def unlock(self):
        """(seconds from Enter to StartImage without reading the kernel, those of Argon2id)."""
        self.laptop.start(processors=PROCESSORS)
        self.log_in()
        h = self.laptop.handoff()
        return (h.kdf_ms + h.overhead_ms) / 1000, h.kdf_ms / 1000


def preboot_vs_grub(progress):
    """Starts take turns, so that other load falls on both."""
    ours, kdf, theirs = [], [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        grub, holdfast = Grub(folder / "grub"), Holdfast(folder / "holdfast")
        for i in range(STARTS):
            theirs.append(grub.unlock())
            whole, part = holdfast.unlock()
            ours.append(whole)
            kdf.append(part)
            progress(f"start {i + 1} of {STARTS}: GRUB {theirs[-1]:.2f} s, holdfast.efi {whole:.2f} s")
    return [Figure("preboot.vs_grub", "ratio", [a / b for a, b in zip(ours, theirs)], 0.5, parts={
        "holdfast.efi, Argon2id 64 MiB, 4 passes, 4 lanes: Enter to StartImage without reading the kernel, s": ours,
        "Argon2id, part of it, s": kdf,
        f"GRUB, PBKDF2-SHA256 {PBKDF2_ITERATIONS} iterations: Enter to the volume being open, s": theirs})]


def preboot_tpm(progress):
    """A PIN bound to a TPM, an emulated one."""
    import faults
    beyond, tpm, kdf = [], [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        world = faults.World(folder)
        for i in range(TPM_STARTS):
            world.start(faults.Broken())
            h, _, tried = faults.Owner(world.laptop, world.codes).opens()
            world.laptop.cut()
            if tried != ["PIN"]:
                raise RuntimeError(f"the PIN did not open: {tried}")
            beyond.append(h.overhead_ms / 1000)
            tpm.append(h.tpm_ms / 1000)
            kdf.append(h.kdf_ms / 1000)
            progress(f"start {i + 1} of {TPM_STARTS}: {statistics.median(beyond):.3f} s")
    return [Figure("preboot.tpm_s", "s", beyond, 1.0, parts={
        "the TPM's part": tpm, "beside it: Argon2id, which is not in the figure": kdf})]
