"""A small rig for holdfast.efi: one disk (ESP and a partition to erase), OVMF, a kernel with an initramfs that
prints the hand-off; a serial terminal, and a panel with a keyboard of its own."""
import base64
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time

import pexpect

from memory import Memory

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/out"
TOOL = os.environ.get("PREBOOT_TOOL", str(OUT / "host/tests/preboot_tool"))
EFI = OUT / "efi/holdfast.efi"
OVMF = pathlib.Path("/usr/share/OVMF")
PARTITION = "6f1c2a5e-93d4-4b0a-8a54-0f3c1d2e4b59"
ESP_AT, ESP_MIB, AREA_MIB = 1, 96, 40
MEMORY_MIB = 512
KEY_MS = 25  # a key is down so long, and up so long: firmware looks each 20 ms
# Variables can be written in system management mode only.
SECURE = ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
KEYBOARDS = {"ps2": [], "usb": ["-device", "qemu-xhci", "-device", "usb-kbd"]}
US_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))
US_NAMES = {" ": "spc", "\r": "ret", "\b": "backspace", "\t": "tab", "\x1b": "esc", "`": "grave_accent", "-": "minus",
            "=": "equal", "[": "bracket_left", "]": "bracket_right", "\\": "backslash", ";": "semicolon",
            "'": "apostrophe", ",": "comma", ".": "dot", "/": "slash"}
INIT = r"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc
/bin/busybox mount -t proc proc /proc
echo "MODE $(/bin/busybox stat -c '%a %n' /holdfast /holdfast/handoff | /bin/busybox tr '\n' ' ')"
echo "CMDLINE $(/bin/busybox cat /proc/cmdline)"
/bin/busybox mkdir -p /sys
/bin/busybox mount -t sysfs sys /sys
if [ -d /sys/class/tpm/tpm0 ]; then
	/bin/busybox mount -t securityfs sec /sys/kernel/security
	for i in 7 11; do echo "PCR$i $(/bin/busybox cat /sys/class/tpm/tpm0/pcr-sha256/$i) END"; done
	echo "EVENTLOG $(/bin/busybox base64 -w 0 /sys/kernel/security/tpm0/binary_bios_measurements) END"
fi
echo "HANDOFF $(/bin/busybox base64 -w 0 /holdfast/handoff) END"
/bin/busybox dd if=/dev/zero of=/holdfast/handoff bs=64k count=1 conv=notrunc 2>/dev/null
/bin/busybox rm -f /holdfast/handoff
case "$(/bin/busybox cat /proc/cmdline)" in
*linger*) echo LINGERING; /bin/busybox sleep 600 ;;
esac
/bin/busybox poweroff -f
"""


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True).stdout


def tool(*arguments):
    return run(TOOL, *arguments).decode()


def kernel():
    """The distribution's kernel: from the guest that the other tests have made, or from its package."""
    cached = OUT / "cache/kernel/vmlinuz"
    if cached.exists():
        return cached
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as work:
        found = None
        for guest in sorted((OUT / "cache").glob("debian-*.tar")):
            with tarfile.open(guest) as tar:
                found = next((m for m in tar if re.match(r"\./boot/vmlinuz-", m.name)), None)
                if found:
                    content = tar.extractfile(found).read()
                    break
        if not found:
            depends = run("apt-cache", "depends", "linux-image-cloud-amd64").decode()
            package = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
            subprocess.run(["apt-get", "download", "-qq", package], cwd=work, check=True)
            run("dpkg", "-x", next(pathlib.Path(work).glob("*.deb")), work)
            content = next(pathlib.Path(work).glob("boot/vmlinuz-*")).read_bytes()
        pathlib.Path(work, "new").write_bytes(content)
        os.replace(pathlib.Path(work, "new"), cached)
    return cached


def newc(name, mode, content=b"", rdev=(0, 0)):
    fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, *rdev, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def initramfs():
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    return (newc("bin", 0o40755) + newc("dev", 0o40755) + newc("dev/console", 0o20600, rdev=(5, 1)) +
            newc("dev/zero", 0o20666, rdev=(1, 5)) +
            newc("bin/busybox", 0o100755, busybox) + newc("init", 0o100755, INIT.encode()) +
            newc("TRAILER!!!", 0))


def table(name):
    text = (ROOT / "common" / name).read_text()
    return [(k, n, int(at), int(length)) for k, n, at, length in
            re.findall(r"^FIELD\((\w+),\s*(\w+),\s*(\d+),\s*(\d+)\)", text, re.M)]


def table_bytes(fields):
    return max(at + length for _, _, at, length in fields)


def decode(fields, content):
    return {n: content[at:at + length] if k == "bytes" else int.from_bytes(content[at:at + length], "little")
            for k, n, at, length in fields}


class Handoff:
    """What the initramfs found, read with the tables of common/."""

    def __init__(self, content):
        self.__dict__.update(decode(table("handoff_v1.inc"), content))
        self.content = content
        self.user = self.user.rstrip(b"\0").decode()
        fields, base = table("handoff_event_v1.inc"), table_bytes(table("handoff_v1.inc"))
        size = table_bytes(fields)
        self.events = [decode(fields, content[base + i * size:base + (i + 1) * size])
                       for i in range(self.event_count)]

    def event(self, kind):
        """Value of the event with this number; None without one."""
        return next((e["value"] for e in self.events if e["kind"] == kind), None)


class Laptop:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.disk = self.folder / "disk.img"
        self.esp = f"{self.disk}@@{ESP_AT}M"
        self.vars = self.folder / "vars.fd"
        self.child = None
        self.tpm = None  # its process
        self.starts = 0
        self.secure = False  # firmware that can do Secure Boot; it is on when new_firmware's variables have keys
        self.new_firmware()
        self.make_disk()

    def new_firmware(self, variables=OVMF / "OVMF_VARS_4M.fd"):
        """The variables of a machine that has never been on, or those of that file."""
        shutil.copy(variables, self.vars)

    def make_disk(self):
        with open(self.disk, "wb") as f:
            f.truncate((ESP_AT + ESP_MIB + AREA_MIB + 1) << 20)
        layout = (f"label: gpt\nstart={ESP_AT}MiB,size={ESP_MIB}MiB,type=U\n"
                  f"start={ESP_AT + ESP_MIB}MiB,size={AREA_MIB}MiB,type=L,uuid={PARTITION}\n")
        subprocess.run(["sfdisk", "-q", self.disk], input=layout.encode(), check=True, capture_output=True)
        run("mkfs.vfat", "-F", "32", f"--offset={ESP_AT * 2048}", self.disk, ESP_MIB * 1024)
        for folder in ("/EFI", "/EFI/BOOT", "/EFI/holdfast", "/EFI/holdfast/boot"):
            run("mmd", "-i", self.esp, f"::{folder}")
        self.put(EFI, "/EFI/BOOT/BOOTX64.EFI")

    # ---- files on the ESP ----

    def put(self, source, path):
        run("mcopy", "-o", "-i", self.esp, source, f"::{path}")

    def get(self, path):
        target = self.folder / "got"
        target.unlink(missing_ok=True)
        run("mcopy", "-o", "-i", self.esp, f"::{path}", target)
        return target.read_bytes()

    def has(self, path):
        return subprocess.run(["mdir", "-b", "-i", self.esp, f"::{path}"], capture_output=True).returncode == 0

    def delete(self, path):
        run("mdel", "-i", self.esp, f"::{path}")

    def flip(self, path, at):
        """Change one bit of one byte."""
        content = bytearray(self.get(path))
        content[at] ^= 1
        changed = self.folder / "changed"
        changed.write_bytes(content)
        self.put(changed, path)

    def area(self):
        with open(self.disk, "rb") as f:
            f.seek((ESP_AT + ESP_MIB) << 20)
            return f.read(AREA_MIB << 20)

    def fill_area(self, byte):
        with open(self.disk, "r+b") as f:
            f.seek((ESP_AT + ESP_MIB) << 20)
            f.write(byte * (AREA_MIB << 20))

    # ---- power, screen and keyboard ----

    def disk_with_bad_sector(self, byte):
        """Options of a disk whose sector at this byte of the area cannot be written."""
        rules = self.folder / "blkdebug"
        rules.write_text("[inject-error]\n" + "".join(
            f'{key} = "{value}"\n' for key, value in (
                ("event", "none"), ("iotype", "write"), ("errno", 5), ("once", "off"), ("immediately", "off"),
                ("sector", ((ESP_AT + ESP_MIB) << 11) + byte // 512))))
        return f"driver=raw,file.driver=blkdebug,file.config={rules},file.image.filename={self.disk},id=disk,if=none"

    def start(self, disk=None, panel=(1024, 768), keyboard="ps2", serial=True, clock=None, speaker=None,
              processors=1, memory=MEMORY_MIB, order=True, tpm=None, options=()):
        """Switch on.
          disk      options of a -drive instead of the plain disk
          panel     (width, height) of a monitor that says so in its EDID; None: a machine without graphics
          keyboard  "ps2" or "usb": what key() and keys() press
          serial    a terminal on the serial port: see(), type()
          clock     what the real-time clock says: "2026-11-22T10:00:00"; None: today
          speaker   a .wav file for what the PC speaker plays
          processors  of the machine
          memory    of the machine, MiB
          order     False: the firmware follows its own boot order, not "this disk first"
          tpm       folder with a TPM's state; None: the machine has none
          options   more of QEMU's"""
        self.starts += 1
        if tpm:
            options = [*options, *self.tpm_on(pathlib.Path(tpm).resolve())]
        self.memory_mib = memory
        for name in ("qmp", "monitor"):
            (self.folder / name).unlink(missing_ok=True)
        self.log = open(self.folder / f"serial-{self.starts}.log", "wb")
        self.child = pexpect.spawn("qemu-system-x86_64", [
            "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(processors), "-m",
            str(memory),
            "-M", "q35" + (",smm=on" if self.secure else "") + (",pcspk-audiodev=sound" if speaker else ""), "-no-reboot",
            *(SECURE if self.secure else []),
            "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M{'.secboot' if self.secure else ''}.fd",
            "-drive", f"if=pflash,format=raw,file={self.vars}",
            "-drive", disk or f"format=raw,file={self.disk},if=none,id=disk",
            "-device", "virtio-blk-pci,drive=disk" + (",bootindex=0" if order else ""),
            "-display", "none", "-net", "none", *panel_options(panel), *KEYBOARDS[keyboard],
            *(["-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial"] if serial else ["-serial", "none"]),
            *(["-rtc", f"base={clock}"] if clock else []),
            *(["-audiodev", f"wav,id=sound,path={speaker}"] if speaker else []),
            *options, "-monitor", "none", "-qmp", f"unix:{self.folder}/qmp,server,nowait",
        ], timeout=60, echo=False)
        self.child.logfile_read = self.log
        self.monitor = Monitor(self.folder / "qmp")

    def tpm_on(self, state):
        """A TPM with this state, powered on; QEMU's options for it."""
        path = self.folder / "tpm.socket"
        path.unlink(missing_ok=True)
        self.tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl",
                                     f"type=unixio,path={path}"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not path.exists():
            assert self.tpm.poll() is None and time.monotonic() < end, "swtpm does not start"
            time.sleep(0.02)
        return ["-chardev", f"socket,id=tpm,path={path}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", "tpm-tis,tpmdev=tpm0"]

    # ---- the serial terminal ----

    def see(self, pattern, timeout=60):
        """Wait for a regular expression on the serial port; a space in it is any white space, as lines are wrapped.
        Returns the match; fails with the screen's end."""
        try:
            self.child.expect(re.sub(" +", r"\\s+", pattern).encode(), timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as e:
            raise AssertionError(f"expected {pattern!r}, the screen shows:\n"
                                 f"{screen(self.child.before)[-1500:]}") from e
        return self.child.match

    def told(self, name, *arguments, timeout=60):
        """Wait for the message of that name in preboot/message.inc, all of it, with its number. What the arguments do
        not fill in may be anything."""
        number, text = message(name, *arguments)
        self.see(f"{pattern_of(text)} \\[HF-{number}\\]", timeout)

    def counts_down(self, seconds):
        self.see(pattern_of(message("MESSAGE_NEXT_TRY", seconds)[1]))

    def type(self, text):
        """In pieces: firmware's buffer for a serial port is short."""
        for at in range(0, len(text), 16):
            self.child.send(text[at:at + 16])

    # ---- the keyboard and the panel ----

    def key(self, *names):
        """Press keys one after the other, by their US names: "f2", "ctrl-r", "shift-a", "caps_lock"."""
        for name in names:
            self.monitor("send-key", **{"hold-time": KEY_MS},
                         keys=[{"type": "qcode", "data": part} for part in name.split("-")])

    def keys(self, text):
        """Press the keys that type a text on a US keyboard."""
        self.key(*map(us_key, text))

    def picture(self, target):
        """What the panel shows, as a PNG file."""
        self.monitor("screendump", filename=str(target), format="png")
        return target

    def pixels(self):
        """What the panel shows, as bytes of red, green, blue."""
        target = self.folder / "panel.ppm"
        self.monitor("screendump", filename=str(target))
        head, _, _, pixels = target.read_bytes().split(b"\n", 3)
        assert head == b"P6" and len(pixels) >= 3 * 640 * 480
        return pixels

    def handoff(self, linger=False):
        """The kernel has started: the hand-off as its initramfs saw it; waits for the power to go off unless the
        command line says linger."""
        match = self.see(r"HANDOFF ([A-Za-z0-9+/=]+) END")
        found = Handoff(base64.b64decode(match.group(1)))
        if not linger:
            self.off()
        return found

    def off(self, timeout=40):
        self.child.expect(pexpect.EOF, timeout=timeout)
        self.child.close()
        self.closed()

    def cut(self):
        """Power cut."""
        self.child.close(force=True)
        self.closed()
        time.sleep(0.2)

    def closed(self):
        self.monitor.close()
        self.log.close()
        if self.tpm:
            self.tpm.terminate()
            self.tpm.wait(10)
            self.tpm = None

    def memory(self):
        """All of the machine's memory, as a cold boot would find it."""
        target = self.folder / "memory"
        target.unlink(missing_ok=True)
        self.monitor("pmemsave", val=0, size=self.memory_mib << 20, filename=str(target))
        return Memory(target)


class Monitor:
    """QEMU's own monitor: call it with a command of QMP and its arguments."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        end = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(os.path.relpath(path))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise RuntimeError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def close(self):
        self.file.close()
        self.socket.close()


def panel_options(panel):
    """A 4K monitor at 60 Hz has a faster clock than QEMU's EDID can say: all of them have 30 Hz."""
    if panel is None:
        return ["-vga", "none"]
    return ["-vga", "none", "-device",
            f"VGA,edid=on,xres={panel[0]},yres={panel[1]},refresh_rate=30000,vgamem_mb=64"]


def us_key(character):
    """QEMU's name of the key, with shift- where it is needed."""
    if character in US_SHIFTED:
        return "shift-" + us_key(US_SHIFTED[character])
    if character.isupper():
        return "shift-" + character.lower()
    return US_NAMES.get(character, character)


def message(name, *arguments):
    """(number, text) of a message of preboot/message.inc."""
    source = (ROOT / "preboot/message.inc").read_text()
    number, strings = re.search(rf'^X\({name}, (\d+), \w+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', source, re.M).groups()
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings))
    for argument in arguments:
        text = re.sub("%(llu|u|s)", lambda _: str(argument), text, count=1)
    return number, text


def pattern_of(text):
    """For see(): the text, whatever stands for what is left of %s and the like."""
    return re.sub("%(llu|u|s)", r"[^\\[]*?", re.escape(text).replace("\\ ", " "))


def screen(content):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", content.decode(errors="replace").replace("\r", ""))
