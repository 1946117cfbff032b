"""A laptop for the tests: an image file, an ESP folder, firmware variables, and the real holdfast-volumed."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from organisation import Organisation, payload_of, verify
from sockets import ROOT, Client

HOST = os.path.join(ROOT, "build", "out", "host")
ACTIVATE = os.path.join(HOST, "bin", "holdfast-activate")
VOLUMED = os.path.join(HOST, "bin", "holdfast-volumed")
TOOL = os.environ.get("VOLUMED_TOOL", os.path.join(HOST, "tests", "volumed_tool"))
STORE = os.path.join("EFI", "holdfast")


def run(*args, text=None):
    done = subprocess.run(args, input=text, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def uuid_of(image):
    with open(image, "rb") as f:
        return f.read(4096)[168:208].split(b"\0")[0].decode(errors="replace")


class Laptop:
    def __init__(self, folder=None, volumes=1):
        self.at = folder or tempfile.mkdtemp(prefix="holdfast-")
        self.images = [os.path.join(self.at, f"disk{i}.img") for i in range(volumes)]
        self.image, self.esp = self.images[0], os.path.join(self.at, "esp")
        self.process, self.client = None, None
        self.events, self.escrow, self.uuids = [], [], {}
        self.tpm = "none"  # never this machine's own

    def path(self, *names):
        return os.path.join(self.at, *names)

    def keyboard(self, layout, variant=""):
        """As Debian's keyboard-configuration leaves it."""
        os.makedirs(self.path("etc", "default"), exist_ok=True)
        with open(self.path("etc", "default", "keyboard"), "w") as f:
            f.write(f'XKBMODEL="pc105"\nXKBLAYOUT="{layout}"\nXKBVARIANT="{variant}"\n')

    def activate(self, user="alice", password="alice's password", options=()):
        """Gives what was said on standard error."""
        for name in ("esp", "efivars"):
            os.makedirs(self.path(name), exist_ok=True)
        for name in ("vmlinuz", "initrd"):
            with open(self.path(name), "w") as f:
                f.write(name)
        args = []
        for i, image in enumerate(self.images):
            with open(image, "wb") as f:
                f.truncate(32 << 20)
            args += ["--volume", f"disk{i}={image}"]
        code, out, err = run(ACTIVATE, "--format", *args, "--esp", self.esp, "--efivars",
                             self.path("efivars"), "--kernel", self.path("vmlinuz"), "--initrd",
                             self.path("initrd"), "--cmdline", "root=/dev/mapper/disk0", "--name",
                             "Test laptop", "--user", user, "--kdf-memory-kib", "32768",
                             "--kdf-passes", "1", *options, text=password + "\n")
        assert code == 0, err
        self.first_recovery = out.split("recovery key: ")[1].strip()
        return err

    def copy(self):
        """The same laptop as it is on the disk now, elsewhere."""
        other = Laptop(tempfile.mkdtemp(prefix="holdfast-"), len(self.images))
        shutil.rmtree(other.at)
        subprocess.run(["cp", "-a", "--sparse=always", self.at, other.at], check=True)
        other.uuids = {new: self.uuids[old] for old, new in zip(self.images, other.images)}
        for name in ("org", "secrets", "first_recovery"):
            setattr(other, name, getattr(self, name))
        return other

    def boot(self, user="alice", password="alice's password", code=None, number=0, events=()):
        """Pre-boot: the hand-off for the next start, or what it said. events: (kind, value) of pre-boot."""
        events = [f"{kind}={value}" for kind, value in events]
        out = self.path("handoff")
        if os.path.exists(out):
            os.unlink(out)
        if code is not None and number:
            return run(TOOL, "code", self.esp, str(number), out, *events, text=code + "\n")
        if code is not None:
            return run(TOOL, "recovery", self.esp, out, *events, text=code + "\n")
        return run(TOOL, "handoff", self.esp, user, out, *events, text=password + "\n")

    def boot_changing(self, password, fresh, user="alice", day=0):
        """Pre-boot, where the user chooses another password."""
        out = self.path("handoff")
        if os.path.exists(out):
            os.unlink(out)
        return run(TOOL, "change", self.esp, user, out, str(day), text=f"{password}\n{fresh}\n")

    def fill(self, count, user="alice", password="alice's password"):
        """So many users more, whom no password opens."""
        code, out, err = run(TOOL, "fill", self.esp, user, str(count), text=password + "\n")
        assert code == 0, out + err

    def lock_at_preboot(self):
        """What pre-boot can do without any key."""
        code, out, err = run(TOOL, "lock", self.esp)
        assert code == 0, out + err

    def start(self, wrap=(), wait=True, options=()):
        devices = []
        for image in self.images:
            if image not in self.uuids:
                self.uuids[image] = uuid_of(image)
            devices += ["--device", f"{self.uuids[image]}={image}"]
        self.log = open(self.path("log"), "a")
        self.process = subprocess.Popen(
            [*wrap, VOLUMED, "--state", self.path("state"), "--run", self.path("run"), "--esp", self.esp,
             "--efivars", self.path("efivars"), "--etc", self.path("etc"), "--handoff", self.path("handoff"), "--no-power",
             "--tpm", self.tpm, *devices, *options], stdout=open(self.path("stdout"), "a"), stderr=self.log)
        if wait:
            assert self.connect(), open(self.path("log")).read()
            self.status()  # it listens first, and settles then
        return self

    def connect(self):
        """Until volumed listens; None when it ended."""
        for _ in range(3000):
            if self.process.poll() is not None:
                return None
            try:
                self.client = Client(self.path("run", "volumed.sock"))
                return self.client
            except OSError:
                time.sleep(0.01)
        raise TimeoutError("volumed does not listen")

    def ask(self, *args):
        return self.client.ask(*args)

    def status(self):
        return json.loads(self.ask("STATUS"))

    def stop(self, hard=False):
        if not self.process:
            return
        if self.client:
            self.client.close()
        (self.process.kill if hard else self.process.terminate)()
        self.process.wait(20)
        self.process, self.client = None, None

    def restart(self, **how):
        """As after a power cut: volumed dies at once, pre-boot runs again."""
        self.stop(hard=True)
        code, out, err = self.boot(**how)
        assert code == 0, out + err
        return self.start()

    def drain(self):
        """holdfastd's part: take everything out of the outbox. Gives the new messages."""
        new_events, new_escrow = [], []
        while True:
            number, kind, _, text = self.ask("OUTBOX_NEXT")
            if not number:
                break
            if kind:
                new_events.append(payload_of(text) if not hasattr(self, "org") else
                                  verify("holdfast-event", text, self.org.attestation))
            else:
                new_escrow.append(text)
            self.ask("OUTBOX_DONE", number)
        self.events += new_events
        self.escrow += new_escrow
        return new_events, new_escrow

    def enrol(self, org, settings=None):
        self.org = org
        request = self.ask("ENROL_BEGIN", org.token(), os.urandom(32))
        org.take_enrol(request)
        self.ask("ENROL_FINISH", org.enrolled(request, settings))
        return self.prove()

    def prove(self):
        """Deliver all escrow messages and hand in the receipt. Gives {kind/number: secret}."""
        secrets = {}
        while True:
            _, escrow = self.drain()
            if not escrow:
                return secrets
            for text in escrow:
                body, secret = self.org.open_escrow(text)
                secrets[body["number"] if body["purpose"] == "help" else "recovery"] = secret
            self.ask("RECEIPT", self.org.receipt(escrow))

    def command(self, name, **more):
        self.ask("COMMAND", self.org.command(name, **more), self.org.certs())
        return self.drain()[0]

    def opens(self, image=None, esp=None, user="alice", password="alice's password"):
        return run(TOOL, "opens", esp or self.esp, user, image or self.image,
                   text=password + "\n")[0] == 0

    def opens_code(self, number, code, image=None, esp=None):
        return run(TOOL, "opens-code", esp or self.esp, str(number), image or self.image,
                   text=code + "\n")[0] == 0

    def opens_recovery(self, key, image=None):
        return run(TOOL, "opens-recovery", image or self.image, text=key + "\n")[0] == 0

    def show(self):
        return run(TOOL, "show", self.esp)[1]

    def rules(self):
        """What the store's rules say, as {name: value}."""
        line = [r for r in self.show().splitlines() if r.startswith("rules ")][0]
        words = re.findall(r"(\w+) ('[^']*'|\d+)", line[6:])
        return {name: value[1:-1] if value[0] == "'" else int(value) for name, value in words}

    def generation(self):
        return int(re.search(r"generation (\d+)", self.show())[1])

    def save_esp(self, name="esp-copy"):
        shutil.copytree(self.esp, self.path(name), dirs_exist_ok=True)
        return self.path(name)

    def remove(self):
        self.stop(hard=True)
        shutil.rmtree(self.at, ignore_errors=True)


def enrolled_laptop(**settings):
    laptop = Laptop()
    laptop.activate()
    assert laptop.boot()[0] == 0
    laptop.start()
    laptop.secrets = laptop.enrol(Organisation(), {"one_time_codes": 2, "kdf_memory_kib": 32768,
                                                   "kdf_passes": 1, **settings})
    return laptop


def main(tests):
    """Run test functions; print what each shows."""
    failed = 0
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.time()
        try:
            test()
            print(f"ok      {test.__doc__.strip()} ({time.time() - begun:.1f} s)", flush=True)
        except Exception as problem:  # report the others as well
            import traceback
            traceback.print_exc()
            print(f"FAILED  {test.__doc__.strip()}: {problem}", flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
