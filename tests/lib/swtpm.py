"""A TPM 2.0 for the tests: swtpm, with the state in a folder of its own, started and ended by whoever uses it.

    with swtpm.Tpm() as tpm:
        tpm.measure(7, "Secure Boot, as it is")
        tpm.tool("getcap", "properties-variable")   # tpm2-tools
        tpm.power_cycle()                           # the laptop is switched off and on
"""
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vm"))

from machine import die_with_parent  # noqa: E402


def free_pair():
    """Two ports beside each other: tpm2-tss looks for the control channel on the second."""
    for _ in range(200):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                two.bind(("127.0.0.1", port + 1))
                return port
    raise OSError("no two free ports beside each other")


class Tpm:
    def __init__(self, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="hf-tpm-")
        self.process = None
        self.port = 0

    def __enter__(self):
        return self.on()

    def __exit__(self, *_):
        self.off()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def tcti(self):
        return f"swtpm:host=127.0.0.1,port={self.port}"

    def on(self):
        self.port = self.port or free_pair()
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=tcp,port={self.port}",
             "--ctrl", f"type=tcp,port={self.port + 1}", "--flags", "not-need-init,startup-clear"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert self.process.poll() is None, "swtpm ended"
            time.sleep(0.02)
        raise TimeoutError("swtpm does not listen")

    def off(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def power_cycle(self):
        """Orderly, as a kernel ends: else the TPM counts a wrong try, as something may have been cut short."""
        self.tool("shutdown", "-c")
        self.off()
        self.on()

    def tool(self, name, *arguments, ok=True, stdin=None):
        """tpm2-tools; what it printed."""
        done = subprocess.run([f"tpm2_{name}", *map(str, arguments)], input=stdin, capture_output=True, timeout=60,
                              check=False, env={**os.environ, "TPM2TOOLS_TCTI": self.tcti, "PATH": "/usr/bin:/bin"})
        text = (done.stdout + (b"" if ok else done.stderr)).decode(errors="replace")
        assert not ok or done.returncode == 0, f"tpm2_{name} {arguments}: {done.stderr.decode(errors='replace')}"
        return text if ok else (done.returncode, text)

    def measure(self, pcr, what):
        self.tool("pcrextend", f"{pcr}:sha256={hashlib.sha256(what.encode()).hexdigest()}")

    def pcr(self, number):
        text = self.tool("pcrread", f"sha256:{number}")
        return text.split("0x")[1].split()[0].lower()

    def variable(self, name):
        """One of the properties that change: a number."""
        for line in self.tool("getcap", "properties-variable").splitlines():
            if line.strip().startswith(name + ":"):
                return int(line.split(":")[1], 0)
        raise KeyError(name)


class Listener:
    """Somebody on the bus: passes everything on to a TPM, and keeps it."""

    def __init__(self, tpm):
        self.heard = []
        self.sockets = []
        self.port = free_pair()
        for offset in (0, 1):
            server = socket.create_server(("127.0.0.1", self.port + offset))
            self.sockets.append(server)
            threading.Thread(target=self._serve, args=(server, tpm.port + offset), daemon=True).start()

    @property
    def tcti(self):
        return f"swtpm:host=127.0.0.1,port={self.port}"

    def _serve(self, server, port):
        with contextlib.suppress(OSError):
            while True:
                here, _ = server.accept()
                there = socket.create_connection(("127.0.0.1", port))
                for a, b in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                self.heard.append(data)
                b.sendall(data)
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        for s in self.sockets:
            s.close()
        return b"".join(self.heard)
