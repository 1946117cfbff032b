"""A TPM 2.0 in software, with what tpm2-tools do to it, and a bus to it that can be listened to and interfered with.

    with Tpm() as tpm:                     a new one; Tpm(folder) starts with the state of an earlier one
        tpm.tool("pcrread", "sha256:7")    tpm2_pcrread
        with Bus(tpm) as bus: ...          bus.port instead of tpm.port
"""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

_libc = ctypes.CDLL(None)
PARENT = "0x81000001"
PARENT_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"
LOADED = [kind << 24 | i for kind in (0x80, 0x02, 0x03) for i in range(3)]
FLUSH = 0x165


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)


def _ports():
    """Two free ones in a row: swtpm's data channel, and its control channel, where tpm2-tools look for it."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port, port + 1
    raise RuntimeError("no two free ports in a row")


class Tpm:
    def __init__(self, state=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-tpm-"))
        self.state = self.folder / "state"
        if state:
            shutil.copytree(state, self.state)
        else:
            self.state.mkdir()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def start(self):
        self.port, control = _ports()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}",
                 "--server", f"type=tcp,port={self.port},bindaddr=127.0.0.1",
                 "--ctrl", f"type=tcp,port={control},bindaddr=127.0.0.1", "--flags", "startup-clear"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"swtpm does not start: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def restart(self, orderly=True):
        """Power off and on: PCRs are zero, nothing is loaded. Not orderly: without telling the TPM before."""
        if orderly:
            self.tool("shutdown", "-c")
        self.stop()
        self.start()

    def path(self, name):
        return self.folder / name

    def tool(self, name, *arguments):
        """A program of tpm2-tools, in the TPM's folder. What it printed."""
        environment = {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:host=127.0.0.1,port={self.port}"}
        done = subprocess.run([f"tpm2_{name}", *map(str, arguments)], cwd=self.folder, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"tpm2_{name} {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def make_parent(self, persistent=True):
        """The storage root key by the template, by tpm2-tools. Returns its point, x then y, in hexadecimal."""
        self.path("unique").write_bytes(2 * (struct.pack("=H", 32) + bytes(128)))
        self.tool("createprimary", "-Q", "-C", "o", "-G", "ecc256:aes128cfb", "-g", "sha256", "-a", PARENT_ATTRIBUTES,
                  "-u", "unique", "-c", "parent.ctx")
        self.tool("readpublic", "-Q", "-c", "parent.ctx", "-o", "parent.pub", "-n", "parent.name")
        if persistent:
            self.tool("evictcontrol", "-Q", "-C", "o", "-c", "parent.ctx", PARENT)
        self.tool("flushcontext", "-t")
        public = self.path("parent.pub").read_bytes()
        return (public[-66:-34] + public[-32:]).hex()

    def seal(self, secret, auth=None):
        """Into object.pub and object.priv, to the PCRs as they are now."""
        self.path("secret").write_bytes(secret)
        self.tool("startauthsession", "-S", "session")
        self.tool("policypcr", "-Q", "-S", "session", "-l", "sha256:7,11", "-L", "policy")
        if auth:
            self.tool("policyauthvalue", "-Q", "-S", "session", "-L", "policy")
        self.tool("flushcontext", "session")
        self.tool("create", "-Q", "-C", PARENT, "-g", "sha256", "-i", "secret", "-L", "policy",
                  "-a", "fixedtpm|fixedparent", "-u", "object.pub", "-r", "object.priv",
                  *(["-p", f"hex:{auth.hex()}"] if auth else []))
        self.tool("flushcontext", "-t")
        self.path("secret").unlink()

    def pcr(self, number):
        return re.search(rf"{number} *: 0x([0-9A-F]+)", self.tool("pcrread", f"sha256:{number}"))[1].lower()

    def loaded(self):
        return [line for kind in ("transient", "loaded-session") for line in
                self.tool("getcap", f"handles-{kind}").split() if line != "-"]


def _receive(connection, count):
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            return b""
        got += more
    return got


def _message(connection):
    head = _receive(connection, 10)
    return head and head + _receive(connection, int.from_bytes(head[2:6], "big") - 10)


class Bus:
    """Between whoever uses `port` and the TPM. `log` is all that went over it; `change(n, answer)` gives what becomes
    of the n-th answer of a connection (None: it is lost)."""

    def __init__(self, tpm):
        self.tpm, self.log, self.change, self.answers = tpm, b"", None, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.idle = threading.Event()
        self.idle.set()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.idle.clear()
            with client, socket.create_connection(("127.0.0.1", self.tpm.port)) as tpm:
                try:
                    self._carry(client, tpm)
                except OSError:
                    pass
                self._flush(tpm)
            self.idle.set()

    def _carry(self, client, tpm):
        self.answers = []
        while command := _message(client):
            tpm.sendall(command)
            answer = _message(tpm)
            self.log += command + answer
            changed = self.change(len(self.answers), answer) if self.change else answer
            self.answers.append(answer)
            if changed is None:
                return
            client.sendall(changed)

    def _flush(self, tpm):
        """Handles that were changed on their way are flushed by nobody else. Only where somebody changes any."""
        for handle in LOADED if self.change else []:
            tpm.sendall(struct.pack(">HIII", 0x8001, 14, FLUSH, handle))
            _message(tpm)
