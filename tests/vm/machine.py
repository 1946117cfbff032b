"""A QEMU process: started, watched and ended by its own process id. Nothing outlives the test."""
import base64
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pexpect.fdpexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/out"
RUNS = OUT / "vm"
OVMF = pathlib.Path("/usr/share/OVMF")
# Ends with status 67 when a virtual CPU really runs: out 0x501, 0x21.
BOOT_SECTOR = bytes.fromhex("ba0105b021eef4").ljust(510, b"\0") + b"\x55\xaa"

# Where cryptsetup and mkfs are, for people who are not root.
os.environ["PATH"] += ":/usr/sbin:/sbin"
_libc = ctypes.CDLL(None)


def die_with_parent():
    """For preexec_fn: PR_SET_PDEATHSIG, so that an aborted test leaves no machine behind."""
    _libc.prctl(1, signal.SIGKILL)


def run(*command, **options):
    """A command on this machine; its output in the exception when it fails."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL if "input" not in options else None, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: "
                           f"{' '.join(str(c) for c in command)}\n{done.stdout.decode(errors='replace')}")
    return done.stdout


def accelerator():
    """KVM when a guest really runs under it (that /dev/kvm opens proves nothing), else emulation."""
    if os.environ.get("HOLDFAST_ACCEL") != "tcg" and os.access("/dev/kvm", os.R_OK | os.W_OK):
        with tempfile.NamedTemporaryFile() as disk:
            disk.write(BOOT_SECTOR)
            disk.flush()
            try:
                probe = subprocess.run(
                    ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-display", "none", "-nodefaults",
                     "-no-reboot", "-device", "isa-debug-exit,iobase=0x501,iosize=1",
                     "-drive", f"file={disk.name},format=raw,if=ide"],
                    timeout=8, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                    preexec_fn=die_with_parent, check=False)
                if probe.returncode == 67:
                    return ["-accel", "kvm", "-cpu", "host"]
            except subprocess.TimeoutExpired:
                pass
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


_accelerator = None


def accelerator_once():
    global _accelerator
    if _accelerator is None:
        _accelerator = accelerator()
    return _accelerator


def socket_connect(folder, name, seconds=20):
    """Sockets lie deep in the build folder, further down than a socket's address may be long: reach
    them through the folder's descriptor."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        end = time.monotonic() + seconds
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(f"/proc/self/fd/{handle}/{name}")
                return s
            except OSError:
                s.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
    finally:
        os.close(handle)


class Machine:
    """One virtual machine in a folder of its own; its disks and variables outlive its power cuts."""

    def __init__(self, name, memory_mib=1536, processors=2):
        RUNS.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=RUNS))
        self.memory_mib, self.processors = memory_mib, processors
        self.process = None
        self.serial = None
        self.starts = 0
        self.drains = True  # nobody else reads the serial port while we wait for something else
        self.reboots = False  # a restart ends the machine, so that a test sees it
        self.keep = bool(os.environ.get("HOLDFAST_KEEP"))
        self._control = None
        self._control_bytes = b""
        self._number = 0
        self._qmp = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- power ----

    def launch(self, *arguments):
        """Start QEMU with a serial port (self.serial: a pexpect object) and the control channel."""
        assert self.process is None, "it is running already"
        self.starts += 1
        self.log = self.folder / f"serial-{self.starts}.log"
        for name in ("serial", "control", "qmp"):
            (self.folder / name).unlink(missing_ok=True)
        command = ["qemu-system-x86_64", "-M", "q35", *accelerator_once(), "-smp", str(self.processors),
                   "-m", str(self.memory_mib), "-nodefaults", "-display", "none", *([] if self.reboots else ["-no-reboot"]),
                   "-chardev", f"socket,id=serial,path=serial,server=on,wait=off,logfile={self.log.name}",
                   "-serial", "chardev:serial",
                   "-chardev", "socket,id=qmp,path=qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control",
                   "-chardev", "socket,id=control,path=control,server=on,wait=off",
                   "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=control,name=holdfast.control",
                   "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
                   *[str(a) for a in arguments]]
        with open(self.folder / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=die_with_parent)
        try:
            self._serial_socket = socket_connect(self.folder, "serial")
            self._control = socket_connect(self.folder, "control")
        except OSError:
            error = (self.folder / "qemu.log").read_text(errors="replace")
            self.kill()
            raise RuntimeError(f"QEMU did not start:\n{error}") from None
        self._control_bytes = b""
        self.serial = pexpect.fdpexpect.fdspawn(self._serial_socket.fileno(), encoding="utf-8",
                                                codec_errors="replace", timeout=120)
        self.serial.delaybeforesend = None

    def kill(self):
        """A power cut."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self._closed()

    def wait_off(self, seconds=90):
        """Wait until the machine switches itself off (or restarts, which ends QEMU as well)."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError(f"the machine is still on after {seconds} s; its serial log: {self.log}")
            self._drain()
        self._drain()
        self._closed()

    def _drain(self):
        """Keep reading the serial port, so that the guest never waits for us."""
        try:
            self.serial.expect(pexpect.EOF, timeout=0.3)
        except (pexpect.TIMEOUT, OSError):
            pass

    def _closed(self):
        self.process = None
        for s in (self._control, self._qmp, getattr(self, "_serial_socket", None)):
            if s:
                s.close()
        self._control = self._qmp = self._serial_socket = None

    def running(self):
        return self.process is not None and self.process.poll() is None

    # ---- serial ----

    def expect(self, pattern, seconds=120):
        """Wait for a pattern (or the first of a list, whose index is returned) on the serial port."""
        try:
            return self.serial.expect(pattern, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF, OSError) as error:
            seen = self.log.read_text(errors="replace")[-2500:] if self.log.exists() else ""
            kind = "in time" if isinstance(error, pexpect.TIMEOUT) else "before the end"
            raise AssertionError(f"did not see {pattern!r} {kind} ({seconds} s); the last of the serial port:\n"
                                 f"{seen}") from None

    def type(self, text, enter=True):
        """Type like a (quick) person: the firmware's serial port has a small buffer."""
        for letter in text + ("\r" if enter else ""):
            self.serial.send(letter)
            time.sleep(0.03)

    def serial_text(self):
        return self.log.read_text(errors="replace")

    # ---- commands inside ----

    def run(self, command, seconds=60, check=True):
        """Run a shell command as root in the guest; returns its output, or (status, output) without check."""
        self._number += 1
        request = f"{self._number} {base64.b64encode(command.encode()).decode()}\n"
        self._control.sendall(request.encode())
        end = time.monotonic() + seconds
        while True:
            line = self._control_line(end, command).split(" ")
            if line[0] == str(self._number):
                break
        output = base64.b64decode(line[2] if len(line) > 2 else "").decode(errors="replace")
        if not check:
            return int(line[1]), output
        if line[1] != "0":
            raise AssertionError(f"in the guest, {command!r} ended with {line[1]}: {output}")
        return output

    def wait_control(self, seconds=120):
        """Wait until the guest takes commands."""
        end = time.monotonic() + seconds
        while "ready" not in self._control_line(end, "waiting for the guest's control channel"):
            pass

    def wait_control_forever(self):
        """The same for a person at the keyboard, who may take all day."""
        while not self.running():
            time.sleep(0.2)
        while "ready" not in self._control_line(float("inf"), "waiting for the guest's control channel"):
            pass

    def serial_socket(self):
        """The serial port itself, instead of self.serial."""
        return self._serial_socket

    def _control_line(self, end, doing):
        while b"\n" not in self._control_bytes:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no answer from the guest: {doing}; its serial log ends:\n"
                                     f"{self.serial_text()[-2000:]}")
            self._control.settimeout(min(left, 0.5))
            try:
                got = self._control.recv(65536)
            except socket.timeout:
                if self.drains:
                    self._drain_now()
                continue
            except OSError:
                got = b""
            if not got:
                raise AssertionError(f"the machine went off: {doing}; its serial log ends:\n"
                                     f"{self.serial_text()[-2000:]}")
            self._control_bytes += got
        line, _, self._control_bytes = self._control_bytes.partition(b"\n")
        return line.decode(errors="replace").strip()

    def _drain_now(self):
        try:
            self.serial.expect(pexpect.EOF, timeout=0)
        except (pexpect.TIMEOUT, pexpect.EOF, OSError):
            pass

    def send(self, command):
        """Send a command to the guest without waiting for its answer (for power cuts in its middle)."""
        self._number += 1
        self._control.sendall(f"{self._number} {base64.b64encode(command.encode()).decode()}\n".encode())

    # ---- QEMU's own monitor ----

    def qmp(self, command, **arguments):
        if self._qmp is None:
            self._qmp = socket_connect(self.folder, "qmp")
            self._qmp_file = self._qmp.makefile("rw")
            self._qmp_file.readline()
            self._qmp_send("qmp_capabilities", {})
        return self._qmp_send(command, arguments)

    def _qmp_send(self, command, arguments):
        self._qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp_file.flush()
        while True:
            answer = json.loads(self._qmp_file.readline())
            if "error" in answer:
                raise RuntimeError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def throttle(self, bytes_per_second):
        """Slow the disk's writes down; 0 lifts it."""
        self.qmp("qom-set", path="/objects/limit", property="limits", value={"bps-write": bytes_per_second})

    def power_cut_during(self, action, seconds):
        """Start an action and cut the power so many seconds later."""
        thread = threading.Thread(target=action, daemon=True)
        thread.start()
        time.sleep(seconds)
        self.kill()
        thread.join(60)

    def screenshot(self, path):
        self.qmp("screendump", filename=str(path), format="png")
