"""A server, an officer and laptops on this machine, without a virtual one: the laptop's volume is an image file that
nobody activates, everything else is the real thing."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/out/host/bin"
TOOL = ROOT / "build/out/host/tests/volumed_tool"
PASSWORD = "correct horse battery"


def wait_until(what, condition, seconds=30):
    """The condition's value once it is true; a test failure with `what` when it does not become so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A daemon of ours with its log."""

    def __init__(self, log, *command):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=out)

    def end(self, how=signal.SIGTERM):
        self.child.send_signal(how)
        try:
            self.child.wait(15)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise AssertionError(f"did not end on {how!r}: {self.log}") from None

    def text(self):
        return pathlib.Path(self.log).read_text(errors="replace")


class Server:
    def __init__(self, folder):
        self.folder = folder / "server"
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.port = free_port()
        self.process = None
        (self.folder / "passphrase").write_text("seven quiet harbours at dawn\n")

    def start(self):
        self.process = Process(self.log, BIN / "holdfast-server", "--state", self.folder / "data", "--listen",
                               f"127.0.0.1:{self.port}", "--url", f"https://127.0.0.1:{self.port}")
        wait_until("the server listens: " + str(self.log), self.listens)

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self):
        if self.process:
            self.process.end()
        self.process = None

    def ctl(self, *arguments):
        done = subprocess.run([BIN / "holdfast-ctl", "--dir", self.folder / "officer", "--passphrase-file",
                               self.folder / "passphrase", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"holdfast-ctl {arguments}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def init(self):
        claim = wait_until("the server prints a claim", lambda: next(
            (word for word in self.process.text().split() if word.startswith("holdfast-claim:")), None))
        self.ctl("init", "--officer", "olivia", "--claim", claim, "--recovery-sheet",
                 str(self.folder / "sheet"))

    def token(self):
        return next(line for line in self.ctl("enroll-token", "--uses", "5").splitlines()
                    if line.startswith("holdfast-enrol:"))

    def rows(self, query, *values):
        """From the database itself, so that nothing between it and us can hide a repetition."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database()}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def database(self):
        for path in sorted((self.folder / "data").rglob("*.db")):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
                    return path
        raise AssertionError(f"no events table under {self.folder}")


class Laptop:
    def __init__(self, folder, name):
        self.folder = folder / name
        self.name = name
        for part in ("esp", "run", "volumed", "agent"):
            (self.folder / part).mkdir(parents=True)
        os.chmod(self.folder / "agent", 0o700)
        self.image = self.folder / "disk.img"
        self.volumed = self.holdfastd = None
        self.recovery_key = self.activate()

    def run(self, *command, text=""):
        return subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True,
                              timeout=120, check=False, cwd=self.folder)

    def activate(self):
        with open(self.image, "wb") as image:
            image.truncate(48 << 20)
        for name in ("kernel", "initrd"):
            (self.folder / name).write_text(name)
        done = self.run(BIN / "holdfast-activate", "--format", "--volume", f"root={self.image}", "--esp", "esp",
                        "--efivars", "", "--kernel", "kernel", "--initrd", "initrd", "--cmdline", "root=x",
                        "--name", self.name, "--user", "alice", "--kdf-memory-kib", "32768",
                        "--kdf-passes", "1", text=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        self.uuid = self.run("cryptsetup", "luksUUID", self.image).stdout.strip()
        return done.stdout.split("recovery key:")[1].split()[0]

    def sign_in(self):
        done = self.run(TOOL, "handoff", "esp", "alice", "handoff", text=PASSWORD + "\n")
        assert done.returncode == 0, done.stdout

    def start_volumed(self):
        self.sign_in()
        self.volumed = Process(self.folder / "volumed.log", BIN / "holdfast-volumed", "--state",
                               self.folder / "volumed", "--run", self.folder / "run", "--esp", self.folder / "esp",
                               "--efivars", "", "--handoff", self.folder / "handoff", "--device",
                               f"{self.uuid}={self.image}", "--agent-user", "root", "--no-power")
        wait_until("volumed listens", (self.folder / "run/volumed.sock").exists)

    def start_holdfastd(self):
        self.holdfastd = Process(self.folder / "holdfastd.log", BIN / "holdfastd", "--state",
                                 self.folder / "agent", "--run", self.folder / "run")
        wait_until("holdfastd answers", lambda: "network" in self.status())

    def stop(self):
        for process in (self.holdfastd, self.volumed):
            if process and process.child.poll() is None:
                process.end()

    def holdfast(self, *arguments, text=""):
        return self.run(BIN / "holdfast", "--run", self.folder / "run", *arguments, text=text)

    def status(self):
        return json.loads(self.holdfast("status", "--json").stdout)

    def queued(self):
        """Ids in the queue in their order; holdfastd must not run."""
        with contextlib.closing(sqlite3.connect(self.folder / "agent/queue.db")) as db:
            return [row[0] for row in db.execute("SELECT id FROM events ORDER BY class, number")]


@contextlib.contextmanager
def rig():
    """(server, laptop): the server set up, the laptop started and not enrolled."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-agentnet-"))
    server, laptop = Server(folder), None
    try:
        server.start()
        server.init()
        laptop = Laptop(folder, "lap1")
        laptop.start_volumed()
        laptop.start_holdfastd()
        yield server, laptop
        shutil.rmtree(folder)
    except BaseException:
        print(f"files are left in {folder}")
        raise
    finally:
        if laptop:
            laptop.stop()
        server.stop()
