"""Faults of laptops as they really are, several at once, drawn by a seed; and an owner who does what the screen says.

A round puts the laptop back to what it was, applies the faults, switches on, and the owner tries in this order: the
PIN, which is bound to the TPM, a one-time code, the recovery key. He goes on to the next only when a message says
that the one before does not work now. Then the hand-off must tell of each fault (docs/testing.md has the table)."""
import base64
import datetime
import json
import pathlib
import random
import shutil
import struct
import sys
import uuid

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "secureboot")]
import rig  # noqa: E402
from installation import COPIES, PASSWORD, USER, Installation, show  # noqa: E402
from test_tpm import PARENT, SECRET, UNLOCK, Sealer, swtpm  # noqa: E402
from vars import BOOT, GLOBAL, NV, RUNTIME, Variables  # noqa: E402

COPY_DAMAGED, GENERATION_MISSING, REFUSED, LOCKED, DOUBTED, OVERDUE = 5, 6, 8, 9, 12, 13
TPM_GONE, MEMORY_SHORT, FALLBACK = 17, 20, 21
MISSING, EXCHANGED = 1, 2  # values of TPM_GONE
CURRENT, NEXT, PREVIOUS, REMOVABLE = 1, 2, 3, 4  # enum handoff_loader
CODE_KIND, RECOVERY_KIND, PIN_KIND = 2, 3, 4
PIN = "7g3kq9z2xw"
ENTRY = NV | BOOT | RUNTIME
NOW = datetime.datetime(2026, 11, 22, 10)
LONG_KDF_MIB, LITTLE_MIB = 224, 256
HOLDFAST = "/EFI/holdfast"
LOADERS = {"current": f"{HOLDFAST}/holdfast.efi", "previous": f"{HOLDFAST}/previous.efi",
           "removable": "/EFI/BOOT/BOOTX64.EFI"}
FRAGMENT = rig.OUT / "efi/tests/fragment.efi"
NUMBERS = {"current": 0x10, "previous": 0x11, "next": 0x12}


def load_option(text, disk, path):
    """EFI_LOAD_OPTION of a file on the disk's first partition."""
    table = json.loads(rig.run("sfdisk", "--json", disk))["partitiontable"]["partitions"][0]
    drive = struct.pack("<BBHIQQ16sBB", 4, 1, 42, 1, table["start"], table["size"],
                        uuid.UUID(table["uuid"]).bytes_le, 2, 2)
    name = (path.replace("/", "\\") + "\0").encode("utf-16-le")
    nodes = drive + struct.pack("<BBH", 4, 4, 4 + len(name)) + name + b"\x7f\xff\4\0"
    return struct.pack("<IH", 1, len(nodes)) + (text + "\0").encode("utf-16-le") + nodes


class Owner:
    """At the serial terminal, with a PIN, a helpdesk on the phone, and a recovery key in an envelope."""

    # What says that the PIN does not work now, and what else does.
    NOT_NOW = ["MESSAGE_NO_MEMORY", "MESSAGE_TPM_LOCKED_OUT", "MESSAGE_TPM_CHANGED", "MESSAGE_TPM_USED",
               "MESSAGE_TPM_EXCHANGED", "MESSAGE_TPM_MISSING", "MESSAGE_TPM_FAILED"]
    LOCKED = ["MESSAGE_LOCKED", "MESSAGE_LOCKED_CONTACT", "MESSAGE_LOCKED_FAILURES"]

    def __init__(self, laptop, codes):
        self.laptop, self.codes, self.number = laptop, codes, 1
        self.told = []
        self.patterns = {f"\\[HF-{rig.message(name)[0]}\\]": name for name in self.NOT_NOW + self.LOCKED}

    def opens(self):
        """Get in. Returns the hand-off, and names of the messages that were followed."""
        patterns = [r"HANDOFF [A-Za-z0-9+/=]+ END", "User name: ", "PIN: ", "Code: ", "Recovery key: ",
                    "R: Restart", *self.patterns]
        tried = []
        for _ in range(40):
            match = self.laptop.see("|".join(f"({p})" for p in patterns), timeout=120)
            which = patterns[next(i for i, g in enumerate(match.groups()) if g)]
            if which == patterns[0]:
                return rig.Handoff(base64.b64decode(match.group(0).split()[1])), self.told, tried
            assert which != "R: Restart", f"nothing starts; followed: {self.told}"
            if which in self.patterns:
                self.told.append(self.patterns[which])
            elif which == "User name: ":
                self.name(tried)
            elif which == "PIN: ":
                tried.append("PIN")
                self.laptop.type(PIN + "\r")
            elif which == "Code: ":
                tried.append("code")
                self.laptop.type(self.codes[f"code {self.number}"].replace("-", "") + "\r")
                self.number += 1
            else:
                tried.append("recovery")
                self.laptop.type(self.codes["recovery"].replace("-", "") + "\r")
        raise AssertionError(f"goes round in circles; followed: {self.told}")

    def name(self, tried):
        if not tried:
            self.laptop.type(USER + "\r")
        elif "code" not in tried and any(t in self.told for t in self.NOT_NOW):
            self.laptop.type("\x12")
        elif "code" in tried:
            self.laptop.type("\x0b")
        else:
            raise AssertionError("the PIN was not taken, and nothing says what else there is")


class Broken:
    """What is wrong this time, as far as it matters to what must come of it."""

    def __init__(self):
        self.wiped = self.unordered = self.short = self.fragmented = False
        self.lost = set()     # boot entries
        self.unusable = set() # loaders
        self.damaged_copy = None
        self.kernel = None    # of the current target
        self.clock = None
        self.cut = False
        self.update = False
        self.tpm = None       # value of TPM_GONE

    def loader(self):
        """Which copy of holdfast.efi the firmware gets to."""
        if not self.wiped and not self.unordered:
            for name, kind in (("current", CURRENT), ("previous", PREVIOUS)):
                if name not in self.lost and name not in self.unusable:
                    return kind
        return REMOVABLE


class World(Installation):
    def __init__(self, folder):
        super().__init__(folder)
        self.tpm = self.folder / "tpm"
        self.tpm.mkdir()
        self.make_store("plain", "generation=4", f"user={USER}:{PASSWORD}")
        self.install_targets()
        self.install_store("plain")
        for path in LOADERS.values():
            self.laptop.put(rig.EFI, path)
        self.make_entries()
        self.start(Broken())
        self.log_in()
        self.codes = self.make_owner(self.laptop.handoff().pcr7)
        self.install_store("owner")
        # One ordinary start, so that generation, clock and the firmware's own entries are there.
        self.start(Broken())
        h, _, _ = Owner(self.laptop, self.codes).opens()
        self.laptop.cut()
        assert h.kind == PIN_KIND and h.loader == CURRENT, (h.kind, h.loader)
        self.good = [self.folder / "good.img", self.folder / "good.fd"]
        self.copy((self.laptop.disk, self.laptop.vars), self.good)
        shutil.copytree(self.tpm, self.folder / "good-tpm")

    def on_tpm(self, work):
        tpm = swtpm.Tpm(str(self.tpm)).on()
        try:
            return work(tpm)
        finally:
            tpm.off()

    def make_owner(self, pcr7):
        """A store whose user has a PIN, sealed to this TPM and PCR 7; its codes."""
        last = int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp())
        codes = self.make_store("owner", "generation=5", f"unlock={UNLOCK}", f"memory={LONG_KDF_MIB << 10}", "passes=1",
                                f"bound={USER}:pin:{PIN}:{SECRET}", "codes=9", f"contact=21:30:{last}")
        sealer, auth = Sealer(self.folder), codes[f"auth {USER}"]

        def bind(tpm):
            point = ":".join(sealer.make_parent(tpm))
            files = sealer.seal(tpm, "login", pcr7, SECRET, auth)
            rig.tool("bind", self.folder / "stores/owner", f"unlock={UNLOCK}", f"parent={PARENT}:{point}",
                     f"pcr7={pcr7.hex()}", f"binding={USER}:login:{files}:{SECRET}:{auth}")
        self.on_tpm(bind)
        return codes

    @staticmethod
    def copy(sources, targets):
        for source, target in zip(sources, targets):
            rig.run("cp", "--sparse=always", source, target)

    def variables(self):
        return Variables(self.laptop.vars)

    def make_entries(self):
        v = self.variables()
        for name, text in (("current", "Holdfast"), ("previous", "Holdfast (previous)")):
            v.put(GLOBAL, f"Boot{NUMBERS[name]:04X}", ENTRY, load_option(text, self.laptop.disk, LOADERS[name]))
        v.put(GLOBAL, "BootOrder", ENTRY, struct.pack("<2H", NUMBERS["current"], NUMBERS["previous"]))
        v.save(self.laptop.vars)

    def start(self, broken):
        clock = NOW if broken.clock is None else broken.clock
        self.laptop.start(panel=None, order=False, clock=clock.isoformat(),
                          memory=LITTLE_MIB if broken.short else 768, tpm=None if broken.tpm == MISSING else self.tpm)

    # ---- the faults ----

    def variable_store_wiped(self, broken, _):
        self.laptop.new_firmware()
        broken.wiped = True

    def boot_order_emptied(self, broken, _):
        v = self.variables()
        v.all.pop((GLOBAL, "BootOrder"), None)
        for key in [k for k in v.all if k[1].startswith("Boot0")]:
            v.all.pop(key)
        v.save(self.laptop.vars)
        broken.unordered = True

    def boot_entry_lost(self, broken, _):
        v = self.variables()
        v.all.pop((GLOBAL, f"Boot{NUMBERS['current']:04X}"), None)
        v.save(self.laptop.vars)
        broken.lost.add("current")

    def put_bytes(self, path, content):
        file = self.folder / "bytes"
        file.write_bytes(content)
        self.laptop.put(file, path)

    def new_loader_corrupt(self, broken, rng):
        """The update that the agent has staged was not written well; BootNext leads to it."""
        whole = rig.EFI.read_bytes()
        self.put_bytes(f"{HOLDFAST}/next.efi", rng.choice([b"", whole[:rng.randrange(4096)], rng.randbytes(100_000)]))
        v = self.variables()
        option = load_option("Holdfast (update)", self.laptop.disk, f"{HOLDFAST}/next.efi")
        v.put(GLOBAL, f"Boot{NUMBERS['next']:04X}", ENTRY, option)
        v.put(GLOBAL, "BootNext", ENTRY, struct.pack("<H", NUMBERS["next"]))
        v.save(self.laptop.vars)
        broken.update = True

    def current_loader_corrupt(self, broken, rng):
        self.put_bytes(LOADERS["current"], rng.randbytes(rng.randrange(1, 100_000)))
        broken.unusable.add("current")

    def current_loader_missing(self, broken, _):
        self.laptop.delete(LOADERS["current"])
        broken.unusable.add("current")

    def previous_kernel_missing(self, broken, rng):
        self.laptop.delete(f"{HOLDFAST}/boot/previous/{rng.choice(['vmlinuz', 'initrd.img', 'cmdline'])}")

    def current_kernel_damaged(self, broken, rng):
        name = rng.choice(["vmlinuz", "initrd.img", "cmdline"])
        path = f"{HOLDFAST}/boot/current/{name}"
        if rng.randrange(2):
            self.laptop.delete(path)
        else:
            self.laptop.flip(path, rng.randrange((self.targets["current"] / name).stat().st_size))
        broken.kernel = name

    def store_copy_damaged(self, broken, rng):
        broken.damaged_copy = rng.randrange(2)
        path = f"{HOLDFAST}/{COPIES[broken.damaged_copy]}"
        self.laptop.flip(path, rng.randrange(600))

    def memory_short(self, broken, _):
        broken.short = True

    def memory_fragmented(self, broken, _):
        """What is free lies in ranges none of which is large enough for the PIN's KDF: a program that the firmware runs
        before its boot entries makes it so."""
        self.laptop.put(FRAGMENT, "/fragment.efi")
        v = self.variables()
        v.put(GLOBAL, "SysPrep0000", ENTRY, load_option("Fragment", self.laptop.disk, "/fragment.efi"))
        v.put(GLOBAL, "SysPrepOrder", ENTRY, struct.pack("<H", 0))
        v.save(self.laptop.vars)
        broken.fragmented = True

    def sees_fragments(self):
        """The fault is there, or nothing is shown by it."""
        number = r"(\d+)"
        match = self.laptop.see(f"FRAGMENTED {number} ranges, largest {number} KiB, together {number} KiB", timeout=120)
        count, largest, together = map(int, match.groups())
        assert largest < LONG_KDF_MIB << 10 < together, f"{count} ranges, the largest of {largest} of {together} KiB"

    def clock_wrong(self, broken, rng):
        broken.clock = NOW + datetime.timedelta(days=rng.choice([-3650, -400, -2, 3650, 1500]))

    def tpm_cleared(self, broken, _):
        self.on_tpm(lambda tpm: tpm.tool("clear", "-c", "p"))
        broken.tpm = EXCHANGED

    def tpm_exchanged(self, broken, _):
        self.new_folder(self.tpm)
        broken.tpm = EXCHANGED

    def tpm_missing(self, broken, _):
        broken.tpm = MISSING

    @staticmethod
    def new_folder(path):
        shutil.rmtree(path)
        path.mkdir()

    def power_cut(self, broken, rng):
        broken.cut = True

    ALONE = [{"previous_kernel_missing", "current_kernel_damaged"}, {"variable_store_wiped", "new_loader_corrupt"},
             {"variable_store_wiped", "boot_entry_lost"}, {"variable_store_wiped", "boot_order_emptied"},
             {"boot_order_emptied", "boot_entry_lost"}, {"current_loader_corrupt", "current_loader_missing"},
             {"boot_order_emptied", "new_loader_corrupt"}, {"tpm_cleared", "tpm_exchanged"},
             {"tpm_cleared", "tpm_missing"}, {"tpm_exchanged", "tpm_missing"}, {"memory_short", "memory_fragmented"}]
    FAULTS = ["variable_store_wiped", "boot_order_emptied", "boot_entry_lost", "new_loader_corrupt",
              "current_loader_corrupt", "current_loader_missing", "previous_kernel_missing", "current_kernel_damaged",
              "store_copy_damaged", "memory_short", "memory_fragmented", "clock_wrong", "tpm_cleared", "tpm_exchanged",
              "tpm_missing", "power_cut"]

    def draw(self, rng):
        """One to three that are not each other's remedy: two faults that take both copies of a thing leave the
        recovery key on another machine, which is not played here."""
        while True:
            names = rng.sample(self.FAULTS, rng.choice([1, 1, 2, 2, 3]))
            if not any(pair <= set(names) for pair in self.ALONE):
                return sorted(names, key=self.FAULTS.index)

    # ---- a round ----

    def play(self, seed, names=None):
        rng = random.Random(seed)
        names = names or self.draw(rng)
        self.copy(self.good, (self.laptop.disk, self.laptop.vars))
        shutil.rmtree(self.tpm)
        shutil.copytree(self.folder / "good-tpm", self.tpm)
        broken = Broken()
        for name in names:
            getattr(self, name)(broken, rng)
        try:
            if broken.cut:
                self.cut_at_prompt(broken, rng)
            self.start(broken)
            if broken.fragmented:
                self.sees_fragments()
            h, told, tried = Owner(self.laptop, self.codes).opens()
            self.laptop.cut()
            self.check(broken, h, told, tried)
        except Exception as e:
            if self.laptop.child and self.laptop.child.isalive():
                self.laptop.cut()
            raise AssertionError(f"seed {seed}, faults {names}: {e}") from e
        return f"{' + '.join(names)}: in by {tried[-1]}" + (f" after {', '.join(told)}" if told else "")

    def cut_at_prompt(self, broken, rng):
        self.start(broken)
        self.laptop.see("(?:User name|Code): ", timeout=120)
        if rng.randrange(2):
            self.laptop.type(USER + "\r")
        self.laptop.cut()

    def check(self, broken, h, told, tried):
        """Everything that is wrong is told, and nothing else."""
        loader = broken.loader()
        assert h.loader == loader, f"started by loader {h.loader}, not {loader}"
        assert (h.event(FALLBACK) is not None) == (loader in (PREVIOUS, REMOVABLE)), ("fallback", h.events)
        assert (h.event(GENERATION_MISSING) is not None) == broken.wiped, ("generation", h.events)
        assert h.target == (1 if broken.kernel else 0), f"target {h.target}"
        assert (h.event(REFUSED) is not None) == bool(broken.kernel), ("target", h.events)
        assert (h.event(COPY_DAMAGED) is not None) == (broken.damaged_copy is not None), ("copy", h.events)
        assert (h.event(MEMORY_SHORT) is not None) == (broken.short and "PIN" in tried), ("memory", h.events)
        if broken.fragmented and "PIN" in tried:
            assert h.memory_mib >= LONG_KDF_MIB, f"{h.memory_mib} MiB for the KDF, which wants {LONG_KDF_MIB}"
        asked = "PIN" in tried and not broken.short  # was the TPM?
        assert h.event(TPM_GONE) == (broken.tpm if asked else None), ("TPM", h.events)
        clock = [e for e in (LOCKED, DOUBTED, OVERDUE) if h.event(e) is not None]
        assert bool(clock) == (broken.clock is not None and self.notices(broken)), ("clock", h.events)
        assert h.kind == {"PIN": PIN_KIND, "code": CODE_KIND, "recovery": RECOVERY_KIND}[tried[-1]]
        if broken.update:
            assert not self.variables().get(GLOBAL, "BootNext"), "the update would be tried again"
            assert self.laptop.has(f"{HOLDFAST}/next.efi"), "what the agent reports it by"

    def notices(self, broken):
        """A clock behind by more than a day is doubted as long as the firmware remembers a later time; the store's own
        last contact is as good."""
        return abs((broken.clock - NOW).days) > 1


def rounds(world, seeds):
    """Play them; the number that failed."""
    failed = 0
    for seed in seeds:
        try:
            show(f"seed {seed}: {world.play(seed)}")
        except AssertionError as e:
            failed += 1
            show(f"FAILED {e}")
    return failed
