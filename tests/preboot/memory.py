"""All of a machine's memory, as a cold boot would find it."""
import mmap
import os
import subprocess

from picture import ROOT

TOOL = os.environ.get("MEMORY_TOOL", str(ROOT / "build/out/host/tests/memory_tool"))


class Memory:
    """bytes in memory; memory.traces({"the password": "..."})."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.content = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

    def __len__(self):
        return len(self.content)

    def __contains__(self, what):
        return self.content.find(what) >= 0

    def traces(self, secrets):
        """What is left of typed texts (letters and digits, {name: text}): a sentence each."""
        done = subprocess.run([TOOL, self.path, *(f"{name}={text}" for name, text in secrets.items())],
                              capture_output=True, text=True, check=True)
        return done.stdout.splitlines()
