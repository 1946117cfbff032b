#!/usr/bin/python3
"""The initramfs prompt for the recovery key, a hundred wrong answers and every key that ends a program: it asks on. No
shell, no end, no success; and the right key opens at the end."""
import os
import pathlib
import subprocess
import sys
import tempfile

import pexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = pathlib.Path(os.environ.get("HOLDFAST_OUT", ROOT / "build/out/host"))
ANSWERS = 100


def make(folder, name):
    image = folder / f"{name}.img"
    with open(image, "wb") as f:
        f.truncate(18 << 20)
    key = pexpect.run(f"{HOST}/tests/driver_tool make {image} {folder}/{name}.handoff root", encoding="ascii").strip()
    assert len(key) == 47, key
    return image, key


def impatient(folder):
    """The pauses between tries, up to 30 s, are left out: an hour's worth of them."""
    library = folder / "sleep.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True, text=True,
                   input="unsigned sleep(unsigned s);\nunsigned sleep(unsigned s) { return s - s; }\n")
    return {**os.environ, "LD_PRELOAD": str(library)}


def main():
    with tempfile.TemporaryDirectory(prefix="patience-") as name:
        folder = pathlib.Path(name)
        image, key = make(folder, "mine")
        _, other = make(folder, "other")
        console = pexpect.spawn(str(HOST / "bin/holdfast-open"),
                                ["--recovery", "--check-only", "--device", str(image), "--name", "root"], timeout=60,
                                encoding="ascii", env=impatient(folder))
        told = []
        console.logfile_read = type("Log", (), {"write": staticmethod(told.append), "flush": staticmethod(lambda: 0)})
        for i in range(ANSWERS):
            console.expect("Recovery key:|go on:")
            console.send("\x03\x04\x1a\x1c\x13\x11" + (other if i % 3 else "") + "\r")
            if i % 3:
                console.expect("does not open volume root")
            assert console.isalive(), f"ended at answer {i + 1}"
        console.expect("Recovery key:|go on:")
        console.send(key + "\r")
        console.expect("volume root is open")
        console.expect(pexpect.EOF)
        console.close()
        assert console.exitstatus == 0 and "".join(told).count("is open") == 1
    print(f"{ANSWERS} wrong answers, with Ctrl-C, Ctrl-D, Ctrl-Z and Ctrl-\\ before each: it asked on; the right key opened")


if __name__ == "__main__":
    sys.exit(main())
