"""The organisation: holdfast-server on loopback and an officer with holdfast-ctl. The laptop reaches the server at
10.0.2.2 through QEMU's user network."""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time

from machine import OUT, RUNS, die_with_parent

BIN = OUT / "host/bin"
OFFICER = "olivia"
PASSPHRASE = "seven quiet harbours at dawn"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def payload(jws):
    """Content of a compact JWS, unverified."""
    part = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claim_for_host(claim):
    """The claim names the server as laptops see it; the officer sits on this machine."""
    prefix, body = claim.split(":", 1)
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    content["url"] = content["url"].replace("10.0.2.2", "127.0.0.1")
    packed = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).rstrip(b"=")
    return f"{prefix}:{packed.decode()}"


class CtlError(Exception):
    def __init__(self, status, output):
        super().__init__(f"holdfast-ctl ended with {status}: {output}")
        self.status, self.output = status, output


class Organisation:
    def __init__(self, folder=None):
        RUNS.mkdir(parents=True, exist_ok=True)
        self.folder = folder or tempfile.mkdtemp(prefix="server-", dir=RUNS)
        self.data = os.path.join(self.folder, "data")
        self.officer = os.path.join(self.folder, "officer")
        self.passphrase_file = os.path.join(self.folder, "passphrase")
        self.log = os.path.join(self.folder, "server.log")
        self.port = free_port()
        self.process = None
        os.makedirs(self.data, exist_ok=True)
        os.makedirs(self.officer, mode=0o700, exist_ok=True)
        with open(self.passphrase_file, "w", encoding="utf-8") as out:
            out.write(PASSPHRASE + "\n")
        os.chmod(self.passphrase_file, 0o600)

    def __enter__(self):
        self.start()
        self.init()
        return self

    def __exit__(self, *_):
        self.stop()
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- server ----

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "holdfast-server", "--state", self.data, "--listen", f"127.0.0.1:{self.port}",
                 "--url", f"https://10.0.2.2:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("holdfast-server did not start:\n" + self.log_text()) from None
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    # ---- officer ----

    def ctl(self, *arguments, seconds=60, check=True):
        """holdfast-ctl as the officer; its output, or (status, output) without check."""
        done = subprocess.run([str(BIN / "holdfast-ctl"), "--dir", self.officer, "--passphrase-file",
                               self.passphrase_file, *map(str, arguments)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)
        text = done.stdout.decode(errors="replace")
        if not check:
            return done.returncode, text
        if done.returncode:
            raise CtlError(done.returncode, text)
        return text

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments))

    def claim(self):
        """Written by the server's first start, shortly after it listens."""
        path, end = pathlib.Path(self.data, "claim"), time.monotonic() + 20
        while not path.exists() or not path.stat().st_size:
            if time.monotonic() > end:
                raise RuntimeError("holdfast-server wrote no claim:\n" + self.log_text())
            time.sleep(0.05)
        return path.read_text(encoding="utf-8").strip()

    def init(self):
        self.sheet = os.path.join(self.folder, "recovery-sheet.txt")
        return self.ctl("init", "--officer", OFFICER, "--claim", claim_for_host(self.claim()),
                        "--recovery-sheet", self.sheet)

    def token(self):
        return next(line for line in self.ctl("enroll-token").splitlines() if line.startswith("holdfast-enrol:"))

    def device(self, name):
        return self.ctl_json("device", "show", name)

    def device_command(self, name, command, wait=30):
        yes = ["--yes"] if command == "kill" else []
        return self.ctl("device", command, name, "--wait", wait, *yes, seconds=wait + 30)

    def recovery_key(self, name):
        return self.ctl("escrow", "show", name, "--reason", "test").strip().splitlines()[-1]

    def remote_help(self, challenge):
        text = self.ctl("remote-help", challenge)
        return next(line.split()[-1] for line in text.splitlines() if line.startswith("Code"))

    def events(self, name):
        """All events of a laptop in the order in which the server keeps them: kind, id, detail. Read from the
        server's own database, as its REST interface shows only the newest."""
        device = self.device(name)["device"]
        for path in sorted(pathlib.Path(self.data).rglob("*.db")):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
                    rows = db.execute("SELECT id, kind, jws FROM events WHERE device = ? ORDER BY n", (device,))
                    return [{"id": i, "kind": kind, **payload(jws)} for i, kind, jws in rows]
        raise RuntimeError(f"no database with events in {self.data}")

    def wait_event(self, name, kind, seconds=60, having=lambda event: True):
        end = time.monotonic() + seconds
        while True:
            events = self.events(name)
            found = [e for e in events if e["kind"] == kind and having(e)]
            if found:
                return found[-1]
            if time.monotonic() > end:
                raise AssertionError(f"no event {kind} arrived; there are: {[e['kind'] for e in events]}")
            time.sleep(0.3)

    def wait_device(self, name, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while True:
            detail = self.device(name)
            if condition(detail):
                return detail
            if time.monotonic() > end:
                raise AssertionError(f"the server does not show: {what}; it has:\n{json.dumps(detail, indent=1)}")
            time.sleep(0.3)
