"""The virtual laptop: OVMF, holdfast.efi, a real Debian with the agent. Each test gets a fresh copy of the disk
that build/guest made and of the firmware's variables."""
import functools
import json
import re
import shutil
import subprocess
import time

from disk import Disk
from machine import OVMF, ROOT, Machine, run

# For start(extra=...): a monitor, which the laptop otherwise has none of.
PANEL = ("-device", "VGA,edid=on,xres=1280,yres=800")
CTRL_R = "\x12"
CTRL_K = "\x0b"
CHALLENGE = r"Challenge: ((?:[A-Z]{5}-){2}[A-Z]{5})"


@functools.lru_cache(maxsize=1)
def guest():
    """Folder of the guest's image; made when it is not there."""
    made = subprocess.run([ROOT / "build/guest"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if made.returncode:
        raise RuntimeError("build/guest could not make the laptop's disk; it says why above")
    return ROOT / made.stdout.decode().strip().splitlines()[-1]


def guest_info():
    return json.loads((guest() / "info.json").read_text())


def enforced(status):
    return status["policy"]["version"] > 0 and status["policy"]["state"] == "enforced" and not status["waiting"]


class Laptop(Machine):
    def __init__(self, name="laptop", **options):
        super().__init__(name, **options)
        self.guest = guest()
        self.info = guest_info()
        self.user, self.password = self.info["user"], self.info["password"]
        self.image = self.folder / "disk.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.guest / "disk.img", "-F", "raw", self.image)
        shutil.copy(OVMF / "OVMF_VARS_4M.fd", self.folder / "vars.fd")

    # ---- power ----

    def start(self, log_writes=None, extra=()):
        """Switch on, up to nothing in particular. log_writes: file that gets the order of all writes."""
        disk = ["-blockdev", f"driver=qcow2,node-name=disk,file.driver=file,file.filename={self.image.name},"
                             "file.aio=threads,cache.direct=off,discard=unmap"]
        disk += ["-object", "throttle-group,id=limit",
                 "-blockdev", "driver=throttle,node-name=slowed,throttle-group=limit,file=disk"]
        node = "slowed"
        if log_writes:
            log = self.folder / log_writes
            log.unlink(missing_ok=True)
            log.touch()
            disk += ["-blockdev", f"driver=file,node-name=log,filename={log_writes}",
                     "-blockdev", "driver=blklogwrites,node-name=logged,file=slowed,log=log"]
            node = "logged"
        self.launch("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                    "-drive", "if=pflash,format=raw,unit=1,file=vars.fd",
                    *disk, "-device", f"virtio-blk-pci,id=disk-device,drive={node},bootindex=0",
                    "-netdev", "user,id=net,restrict=off", "-device", "virtio-net-pci,netdev=net,romfile=",
                    *extra)

    def start_rescue(self):
        """The same disk in a machine without Holdfast: the distribution's kernel and a stock initramfs, whose
        shell waits on the serial port."""
        self.launch("-kernel", self.guest / "vmlinuz", "-initrd", self.guest / "rescue.img",
                    "-append", "console=ttyS0 quiet break=premount",
                    "-drive", f"file={self.image.name},if=none,id=disk", "-device", "virtio-blk-pci,drive=disk")
        self.expect(r"\(initramfs\)")

    def shell(self, command, seconds=60):
        """A command at the rescue shell; returns its status and output."""
        # The quotes keep the terminal's echo of the command from looking like its output.
        self.type(f"echo BE''GIN; {command}; echo DO''NE $?.")
        self.expect(r"BEGIN\r\n")
        self.expect(r"DONE \d+\.", seconds)
        return int(self.serial.after[5:-1]), self.serial.before.replace("\r", "").strip()

    # ---- pre-boot ----

    def unlock(self, password=None, user=None):
        """At the pre-boot screen: type user and password."""
        self.login(user or self.user, self.password if password is None else password)

    def expect_text(self, text, seconds=120):
        """Wait for a text of pre-boot, whose lines are wrapped: white space is any white space. Returns what stood there."""
        self.expect(r"\s+".join(re.escape(word) for word in text.split()), seconds)
        return self.serial.after

    def prompt(self, text, seconds=100):
        """Wait for a prompt. On a starved machine the firmware drops characters of its serial port, a prompt's too;
        it waits there all the same, so go on then: what follows tells whether it did."""
        try:
            self.expect(text, seconds)
        except AssertionError:
            print(f"        {text} was not seen, it may have been garbled", flush=True)

    def login(self, user, password):
        self.prompt("User name:")
        self.type(user)
        self.prompt("Password:")
        self.type(password)

    def preboot_challenge(self):
        """Ask for the helpdesk's way; returns the challenge that the screen shows."""
        self.prompt("User name:")
        self.serial.send(CTRL_R)
        self.expect(CHALLENGE)
        challenge = self.serial.match.group(1)
        self.prompt("Code:")
        return challenge

    def enrol(self, organisation):
        """Enrol with a fresh token and wait until the policy is enforced; returns the laptop's name."""
        self.run(f"holdfast enroll '{organisation.token()}'", seconds=120)
        self.wait_status(enforced, "policy enforced")
        return "laptop"

    def boot(self, password=None, **start_options):
        """Switch on, unlock, and wait until the guest takes commands. Returns the seconds it took."""
        begin = time.monotonic()
        self.start(**start_options)
        self.unlock(password)
        self.wait_agent()
        return time.monotonic() - begin

    def shutdown(self):
        self.send("systemctl poweroff")
        self.wait_off()

    # ---- the disk from outside (the machine is off) ----

    def disk(self):
        """A raw copy of the disk as it is now; a machine that is on stands still meanwhile."""
        if self.running():
            self.run("sync")
            self.qmp("stop")
            self.qmp("human-monitor-command", **{"command-line": 'qemu-io disk flush'})
            try:
                return Disk.flatten(self.image, self.folder / "outside.img", self.info)
            finally:
                self.qmp("cont")
        return Disk.flatten(self.image, self.folder / "outside.img", self.info)

    def put_disk(self, disk):
        """Make that copy the laptop's disk."""
        assert not self.running(), "the machine is on"
        self.image.unlink()
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk.path, self.image)

    # ---- the agent ----

    def agent_status(self):
        return json.loads(self.run("holdfast status --json 2>/dev/null"))

    def wait_agent(self):
        """Wait until the guest takes commands and both daemons answer."""
        self.wait_control()
        self.wait_status(lambda s: True, "both daemons answer", 90)

    def wait_status(self, condition, what, seconds=60):
        """Wait until the agent's status fulfils a condition."""
        end = time.monotonic() + seconds
        while True:
            _, text = self.run("holdfast status --json 2>/dev/null", check=False)
            known = json.loads(text) if text.lstrip().startswith("{") else {}
            # Without holdfast-volumed there are only "state" and "problem", without holdfastd no "network".
            if "network" in known and "policy" in known and condition(known):
                return known
            if time.monotonic() > end:
                raise AssertionError(f"the agent did not report: {what}; it says:\n{text}")
            time.sleep(0.2)
