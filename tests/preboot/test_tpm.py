#!/usr/bin/python3
"""holdfast.efi with a TPM (swtpm) on OVMF: a PIN, its change and self-help open and leave nothing in memory; every refusal
of the TPM's is told, and a one-time code opens all the same; PCRs and event log are what independent tools make of them.
What the TPM holds is sealed with tpm2-tools."""
import base64
import pathlib
import re
import shutil
import struct
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "secureboot")]

import rig  # noqa: E402
import swtpm  # noqa: E402
import vars as firmware  # noqa: E402
from installation import PASSWORD, USER, Installation, show  # noqa: E402

PIN, NEW_PIN = "7g3kq9z2xw", "4n8vtr1c0mbs"  # letters and digits, long enough to be looked for in memory
QUESTIONS = (("First pet", "qzrexthethird"), ("Childhood street", "lindenalleezv"), ("Best teacher", "missrobinsonxk"),
             ("First concert", "thekinksinulm"), ("Favourite dish", "plumdumplingsj"))
SECRET, HELP_SECRET, HELP_KEY, UNLOCK = ("5a17" * 16, "c3e9" * 16, "917b" * 16, "e42d" * 16)
PARENT = "81000001"
ECC_BYTES_MAX = 128  # of tpm2-tss: "-u" takes its structure as it is in memory
TRIES, RECOVERY_S = 4, 1000
TPM, CAPPED = 2, 4
CHANGED, LOCKED_OUT, GONE, WRONG_SELF_HELP, CODE_USED, WRONG_PASSWORD = 15, 16, 17, 22, 4, 2
PIN_KIND, SELF_HELP_KIND = 4, 6


class Sealer:
    """The agent's part, played with tpm2-tools."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def path(self, name):
        return self.folder / name

    def make_parent(self, tpm):
        """The storage root key; its point."""
        tpm.tool("dictionarylockout", "-s", "-n", TRIES, "-t", RECOVERY_S, "-l", RECOVERY_S)
        self.path("unique").write_bytes(2 * (struct.pack("=H", 32) + bytes(ECC_BYTES_MAX)))
        tpm.tool("createprimary", "-C", "o", "-g", "sha256", "-G", "ecc256:aes128cfb", "-u", self.path("unique"), "-a",
                 "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt",
                 "-c", self.path("parent"))
        tpm.tool("evictcontrol", "-C", "o", "-c", self.path("parent"), f"0x{PARENT}")
        tpm.tool("flushcontext", "-t")
        text = tpm.tool("readpublic", "-c", f"0x{PARENT}")
        return [re.search(rf"^{c}: (\w+)", text, re.M).group(1) for c in "xy"]

    def seal(self, tpm, name, pcr7, secret, auth=None):
        """For PCR 7 as given and PCR 11 as it is before pre-boot; two files, as preboot_tool takes them."""
        session, policy = self.path("session"), self.path("policy")
        self.path("pcrs").write_bytes(pcr7 + bytes(32))
        self.path("secret").write_bytes(bytes.fromhex(secret))
        tpm.tool("startauthsession", "-S", session, "-g", "sha256")
        tpm.tool("policypcr", "-S", session, "-l", "sha256:7,11", "-f", self.path("pcrs"), "-L", policy)
        if auth:
            tpm.tool("policyauthvalue", "-S", session, "-L", policy)
        tpm.tool("flushcontext", session)
        files = [self.path(f"{name}.{part}") for part in ("public", "private")]
        tpm.tool("create", "-C", f"0x{PARENT}", "-g", "sha256", "-i", self.path("secret"), "-L", policy,
                 *(("-p", f"hex:{auth}") if auth else ()), "-a", "fixedtpm|fixedparent", "-u", files[0], "-r", files[1])
        tpm.tool("flushcontext", "-t")
        return ":".join(map(str, files))


class Story:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.installation = Installation(folder)
        self.laptop = self.installation.laptop
        self.sealer = Sealer(folder)
        self.states = {}
        self.codes = {}
        self.next_code = 1

    def tpm(self, name="its own"):
        """The TPM of that name, on the host."""
        state = self.states.setdefault(name, pathlib.Path(tempfile.mkdtemp(prefix="tpm-", dir=self.folder)))
        tpm = swtpm.Tpm(str(state))
        return tpm

    def on_host(self, work, name="its own"):
        tpm = self.tpm(name).on()
        try:
            return work(tpm)
        finally:
            tpm.off()

    def start(self, name="its own"):
        self.tpm(name)
        self.laptop.start(tpm=self.states[name])

    def log_in(self, pin):
        self.laptop.see("User name: ")
        self.laptop.type(USER + "\r")
        self.laptop.see("PIN: ")
        self.laptop.type(pin + "\r")

    def open_with_code(self):
        """The kernel has started with the next code; its hand-off."""
        self.laptop.see("User name: ")
        self.laptop.type("\x12")
        self.installation.type_code(self.codes[f"code {self.next_code}"])
        self.next_code += 1
        handoff = self.laptop.handoff(linger=True)
        self.laptop.cut()
        assert handoff.event(CODE_USED) is not None
        return handoff

    def answer(self, *answers):
        self.laptop.see("User name: ")
        self.laptop.type("\x06")
        self.laptop.see("Whose are they")
        self.laptop.see("User name: ")
        self.laptop.type(USER + "\r")
        for text in answers:
            self.laptop.see("Answer: ")
            self.laptop.type(text + "\r")

    # ---- the starts ----

    def first_start(self):
        """Without anything bound: what the firmware measures, and what pre-boot adds."""
        self.installation.make_store("plain", "generation=5", f"user={USER}:{PASSWORD}", "codes=1")
        self.installation.install_targets()
        self.installation.install_store("plain")
        self.start()
        self.installation.log_in()
        pcrs = {n: self.laptop.see(rf"PCR{n} ([0-9A-F]+) END", timeout=120).group(1).decode().lower() for n in (7, 11)}
        log = base64.b64decode(self.laptop.see(r"EVENTLOG ([A-Za-z0-9+/=]+) END").group(1))
        handoff = self.laptop.handoff()
        assert handoff.trust == TPM | CAPPED, handoff.trust
        assert handoff.pcr7.hex() == pcrs[7], "the hand-off's PCR 7 is another one than Linux reads"
        assert pcrs[11] != "0" * 64, "PCR 11 is not capped"
        self.check_log(log, pcrs)
        show("first start: PCR 7 handed off, PCR 11 capped, tpm2_eventlog agrees")
        return handoff.pcr7

    def check_log(self, log, pcrs):
        (self.folder / "log").write_bytes(log)
        text = rig.run("/usr/bin/tpm2_eventlog", self.folder / "log").decode()
        replayed = dict(re.findall(r"^\s+(\d+)\s*: 0x([0-9a-f]{64})$", text, re.M))
        for n, value in pcrs.items():
            assert replayed[str(n)] == value, f"PCR {n}: the log gives {replayed[str(n)]}, the TPM has {value}"
        for event in ("version", "unlocked by password", "target current kernel", "cap"):
            assert f"holdfast: {event}".encode() in log, f"the event log does not say {event!r}"

    def bind(self, pcr7):
        questions = ":".join("=".join(pair) for pair in QUESTIONS)
        self.codes = self.installation.make_store(
            "bound", "generation=7", f"unlock={UNLOCK}", f"bound={USER}:pin:{PIN}:{SECRET}",
            f"questions={USER}:{HELP_KEY}:{HELP_SECRET}:3:{questions}", "codes=8", targets=("previous",))
        auth, help_auth = (self.codes[f"{what} {USER}"] for what in ("auth", "self-help"))

        def work(tpm):
            point = self.sealer.make_parent(tpm)
            seal = self.sealer.seal
            rig.tool("bind", self.folder / "stores/bound", f"unlock={UNLOCK}", f"parent={PARENT}:{':'.join(point)}",
                     f"pcr7={pcr7.hex()}",
                     f"binding={USER}:login:{seal(tpm, 'login', pcr7, SECRET, auth)}:{SECRET}:{auth}",
                     f"binding={USER}:self-help:{seal(tpm, 'help', pcr7, HELP_SECRET, help_auth)}:{HELP_SECRET}"
                     f":{help_auth}",
                     f"binding={USER}:shares:{seal(tpm, 'shares', pcr7, HELP_KEY)}:{HELP_KEY}:{'00' * 32}")

        self.on_host(work)
        self.installation.install_store("bound")

    def wrong_right_and_changed(self):
        """A wrong PIN, the right one, and another one chosen."""
        self.start()
        self.laptop.see("User name: ")
        self.laptop.type("\x10")
        self.laptop.told("MESSAGE_CHANGE_LATER", "PIN")
        self.log_in("7g3kq9z2xv")
        self.laptop.told("MESSAGE_WRONG_PASSWORD_LEFT_TPM", "PIN", TRIES - 1)
        self.log_in(PIN)
        for label in ("New PIN: ", "The same again: "):
            self.laptop.see(label)
            self.laptop.type(NEW_PIN + "\r")
        self.laptop.told("MESSAGE_PASSWORD_CHANGED", "PIN")
        handoff = self.laptop.handoff(linger=True)
        assert handoff.kind == PIN_KIND and handoff.trust == TPM | CAPPED and handoff.event(WRONG_PASSWORD) == 1
        assert handoff.tpm_ms > 0 and handoff.processors == 1
        self.nothing_left(handoff, {"the PIN": PIN, "the new PIN": NEW_PIN})
        assert self.on_host(lambda tpm: tpm.variable("TPM2_PT_LOCKOUT_COUNTER")) >= 1, "the TPM has not counted"
        show(f"a wrong PIN was counted, the right one opened ({handoff.tpm_ms} ms of the TPM's) and was changed; none is "
             "left")

    def nothing_left(self, handoff, typed):
        """Neither what was typed nor what the TPM gave is in memory."""
        memory = self.laptop.memory()
        for name, secret in (("SECRET", SECRET), ("HELP_SECRET", HELP_SECRET), ("HELP_KEY", HELP_KEY)):
            assert bytes.fromhex(secret) not in memory, f"the TPM's {name} is left in memory"
        for auth in ("auth", "self-help"):
            assert bytes.fromhex(self.codes[f"{auth} {USER}"]) not in memory, f"{auth}'s value is left in memory"
        self.installation.nothing_left(handoff, typed)

    def forgive(self):
        """As the agent does when somebody has got in."""
        self.on_host(lambda tpm: tpm.tool("dictionarylockout", "-c"))

    def old_pin_wrong_answers_new_pin(self):
        answers = [text for _, text in QUESTIONS]
        self.forgive()
        self.start()
        self.log_in(PIN)
        self.laptop.told("MESSAGE_WRONG_PASSWORD_LEFT_TPM")
        self.answer(answers[0], answers[1], "missrobinsonxx")
        self.laptop.told("MESSAGE_WRONG_ANSWERS")
        self.log_in(NEW_PIN)
        handoff = self.laptop.handoff(linger=True)
        self.laptop.cut()
        assert handoff.kind == PIN_KIND and handoff.event(WRONG_SELF_HELP) == 1 and handoff.event(WRONG_PASSWORD) == 1
        show("neither the old PIN opens nor answers of which one is wrong; the new PIN does")

    def self_help(self):
        """Three answers of five, typed as nobody would type them twice."""
        answers = [text for _, text in QUESTIONS]
        self.forgive()
        self.start()
        # The serial driver keeps the last 17 bytes in a ring: the last line must not begin it anew (docs/preboot.md).
        self.answer("", answers[1].upper(), "", answers[3], answers[4])
        self.laptop.told("MESSAGE_CHOOSE_AFTERWARDS")
        handoff = self.laptop.handoff(linger=True)
        assert handoff.kind == SELF_HELP_KIND and handoff.user == USER
        self.nothing_left(handoff, {q: a for q, a in QUESTIONS})
        show("self-help: three answers of five opened; none is left")

    def locked_out(self):
        self.forgive()
        self.start()
        for n in range(TRIES + 1):
            self.log_in("nonsense")
            if self.laptop.see(r"\[HF-(\d+)\]").group(1) == b"221":
                break
        assert n == TRIES, f"locked out at try {n + 1}"
        handoff = self.open_with_code()
        assert handoff.event(LOCKED_OUT) == 0 and handoff.event(WRONG_PASSWORD) == TRIES
        self.forgive()
        show(f"locked out after {TRIES} wrong PINs, which is told; a code opened")

    def refused(self, what, message, event, value, tpm=True, trust=TPM | CAPPED):
        """The PIN is refused for a reason of the TPM's, and a code opens."""
        if tpm:
            self.start()
        else:
            self.laptop.start()
        self.log_in(NEW_PIN)
        self.laptop.told(message)
        handoff = self.open_with_code()
        assert handoff.event(event) == value, f"{what}: {handoff.events}"
        assert handoff.event(WRONG_PASSWORD) is None and handoff.trust == trust
        show(f"{what}: told, no failure, a code opened")

    def refusals(self):
        kept = self.folder / "kept-vars"
        shutil.copy(self.laptop.vars, kept)
        variables = firmware.Variables(kept)
        variables.put(firmware.SECURITY, "dbx", firmware.KEYS,
                      firmware.signature_list(firmware.SHA256, firmware.HOLDFAST, bytes(32)))
        variables.save(self.laptop.vars)
        self.refused("another list of revoked programs", "MESSAGE_TPM_CHANGED", CHANGED, 7)
        shutil.copy(kept, self.laptop.vars)
        self.start("another one")
        self.log_in(NEW_PIN)
        self.laptop.told("MESSAGE_TPM_EXCHANGED")
        self.laptop.cut()
        show("another TPM: told")
        self.refused("no TPM", "MESSAGE_TPM_MISSING", GONE, 1, tpm=False, trust=0)
        self.on_host(lambda tpm: tpm.tool("clear", "-c", "p"))
        self.refused("TPM cleared", "MESSAGE_TPM_EXCHANGED", GONE, 2)


def main():
    with tempfile.TemporaryDirectory(prefix="hf-tpm-") as folder:
        story = Story(folder)
        story.bind(story.first_start())
        for part in (story.wrong_right_and_changed, story.old_pin_wrong_answers_new_pin, story.self_help,
                     story.locked_out, story.refusals):
            part()


if __name__ == "__main__":
    main()
