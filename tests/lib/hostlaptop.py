"""A laptop on this machine, without a virtual one: an image file under management, holdfast-volumed and holdfastd on
it, `holdfast` for its user, and holdfast-server on loopback for its organisation. No root, no device-mapper.

    import hostlaptop                      # puts tests/vm on the path, for Organisation
    with hostlaptop.HostOrganisation() as organisation, hostlaptop.HostLaptop() as laptop:
        laptop.start()                     # as after a boot with the right password
        laptop.enrol(organisation)
        organisation.ctl("device", "sync", laptop.name)
"""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/vm"))

from machine import OUT, die_with_parent  # noqa: E402
from organisation import Organisation  # noqa: E402

BIN = OUT / "host/bin"
HANDOFF_TOOL = OUT / "host/tests/volumed_tool"
IMAGE_MIB = 20
USER, PASSWORD = "alice", "correct horse 7"


class HostOrganisation(Organisation):
    """Laptops are on this machine too, so the server is known by its loopback address. One that is stopped and started
    again listens where it did before."""

    listened_at = 0

    def start(self):
        pathlib.Path(self.data, "port").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BIN / "holdfast-server", "--state", self.data, "--listen",
                                             f"127.0.0.1:{self.listened_at}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        self.port = self.listened_at = int(self._told("port"))
        wait_until("the server listens", self._listens)

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def claim(self):
        return self._told("claim")

    def _told(self, name, seconds=20):
        """Content of a file that the server makes when it starts."""
        path = pathlib.Path(self.data, name)
        end = time.monotonic() + seconds
        while not path.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"holdfast-server did not make {path}:\n{self.log_text()}")
            time.sleep(0.01)
        return path.read_text().strip()


class LaptopError(Exception):
    pass


def wait_until(what, condition, seconds=30):
    """The condition's value once it is true; an error with `what` when it does not become so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def call(*command, text=None, seconds=60):
    """Run to the end; its output, or LaptopError with it."""
    done = subprocess.run([str(c) for c in command], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=seconds, check=False, stdin=None if text else subprocess.DEVNULL)
    if done.returncode:
        raise LaptopError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class HostLaptop:
    """Made anew, under management, not enrolled; its daemons are started by start()."""

    tpm = "none"  # as tpm2-tss names it; never this machine's own

    def __init__(self, name="laptop", folder=None):
        # A short path: sockets lie in it, whose addresses hold 107 bytes.
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hf-"))
        self.name = name
        self.image, self.esp, self.run_dir = (self.folder / n for n in ("disk.img", "esp", "run"))
        self.handoff = self.folder / "handoff"
        self.daemons = {}
        self.recovery_key = self._activate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _activate(self):
        (self.esp / "EFI").mkdir(parents=True)
        self.run_dir.mkdir(mode=0o755)
        for name in ("kernel", "initrd"):
            (self.folder / name).write_bytes(name.encode() * 1000)
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_MIB << 20)
        told = call(BIN / "holdfast-activate", "--format", "--volume", f"root={self.image}", "--esp", self.esp,
                    "--efivars", "", "--kernel", self.folder / "kernel", "--initrd", self.folder / "initrd",
                    "--cmdline", "root=/dev/mapper/root", "--name", self.name, "--user", USER, text=PASSWORD + "\n")
        self.uuid = call("cryptsetup", "luksUUID", self.image).strip()
        return next(line.split()[-1] for line in told.splitlines() if line.startswith("recovery key:"))

    # ---- power ----

    def start(self, password=PASSWORD):
        """As pre-boot with this password, and the units after it."""
        call(HANDOFF_TOOL, "handoff", self.esp, USER, self.handoff, text=password + "\n")
        self._daemon("holdfast-volumed", "volumed.sock", "--state", self.folder / "volumed", "--esp", self.esp,
                     "--efivars", "", "--handoff", self.handoff, "--device", f"{self.uuid}={self.image}",
                     "--agent-user", pwd.getpwuid(os.getuid()).pw_name, "--no-power", "--tpm", self.tpm)
        self.start_holdfastd()

    def start_holdfastd(self):
        (self.run_dir / "agent.sock").unlink(missing_ok=True)
        self._daemon("holdfastd", "agent.sock", "--state", self.folder / "agent")

    def end_holdfastd(self, how=signal.SIGTERM):
        process = self.daemons.pop("holdfastd")
        process.send_signal(how)
        process.wait(10)

    def _daemon(self, program, listens_at, *options, seconds=20):
        log_path = self.folder / f"{program}.log"
        with open(log_path, "ab") as log:
            process = subprocess.Popen([str(c) for c in (BIN / program, "--run", self.run_dir, *options)],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        self.daemons[program] = process
        end = time.monotonic() + seconds
        while not (self.run_dir / listens_at).exists():
            if process.poll() is not None or time.monotonic() > end:
                raise LaptopError(f"{program} did not start:\n{log_path.read_text(errors='replace')}")
            time.sleep(0.01)

    def stop(self):
        """The daemons end as when the laptop is switched off."""
        for process in reversed(self.daemons.values()):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.daemons.clear()
        for left_over in self.run_dir.glob("*.sock"):
            left_over.unlink()

    def log(self, program):
        return (self.folder / f"{program}.log").read_text(errors="replace")

    # ---- the agent ----

    def ask(self, *arguments, text=""):
        """holdfast with these arguments, whatever comes of it: status, standard output, standard error."""
        done = subprocess.run([str(BIN / "holdfast"), "--run", str(self.run_dir), *arguments], input=text,
                              capture_output=True, text=True, timeout=150, check=False)
        return done.returncode, done.stdout, done.stderr

    def queued(self):
        """Ids in the queue in their order; holdfastd must not run."""
        with contextlib.closing(sqlite3.connect(self.folder / "agent/queue.db")) as db:
            return [row[0] for row in db.execute("SELECT id FROM events ORDER BY class, number")]

    def holdfast(self, *arguments, seconds=150):
        return call(BIN / "holdfast", "--run", self.run_dir, *arguments, seconds=seconds)

    def enrol(self, organisation):
        """Returns when the policy is enforced."""
        return self.holdfast("enroll", organisation.token())

    def status(self):
        return json.loads(self.holdfast("status", "--json"))

    def opens(self, secret):
        """Does stock cryptsetup open the image with these bytes?"""
        done = subprocess.run(["cryptsetup", "open", "--test-passphrase", "--type", "luks2", "--key-file", "-",
                               str(self.image)], input=secret, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False)
        return done.returncode == 0
