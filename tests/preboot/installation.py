"""A laptop with Holdfast on it, for the tests of pre-boot: stores made with preboot_tool, boot targets, and what a
person does at the prompt."""
import pathlib
import shutil
import time

import rig

USER, PASSWORD = "anna", "correct horse"
# Letters and digits only, for tests that look for what they leave behind.
INITIAL, NEW = "q7kz4vxm2wpt9bd3h", "j5ftn8c0rgyl6sak1e"
COPIES = ("store.0", "store.1")
BEGIN = time.monotonic()


def show(text):
    print(f"{time.monotonic() - BEGIN:6.1f} s  {text}", flush=True)


class Installation:
    """Two boot targets, "current" and "previous", of the distribution's kernel with an initramfs that prints the
    hand-off; with the previous one the machine stays on. Stores have a name; the one that is installed is on the ESP."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.laptop = rig.Laptop(self.folder)
        self.targets = {name: self.make_target(name) for name in ("current", "previous")}

    def make_target(self, name):
        target = self.folder / name
        target.mkdir()
        shutil.copy(rig.kernel(), target / "vmlinuz")
        (target / "initrd.img").write_bytes(rig.initramfs())
        # A kernel that has found no panel leaves on it what was there.
        linger = " linger initcall_blacklist=sysfb_init" if name == "previous" else ""
        # no_timer_check: an emulated timer on a starved machine is late, which is no reason to panic.
        (target / "cmdline").write_text(f"console=ttyS0 quiet panic=-1 no_timer_check target={name}{linger}\n")
        rig.run("mmd", "-i", self.laptop.esp, f"::/EFI/holdfast/boot/{name}")
        return target

    def make_store(self, name, *options, targets=("current", "previous")):
        """With the options of preboot_tool; returns its codes: {"code 1": "...", "recovery": "..."}."""
        where = self.folder / f"stores/{name}"
        where.mkdir(parents=True)
        printed = rig.tool("make", where, *options, *[f"target={t}={self.targets[t]}" for t in targets])
        return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in printed.splitlines()}

    def install_targets(self):
        for name, path in self.targets.items():
            for file in ("vmlinuz", "initrd.img", "cmdline"):
                self.laptop.put(path / file, f"/EFI/holdfast/boot/{name}/{file}")

    def install_store(self, name, copies=COPIES):
        for copy in copies:
            self.laptop.put(self.folder / f"stores/{name}/{copy}", f"/EFI/holdfast/{copy}")

    def put_both(self, command, name):
        """The named store, changed by a command of preboot_tool, in both copies."""
        made = self.folder / command
        rig.tool(command, self.folder / f"stores/{name}/store.0", made)
        for copy in COPIES:
            self.laptop.put(made, f"/EFI/holdfast/{copy}")

    def copies(self):
        """Both copies that are on the ESP now, as files."""
        found = []
        for copy in COPIES:
            found.append(self.folder / f"now-{copy}")
            found[-1].write_bytes(self.laptop.get(f"/EFI/holdfast/{copy}"))
        return found

    def stores(self):
        """What preboot_tool shows of both copies."""
        return [rig.tool("show", copy) for copy in self.copies()]

    def opens(self, user, password):
        """What each copy, in the hands of any program, says to a password: "opens", or why not."""
        return [rig.tool("open", copy, user, password).strip() for copy in self.copies()]

    def nothing_left(self, handoff, secrets):
        """The kernel has started and lingers: nothing of the typed secrets ({name: letters and digits}) and of the keys is
        in memory. The power is cut."""
        memory = self.laptop.memory()
        self.laptop.cut()
        assert len(memory) == rig.MEMORY_MIB << 20 and b"LINGERING" in memory
        for name in ("unlock_key", "user_seed"):
            key = getattr(handoff, name)
            assert any(key) and key not in memory, f"{name} is left in memory"
        traces = memory.traces(secrets)
        assert not traces, f"left in memory: {traces}"

    # ---- a person at the serial terminal ----

    def log_in(self, password=PASSWORD, user=USER):
        self.laptop.see("User name: ")
        self.laptop.type(user + "\r")
        self.laptop.see("Password: ")
        self.laptop.type(password + "\r")

    def type_code(self, code):
        self.laptop.see("Code: ")
        self.laptop.type(code.replace("-", "") + "\r")
