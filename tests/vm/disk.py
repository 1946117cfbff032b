"""The laptop's disk seen from outside: partitions, files of the ESP, stock cryptsetup. Needs no mounts."""
import os
import subprocess

from machine import run

MIB = 1 << 20
LUKS_HEADER_BYTES = 16 * MIB


class Disk:
    """A raw image of the whole disk with the layout of the guest."""

    def __init__(self, path, info):
        self.path, self.info = path, info
        self.esp = f"{path}@@{info['esp_offset']}"

    @classmethod
    def flatten(cls, image, path, info):
        """The present content of any image QEMU knows, as a raw file."""
        run("qemu-img", "convert", "-U", "-O", "raw", image, path)
        return cls(path, info)

    # ---- ESP ----

    def esp_read(self, name):
        """Content of a file of the ESP, or None when there is none."""
        done = subprocess.run(["mcopy", "-n", "-i", self.esp, f"::{name}", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
        return done.stdout if done.returncode == 0 else None

    def esp_write(self, name, content):
        local = f"{self.path}.mcopy"
        with open(local, "wb") as out:
            out.write(content)
        run("mcopy", "-o", "-i", self.esp, local, f"::{name}")
        os.unlink(local)

    def esp_list(self, folder="EFI/holdfast"):
        listing = run("mdir", "-b", "-/", "-i", self.esp, f"::{folder}").decode()
        return [line.removeprefix("::/") for line in listing.split()]

    def esp_image(self):
        """The whole ESP, to be put back later: what a thief copied."""
        with open(self.path, "rb") as disk:
            disk.seek(self.info["esp_offset"])
            return disk.read(self.info["esp_bytes"])

    def esp_restore(self, image):
        self.patch(self.info["esp_offset"], image)

    def patch(self, offset, content):
        with open(self.path, "r+b") as disk:
            disk.seek(offset)
            disk.write(content)

    def read(self, offset, size):
        with open(self.path, "rb") as disk:
            disk.seek(offset)
            return disk.read(size)

    # ---- root ----

    def header(self, path):
        """Both LUKS2 headers and the keyslot area as a file of their own; returns its path."""
        with open(path, "wb") as out:
            out.write(self.read(self.info["root_offset"], LUKS_HEADER_BYTES + MIB))
        return path

    def opens(self, secret):
        """Does stock cryptsetup open the volume with these bytes? Any keyslot; nothing is activated."""
        return header_opens(self.header(f"{self.path}.header"), secret)


def header_opens(header, secret):
    done = subprocess.run(["cryptsetup", "open", "--disable-locks", "--test-passphrase", "--type", "luks2", "--key-file", "-",
                           str(header)], input=secret, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False)
    return done.returncode == 0
