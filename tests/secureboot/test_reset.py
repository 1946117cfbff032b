#!/usr/bin/python3
"""A laptop that is reset with secrets in it (threat 14). The firmware here, OVMF, takes the variable of the TCG's
Platform Reset Attack Mitigation only when it is there already and there is a TPM, and clears no memory: so the test
shows that pre-boot asks for it before anybody has typed, and what is left in memory all the same."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "preboot")]
import rig  # noqa: E402
import vars as firmware  # noqa: E402
from installation import INITIAL, NEW, USER, Installation, show  # noqa: E402

REQUEST = "MemoryOverwriteRequestControl"
LASTING = firmware.NV | firmware.BOOT | firmware.RUNTIME
CLEAR_MEMORY = 0x01


class Story(Installation):
    def __init__(self, folder):
        super().__init__(folder)
        self.make_store("plain", f"user={USER}:{INITIAL}", targets=("previous",))
        self.install_targets()
        self.install_store("plain")
        self.laptop.secure = True

    def power(self):
        self.laptop.start()
        self.laptop.monitor("set-action", reboot="reset")

    def reset(self):
        """Warm, at once, and on to the next prompt; all of the memory then."""
        self.laptop.monitor("system_reset")
        self.laptop.see("User name: ")
        memory = self.laptop.memory()
        self.laptop.cut()
        return memory


@contextlib.contextmanager
def tpm(folder):
    """QEMU's options for a TPM 2.0."""
    state = folder / "tpm"
    state.mkdir()
    control = f"{state}/socket"
    process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl",
                                f"type=unixio,path={control}", "--flags", "startup-clear"])
    try:
        yield ["-chardev", f"socket,id=tpm,path={control}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
               "-device", "tpm-tis,tpmdev=tpm0"]
    finally:
        process.terminate()
        process.wait()


def is_asked_for(s):
    variables = firmware.Variables(s.laptop.vars)
    variables.put(firmware.OVERWRITE, REQUEST, LASTING, b"\0")
    variables.save(s.laptop.vars)
    with tpm(s.folder) as options:
        s.laptop.start(options=options)
        s.laptop.see("User name: ")
        s.laptop.cut()
    attributes, value = firmware.Variables(s.laptop.vars).get(firmware.OVERWRITE, REQUEST)
    assert attributes == LASTING and value[0] & CLEAR_MEMORY, (attributes, value)
    show(f"the firmware is asked to clear memory ({REQUEST} = {value.hex()}) before the prompt")


def at_the_prompt(s):
    """Half a password is typed."""
    s.power()
    s.laptop.see("User name: ")
    s.laptop.type(USER + "\r")
    s.laptop.see("Password: ")
    s.laptop.type(NEW)
    s.laptop.see(r"\*{%d}" % len(NEW))
    typed = {"the password": NEW}
    assert s.laptop.memory().traces(typed), "the search finds nothing even while it is typed"
    left = s.reset().traces(typed)
    assert not left, left
    show("reset at the prompt: no trace of what was typed at the next one")


def while_the_system_runs(s):
    s.power()
    s.log_in(INITIAL)
    h = s.laptop.handoff(linger=True)
    s.laptop.see("LINGERING")
    time.sleep(1)
    memory = s.reset()
    for name in ("unlock_key", "user_seed"):
        key = getattr(h, name)
        assert any(key) and key not in memory, f"{name} is left in memory"
    left = memory.traces({"the password": INITIAL})
    assert not left, left
    show("reset while the system runs: no trace of the password, the unlock key and the user's key")


def main():
    with tempfile.TemporaryDirectory(dir=rig.OUT, prefix="reset-") as folder:
        s = Story(folder)
        is_asked_for(s)
        at_the_prompt(s)
        while_the_system_runs(s)
    print("passed")


if __name__ == "__main__":
    main()
