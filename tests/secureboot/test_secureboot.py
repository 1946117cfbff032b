#!/usr/bin/python3
"""Secure Boot on real firmware with nobody's key but the organisation's: what firmware starts and refuses, which
kernels pre-boot starts where firmware would not, revocation; and with shim, Microsoft's keys and a MOK. Prints what
each step shows."""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "preboot")]
import rig  # noqa: E402
import vars as firmware  # noqa: E402
from installation import PASSWORD, USER, Installation, show  # noqa: E402

SIGN = rig.ROOT / "preboot/holdfast-sign"
SHIM = pathlib.Path("/usr/lib/shim/shimx64.efi.signed")
MICROSOFT = rig.OVMF / "OVMF_VARS_4M.ms.fd"
PROMPT, LOADER = "User name: ", "/EFI/BOOT/BOOTX64.EFI"
SECURE_BOOT, VOUCHED = 0x0001, 0x0008
OWNER = uuid.UUID("b8a4c2f0-5a06-4a0e-8a54-51f3cc1d2e4b")


def sign(keys, source, target):
    rig.run(SIGN, "--key", keys / "db.key", "--cert", keys / "db.pem", "--output", target, source)
    return target


def authenticode(path):
    """SHA-256 of a program as dbx knows it, from an independent tool."""
    printed = rig.run("pesign", "-h", "-d", "sha256", "-i", path).decode()
    return bytes.fromhex(max(printed.split(), key=len))


class Story(Installation):
    def __init__(self, folder):
        super().__init__(folder)
        self.keys, self.others = (self.new_keys(n) for n in ("organisation", "somebody"))
        self.signed = sign(self.keys, rig.EFI, self.folder / "signed.efi")
        self.make_store("plain", f"user={USER}:{PASSWORD}")
        self.install_targets()
        self.install_store("plain")
        self.bare = self.folder / "bare"
        shutil.copy(rig.kernel(), self.bare)
        rig.run("sbattach", "--remove", self.bare)
        self.laptop.secure = True

    def new_keys(self, name):
        rig.run(SIGN, "--new-keys", self.folder / name, "--name", name, "--no-passphrase")
        return self.folder / name

    def power(self, loader, change=None, base=rig.OVMF / "OVMF_VARS_4M.fd", enrol=True):
        """Switch on a laptop whose firmware has the organisation's keys only, with that loader. change(variables): what
        else there is in the firmware."""
        variables = firmware.Variables(base)
        if enrol:
            variables.enrol(self.keys)
        if change:
            change(variables)
        variables.save(self.laptop.vars)
        self.laptop.put(loader, LOADER)
        self.laptop.start()

    def prompts(self, loader, change=None, **options):
        self.power(loader, change, **options)
        self.laptop.see(PROMPT)
        self.laptop.cut()

    def refused(self, loader, change=None, **options):
        """Firmware says no, and no prompt comes after it."""
        self.power(loader, change, **options)
        self.laptop.see("(Access Denied|Security Violation)")
        assert b"User name" not in self.laptop.child.before
        self.laptop.cut()
        assert b"User name" not in (self.folder / f"serial-{self.laptop.starts}.log").read_bytes()

    def vouch(self, name, kernel):
        """The one target has that kernel, and the manifest vouches for it."""
        shutil.copy(kernel, self.targets["current"] / "vmlinuz")
        self.make_store(name, f"user={USER}:{PASSWORD}", targets=("current",))
        self.install_targets()
        self.install_store(name)

    def starts(self, trust):
        """From the prompt to the kernel's first process; what the hand-off tells of the firmware."""
        self.log_in()
        h = self.laptop.handoff()
        assert h.trust & (SECURE_BOOT | VOUCHED) == trust, h.trust

    def replaced(self, kernel):
        """That kernel in place of the one that the manifest vouches for: pre-boot says so and starts nothing."""
        self.laptop.put(kernel, "/EFI/holdfast/boot/current/vmlinuz")
        self.power(self.signed)
        self.log_in()
        self.laptop.told("MESSAGE_TARGET_CHANGED", "kernel", "current")
        self.laptop.told("MESSAGE_NO_TARGET")
        self.laptop.cut()


def what_tools_say(s):
    """Independent tools agree about the signature."""
    rig.run("sbverify", "--cert", s.keys / "db.pem", s.signed)
    wrong = subprocess.run(["sbverify", "--cert", s.others / "db.pem", s.signed], capture_output=True)
    assert wrong.returncode, "sbverify takes somebody else's certificate"
    said = rig.run("osslsigncode", "verify", "-CAfile", s.keys / "db.pem", "-in", s.signed).decode()
    assert "Signature verification: ok" in said and "Number of verified signatures: 1" in said, said
    assert "PE checksum" in said and "MISMATCH" not in said, said
    assert "organisation Secure Boot db" in rig.run("pesign", "-S", "-i", s.signed).decode()
    assert authenticode(s.signed) == authenticode(rig.EFI), "signing has changed what is signed"
    sbat = s.folder / "sbat"
    rig.run("objcopy", "-O", "binary", "--only-section=.sbat", s.signed, sbat)
    assert sbat.read_text().startswith("sbat,1,") and "\nholdfast,1,Holdfast,holdfast," in sbat.read_text()
    show("sbverify, osslsigncode and pesign agree: signed by the organisation, and by nobody else; .sbat is there")


def what_firmware_starts(s):
    s.prompts(s.signed)
    show("signed with the organisation's key, the only one in the firmware: prompt")
    s.refused(rig.EFI)
    show("unsigned: refused by the firmware")
    altered = bytearray(s.signed.read_bytes())
    altered[len(altered) // 2] ^= 1
    (s.folder / "altered.efi").write_bytes(altered)
    s.refused(s.folder / "altered.efi")
    show("one bit altered after signing: refused by the firmware")
    s.refused(sign(s.others, rig.EFI, s.folder / "others.efi"))
    show("signed with another key: refused by the firmware")


def what_preboot_starts(s):
    debians, bare = rig.kernel(), s.bare
    assert b"signature 1" in rig.run("sbverify", "--list", debians), "the distribution's kernel is not signed"
    assert b"No signature" in subprocess.run(["sbverify", "--list", bare], capture_output=True).stderr
    for name, kernel in (("signed by the distribution, whose key the firmware has not", debians), ("unsigned", bare)):
        s.refused(kernel)
        s.vouch(f"store-{kernel.name}", kernel)
        s.power(s.signed)
        s.starts(SECURE_BOOT | VOUCHED)
        show(f"kernel {name}: the firmware refuses it; the manifest vouches for it, so pre-boot starts it")
    ours = sign(s.keys, bare, s.folder / "ours")
    s.vouch("store-ours", ours)
    s.power(s.signed)
    s.starts(SECURE_BOOT)
    show("kernel signed by the organisation: starts on the firmware's own word")
    s.replaced(bare)
    s.replaced(s.signed)
    show("a kernel that the manifest does not vouch for, and a program that the firmware would start: refused")


def revocation(s):
    """dbx, by digest: an old holdfast.efi that somebody has kept, with a good signature, is worth nothing."""
    def forbid(digest):
        return lambda v: v.put(firmware.SECURITY, "dbx", firmware.KEYS,
                               firmware.signature_list(firmware.SHA256, OWNER, digest))

    s.refused(s.signed, forbid(authenticode(s.signed)))
    s.prompts(s.signed, forbid(hashlib.sha256(b"something else").digest()))
    show("digest of an old signed holdfast.efi in dbx: refused by the firmware; another digest: prompt")


def without_secure_boot(s):
    """Everything unsigned, as on any laptop without keys."""
    s.vouch("store-off", rig.kernel())
    s.power(rig.EFI, enrol=False)
    s.starts(0)
    show("Secure Boot off: unsigned pre-boot and the kernel start, nobody had to be overruled")


class Shim:
    """The distribution's shim, which Microsoft has signed, in firmware with Microsoft's keys, as laptops are sold; the
    organisation's key is a machine owner's key (MOK) in shim's own list."""

    def __init__(self, story):
        self.story, self.laptop = story, story.laptop
        self.cert = (story.keys / "db.cer").read_bytes()
        self.laptop.put(story.signed, "/EFI/BOOT/grubx64.efi")

    def mok(self, variables):
        variables.put(firmware.SHIM, "MokList", firmware.NV | firmware.BOOT,
                      firmware.signature_list(firmware.X509, OWNER, self.cert))

    def mok_and_level(self, generation):
        """The MOK, and shim's list of revoked generations asks for that one of holdfast."""
        def change(variables):
            self.mok(variables)
            variables.put(firmware.SHIM, "SbatLevel", firmware.NV | firmware.BOOT,
                          f"sbat,1,2099010100\nholdfast,{generation}\n".encode())
        return change

    def prompts(self, change):
        self.story.prompts(SHIM, change, base=MICROSOFT, enrol=False)

    def refused(self, change):
        self.story.refused(SHIM, change, base=MICROSOFT, enrol=False)

    def starts(self, kernel, trust):
        self.story.vouch(f"store-shim-{kernel.name}", kernel)
        self.story.power(SHIM, self.mok, base=MICROSOFT, enrol=False)
        self.story.starts(trust)


def with_shim(s):
    shim = Shim(s)
    shim.prompts(shim.mok)
    show("shim, Microsoft's keys, holdfast.efi signed with a MOK: prompt")
    shim.refused(lambda v: None)
    show("shim, the MOK not enrolled: refused by shim")
    shim.prompts(shim.mok_and_level(1))
    shim.refused(shim.mok_and_level(2))
    show("SBAT level holdfast,1: prompt; holdfast,2: refused by shim although the signature is good")
    shim.starts(rig.kernel(), SECURE_BOOT)
    show("shim: the distribution's kernel starts on shim's own word")
    shim.starts(s.bare, SECURE_BOOT | VOUCHED)
    show("shim: an unsigned kernel that the manifest vouches for starts")


def main():
    with tempfile.TemporaryDirectory(dir=rig.OUT, prefix="secureboot-") as folder:
        s = Story(folder)
        what_tools_say(s)
        what_firmware_starts(s)
        what_preboot_starts(s)
        revocation(s)
        without_secure_boot(s)
        with_shim(s)
    print("passed")


if __name__ == "__main__":
    main()
