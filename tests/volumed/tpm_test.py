#!/usr/bin/python3
"""Credentials bound to a TPM and self-help, with the real volumed, a real swtpm, and tpm2-tools to look at what was sealed.
Pre-boot is played by volumed_tool, which unseals with the code that holdfast.efi has."""
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time

from laptop import HOST, TOOL, enrolled_laptop, main, run
from sockets import ROOT, Refused

sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from swtpm import Listener, Tpm, free_pair  # noqa: E402

PASSWORD, TPM_PIN, TPM_PASSWORD = 1, 4, 5  # enum credential_kind
ALICE = "alice's password"
CHEAP = {"one_time_codes": 2, "kdf_memory_kib": 32768, "kdf_passes": 1}
QUESTIONS = ["First pet?", "Street of the school?", "Aunt's garden?", "Colour of the boat?", "Name of the hill?"]
ANSWERS = ["Rex the Third", "Lindenstraße", "tulips", "dark green", "Old Crow"]


def refused(call, *args):
    try:
        call(*args)
    except Refused as r:
        return r
    raise AssertionError("was not refused")


def kinds(events):
    return [e["kind"] for e in events]


def detail(events, kind):
    return next(e["detail"] for e in events if e["kind"] == kind)


class Place:
    """A laptop under management and its TPM; firmware measures "as shipped" into PCR 7 at each start."""

    def __init__(self, **settings):
        self.tpm = Tpm().on()
        self.firmware = "as shipped"
        self.laptop = enrolled_laptop(**settings)
        self.laptop.drain()
        self.use(self.tpm)
        self.tpm.measure(7, self.firmware)
        self.boot()

    def use(self, tpm):
        """tpm None: there is none any more."""
        self.tpm = tpm
        self.laptop.tpm = tpm.tcti if tpm else "none"
        os.environ.pop("VOLUMED_TPM", None)
        if tpm:
            os.environ["VOLUMED_TPM"] = str(tpm.port)

    def reset(self):
        """The laptop is switched off and on: pre-boot's screen is there."""
        self.laptop.stop(hard=True)
        if self.tpm:
            self.tpm.power_cycle()
            self.tpm.measure(7, self.firmware)

    def boot(self, **how):
        self.reset()
        code, out, err = self.laptop.boot(**how)
        assert code == 0, out + err
        return self.run()

    def run(self):
        """The kernel starts: pre-boot has capped what is sealed."""
        if self.tpm:
            self.tpm.measure(11, "started")
        self.laptop.start()
        events, escrow = self.laptop.drain()
        for text in escrow:
            body, secret = self.laptop.org.open_escrow(text)
            self.laptop.secrets[body["number"] if body["purpose"] == "help" else "recovery"] = secret
        if escrow:
            self.laptop.ask("RECEIPT", self.laptop.org.receipt(escrow))
        return events + self.laptop.drain()[0]

    def fails(self, **how):
        code, out, _ = self.laptop.boot(**how)
        assert code == 1, out
        return out.strip()

    def self_help(self, *answers, user="alice"):
        out = self.laptop.path("handoff")
        if os.path.exists(out):
            os.unlink(out)
        return run(TOOL, "self-help", self.laptop.esp, user, out, text="\n".join(answers) + "\n")

    def code_start(self):
        number = min(n for n in self.laptop.secrets if n != "recovery")
        return self.boot(code=self.laptop.secrets.pop(number), number=number)

    def bind(self, pin="739104", kind=TPM_PIN, present=ALICE, user="alice"):
        self.laptop.ask("USER_BIND", user, present, pin, kind)
        return self.laptop.drain()[0]

    def enrol_questions(self, need=3, user="alice", answers=ANSWERS):
        pairs = [t for pair in zip(QUESTIONS, answers) for t in pair]
        self.laptop.ask("USER_SELF_HELP", user, "", need, *pairs, *[""] * (16 - len(pairs)))
        return self.laptop.drain()[0]

    def cli(self, *arguments, text="", user=None):
        command = [os.path.join(HOST, "bin", "holdfast"), "--run", self.laptop.path("run"), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False, user=user)
        return done.returncode, done.stdout, done.stderr

    def remove(self):
        self.laptop.remove()
        self.use(None)


def with_place(**settings):
    def wrap(test):
        def play():
            place = Place(**settings)
            tpm = place.tpm
            try:
                test(place)
            finally:
                place.remove()
                tpm.off()
        play.__doc__, play.__name__ = test.__doc__, test.__name__
        return play
    return wrap


@with_place()
def test_bind(p):
    """a password becomes a PIN that opens with this TPM only: list, events, what is left of the password, old copies of the ESP"""
    old = p.laptop.save_esp()
    assert p.laptop.opens(esp=old) and "record kind 1 number 0 user 'alice'" in p.laptop.show()
    wrong = refused(p.laptop.ask, "USER_BIND", "alice", "not it", "739104", TPM_PIN)
    assert wrong.name == "ERR_AUTH" and "present password" in wrong.about, wrong
    assert "at least 6" in refused(p.laptop.ask, "USER_BIND", "alice", ALICE, "12345", TPM_PIN).about
    assert "at least 8" in refused(p.laptop.ask, "USER_BIND", "alice", ALICE, "1234567", TPM_PASSWORD).about
    events = p.bind()
    assert detail(events, "tpm-bound") == {"user": "alice", "method": "tpm-pin"}, events
    assert "credential-changed" in kinds(events) and "tpm-lockout-taken" in kinds(events)
    show = p.laptop.show()
    assert "record kind 4 number 0 user 'alice'" in show and "record kind 1" not in show, show
    assert not p.laptop.opens(esp=old), "the old password opens nothing with an old ESP"
    assert p.fails(password="739104").endswith("ERR_CHANGED"), "a system that runs unseals nothing"
    p.reset()
    assert p.fails(password=ALICE).endswith("ERR_AUTH")
    assert p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER") == 1, p.tpm.tool("getcap", "properties-variable")
    events = p.boot(password="739104")
    assert detail(events, "started")["method"] == "tpm-pin"
    firmware = detail(events, "started")["firmware"]
    assert firmware["secure_boot"] and firmware["capped"] and firmware["pcr7"] == p.tpm.pcr(7), firmware
    assert "tpm-resealed" not in kinds(events)
    status = p.laptop.status()
    assert status["tpm"]["present"] and status["tpm"]["bound"] == 1 and status["tpm"]["pcr7"] == "as sealed", status["tpm"]
    assert status["booted_by"]["method"] == "tpm-pin"
    # a PIN becomes a password of the TPM's, and a mere password again
    p.bind("another password", TPM_PASSWORD, present="739104")
    assert "record kind 5" in p.laptop.show()
    p.bind("plain password", PASSWORD, present="another password")
    assert "record kind 1" in p.laptop.show()
    p.boot(password="plain password")


@with_place(credential="tpm-pin", password_min_length=12)
def test_policy(p):
    """new users and passwords are of the kind that policy asks for; without a TPM a password, and status says what is waited for"""
    status = p.laptop.status()
    assert status["policy"]["settings"]["credential"] == {"value": "tpm-pin", "state": "waiting for the next change of password"}
    assert any("holdfast user bind alice --pin" in w["do"] for w in status["waiting"]), status["waiting"]
    p.laptop.ask("USER_ADD", "bob", "314159", 0)
    assert "policy asks for tpm-pin" in refused(p.laptop.ask, "USER_BIND", "alice", ALICE, "a long password", TPM_PASSWORD).about
    assert "at least 6" in refused(p.laptop.ask, "USER_PASSWD", "alice", "31415", 0).about
    p.laptop.ask("USER_PASSWD", "alice", "271828", 0)
    assert p.laptop.show().count("record kind 4") == 2
    status = p.laptop.status()
    assert status["policy"]["settings"]["credential"]["state"] == "enforced" and not status["waiting"], status["waiting"]
    code, out, _ = p.cli("user", "list")
    assert code == 0 and "alice  TPM+PIN" in out and "bob  TPM+PIN" in out, out
    p.boot(user="bob", password="314159")
    p.boot(user="alice", password="271828")
    p.code_start()
    tpm = p.tpm
    p.use(None)
    p.code_start()
    assert "at least 12" in refused(p.laptop.ask, "USER_PASSWD", "alice", "271828", 0).about, "no TPM: a password's length"
    p.laptop.ask("USER_PASSWD", "alice", "a long password", 0)
    status = p.laptop.status()
    assert "record kind 1" in p.laptop.show() and status["policy"]["settings"]["credential"]["state"] == "waiting for a TPM"
    assert any("no TPM 2.0" in w["for"] for w in status["waiting"]), status["waiting"]
    assert not status["tpm"]["present"] and "no TPM 2.0" in status["tpm"]["why"]
    p.use(tpm)
    p.boot(password="a long password")


@with_place()
def test_reseal(p):
    """firmware update, cleared TPM, exchanged TPM: a one-time code opens, and everything is sealed anew by itself"""
    events = p.bind()
    sealed = p.tpm.pcr(7)
    p.boot(password="739104")
    for why, change, reason, said in (
            ("firmware update", lambda: setattr(p, "firmware", "updated"), "pcr7", "ERR_CHANGED"),
            ("TPM cleared", lambda: p.tpm.tool("clear", "-c", "p"), "tpm", "ERR_MISDIRECTED"),
            ("mainboard exchanged", lambda: (setattr(p, "firmware", "of another board"), p.use(Tpm().on())), "tpm-and-pcr7",
             "ERR_MISDIRECTED")):
        p.laptop.stop(hard=True)
        first = p.tpm
        change()
        p.reset()
        told = p.fails(password="739104")
        assert told.endswith(said), (why, told)
        events = p.code_start()
        assert detail(events, "tpm-resealed") == {"reason": reason, "bindings": 1, "users": ["alice"]}, (why, events)
        assert p.laptop.status()["tpm"]["pcr7"] == "as sealed", why
        p.boot(password="739104")
        if first is not p.tpm:
            first.off()
    assert p.tpm.pcr(7) != sealed
    # somebody takes the persistent key away: the same key is made again, nothing has to be sealed
    p.laptop.stop(hard=True)
    p.tpm.tool("evictcontrol", "-C", "o", "-c", "0x81000001")
    events = p.boot(password="739104")
    assert "tpm-resealed" not in kinds(events) and "0x81000001" in p.tpm.tool("getcap", "handles-persistent").lower()
    p.tpm.off()


@with_place()
def test_missing(p):
    """no TPM any more: told once, with the users and what to do; the code opens; a new password, then all is well"""
    p.bind()
    tpm = p.tpm
    p.use(None)
    p.reset()
    assert p.fails(password="739104").endswith("ERR_NOT_FOUND")
    events = p.code_start()
    assert detail(events, "tpm-missing")["users"] == ["alice"], events
    waits = [w for w in p.laptop.status()["waiting"] if "bound users cannot sign in" in w["for"]]
    assert waits and "holdfast user passwd" in waits[0]["do"], waits
    assert "tpm-missing" not in kinds(p.code_start()), "once"
    p.laptop.ask("USER_PASSWD", "alice", "a new password", 0)
    assert not [w for w in p.laptop.status()["waiting"] if "TPM" in w["for"]]
    p.boot(password="a new password")
    p.use(tpm)


@with_place()
def test_lockout(p):
    """the lockout's figures are set, its password is ours and in the store; after a one-time code the count is 0 again"""
    events = p.bind()
    assert detail(events, "tpm-lockout-taken") == {"tries": 10, "recovery_s": 600}, events
    # a laptop that is stolen now: whoever has it cannot set the count to 0
    assert re.search(r"lockoutAuthSet:\s+1", p.tpm.tool("getcap", "properties-variable"))
    events = p.boot(password="739104")
    assert "tpm-lockout-taken" not in kinds(events)
    assert p.tpm.variable("TPM2_PT_MAX_AUTH_FAIL") == 10 and p.tpm.variable("TPM2_PT_LOCKOUT_INTERVAL") == 600
    assert p.tpm.variable("TPM2_PT_LOCKOUT_RECOVERY") == 86400
    assert re.search(r"lockoutAuthSet:\s+1", p.tpm.tool("getcap", "properties-variable"))
    assert p.laptop.status()["tpm"]["lockout"] == {"tries": 0, "tries_max": 10, "recovery_s": 600, "locked": False,
                                                   "password": "ours"}
    p.reset()
    for n in range(10):
        told = p.fails(password="000000")
        assert told.endswith("ERR_AUTH"), (n, told)
    assert p.fails(password="739104").endswith("ERR_LOCKED_OUT"), "also with the right PIN"
    assert p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER") == 10
    p.code_start()
    assert p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER") == 0, "forgotten"
    p.boot(password="739104")


@with_place()
def test_lockout_not_ours(p):
    """a lockout password of somebody else stops nothing, is told once, and is never guessed at"""
    p.tpm.tool("changeauth", "-c", "lockout", "somebody")
    events = p.bind() + p.boot(password="739104")
    assert kinds(events).count("tpm-lockout-not-ours") == 1, events
    assert p.laptop.status()["tpm"]["lockout"]["password"] == "not ours"
    events = p.code_start() + p.boot(password="739104")
    assert "tpm-lockout-not-ours" not in kinds(events)
    p.tpm.tool("dictionarylockout", "-c", "-p", "somebody")  # the hierarchy is not locked


@with_place(self_help=True)
def test_lockout_unbounded(p):
    """a lockout of somebody else's without bounds: no PIN and no self-help, in words; a password bound to the TPM is one all the same"""
    p.tpm.tool("dictionarylockout", "-s", "-n", "1000000", "-t", "1", "-l", "1")
    p.tpm.tool("changeauth", "-c", "lockout", "somebody")
    p.boot()
    for call in (p.bind, p.enrol_questions):
        r = refused(call)
        assert r.name == "ERR_STATE" and "lets anybody try too often" in r.about, r
    assert "record kind 1" in p.laptop.show()
    p.bind("another password", TPM_PASSWORD)
    p.boot(password="another password")


@with_place()
def test_same_password(p):
    """what is to be bound must not be the password that was there: old copies of its record can be guessed at"""
    r = refused(p.bind, ALICE, TPM_PASSWORD)
    assert r.name == "ERR_EXISTS" and "another than the present password" in r.about, r
    assert "record kind 1" in p.laptop.show()
    p.bind("another password", TPM_PASSWORD)
    p.laptop.ask("USER_PASSWD", "alice", "another password", 0)  # bound already


def has_header(laptop):
    with open(laptop.image, "rb") as f:
        return f.read(4) == b"LUKS"


def silent_tpm():
    """Takes every connection and command, and never answers."""
    port = free_pair()
    servers = [socket.create_server(("127.0.0.1", port + n)) for n in (0, 1)]
    held = []

    def serve(server):
        with contextlib.suppress(OSError):
            while True:
                held.append(server.accept()[0])

    for server in servers:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
    return f"swtpm:host=127.0.0.1,port={port}", servers


@with_place()
def test_hanging(p):
    """a TPM that hangs: the socket is there at once, it is waited for once, and a kill does not wait at all"""
    p.bind()
    p.boot(password="739104")
    p.reset()
    assert p.laptop.boot(password="739104")[0] == 0
    p.laptop.tpm, servers = silent_tpm()
    begun = time.monotonic()
    p.laptop.start(wait=False)
    assert p.laptop.connect() and time.monotonic() - begun < 3, "listens before the TPM is asked"
    status = p.laptop.status()
    assert time.monotonic() - begun < 25 and "busy" in status["tpm"]["why"], status["tpm"]
    begun = time.monotonic()
    assert "does not answer" in refused(p.laptop.ask, "USER_BIND", "alice", "739104", "846213", TPM_PIN).about
    assert time.monotonic() - begun < 5, "not once more"
    p.reset()
    assert p.laptop.boot(password="739104")[0] == 0
    p.laptop.start(wait=False)
    assert p.laptop.connect()
    time.sleep(0.5)
    begun = time.monotonic()
    proof = []
    killer = threading.Thread(target=lambda: proof.extend(p.laptop.command("kill")))
    killer.start()
    while has_header(p.laptop):
        assert time.monotonic() - begun < 5, "the kill waits behind the TPM"
        time.sleep(0.1)
    killer.join(60)
    assert "command-done" in kinds(proof), proof
    for server in servers:
        server.close()


@with_place()
def test_late(p):
    """a TPM that did not answer at the start is asked again, and what differs is sealed then"""
    p.bind()
    p.firmware = "updated"
    p.reset()
    number = min(n for n in p.laptop.secrets if n != "recovery")
    assert p.laptop.boot(code=p.laptop.secrets.pop(number), number=number)[0] == 0
    p.tpm.off()
    p.laptop.start()
    events = p.laptop.drain()[0]
    assert "tpm-missing" in kinds(events) and "tpm-resealed" not in kinds(events), events
    p.tpm.on()
    p.tpm.measure(7, p.firmware)
    p.laptop.ask("POLICY", p.laptop.org.policy(2, CHEAP), p.laptop.org.certs())  # settles
    events = p.laptop.drain()[0]
    assert detail(events, "tpm-resealed")["reason"] == "pcr7", events
    p.boot(password="739104")


@with_place(credential="tpm-pin")
def test_downgrade(p):
    """a TPM that fails makes no password out of a PIN: refused in words; only a laptop without one gets one, and it is told"""
    p.boot()
    p.laptop.ask("USER_PASSWD", "alice", "271828", 0)
    p.reset()
    assert p.laptop.boot(password="271828")[0] == 0
    p.laptop.tpm, servers = silent_tpm()
    p.laptop.start()
    r = refused(p.laptop.ask, "USER_PASSWD", "alice", "a long password", 0)
    assert "does not answer" in r.about and "record kind 4" in p.laptop.show(), r
    waits = p.laptop.status()["waiting"]
    assert any("TPM" in w["for"] for w in waits), waits
    p.laptop.stop(hard=True)
    for server in servers:
        server.close()
    p.reset()
    assert p.laptop.boot(password="271828")[0] == 0
    p.laptop.tpm = "none"
    p.laptop.start()
    p.laptop.drain()
    p.laptop.ask("USER_PASSWD", "alice", "a long password", 0)
    told = detail(p.laptop.drain()[0], "tpm-left-out")
    assert told["user"] == "alice" and told["wanted"] == "tpm-pin" and "no TPM 2.0" in told["reason"], told


@with_place()
def test_secure_boot_off(p):
    """Secure Boot switched off: nothing is sealed to that by itself; told once, with what to do; on again, or as root asks"""
    p.bind()
    shipped = p.firmware
    os.environ["VOLUMED_INSECURE_BOOT"] = "1"
    try:
        p.firmware = "Secure Boot off"
        events = p.code_start()
        assert detail(events, "secure-boot-off") == {"users": ["alice"]} and "tpm-resealed" not in kinds(events), events
        status = p.laptop.status()
        assert any("holdfast tpm reseal" in w["do"] for w in status["waiting"]), status["waiting"]
        assert status["tpm"]["pcr7"] == "changed"
        assert "Secure Boot was on" in refused(p.laptop.ask, "USER_PASSWD", "alice", "846213", 0).about
        p.reset()
        assert p.fails(password="739104").endswith("ERR_CHANGED")
        # on again
        del os.environ["VOLUMED_INSECURE_BOOT"]
        p.firmware = shipped
        p.boot(password="739104")
        os.environ["VOLUMED_INSECURE_BOOT"] = "1"
        p.firmware = "Secure Boot off"
        p.code_start()
        code, out, err = p.cli("tpm", "reseal")
        assert code == 0 and "sealed to this start" in out, out + err
        assert detail(p.laptop.drain()[0], "tpm-resealed")["reason"] == "asked"
        p.boot(password="739104")
        assert not [w for w in p.laptop.status()["waiting"] if "Secure Boot" in w["for"]]
    finally:
        os.environ.pop("VOLUMED_INSECURE_BOOT", None)


@with_place()
def test_owner_password(p):
    """an owner hierarchy with a password: refused in words, the password that was there still opens"""
    p.tpm.tool("changeauth", "-c", "owner", "somebody")
    p.boot()
    status = p.laptop.status()["tpm"]
    assert "owner hierarchy has a password" in status["why"], status
    assert "tpm2_changeauth" in refused(p.laptop.ask, "USER_BIND", "alice", ALICE, "739104", TPM_PIN).about
    # a storage root key that is kept needs the owner no more
    p.tpm.tool("changeauth", "-c", "owner", "-p", "somebody")
    p.boot()
    p.bind()
    p.tpm.tool("changeauth", "-c", "owner", "somebody")
    p.boot(password="739104")
    assert p.laptop.status()["tpm"]["why"] is None


@with_place()
def test_tools_agree(p):
    """tpm2-tools agree: the key by the TCG's template, name and policy of what is sealed, and it unseals with them"""
    p.bind()
    p.laptop.stop()
    at = p.laptop.path("objects")
    os.makedirs(at)
    told = run(TOOL, "objects", p.laptop.esp, at)[1]
    handle, point, pcr7 = re.search(r"parent (\w+) x (\w+) pcr7 (\w+)", told).groups()
    assert handle == "81000001" and pcr7 == p.tpm.pcr(7), told
    public = p.tpm.tool("readpublic", "-c", f"0x{handle}")
    assert point in public, public
    assert "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt" in public
    p.tpm.power_cycle()
    p.tpm.measure(7, p.firmware)
    secret, auth = re.findall(r"\b[0-9a-f]{64}\b", run(TOOL, "sealed", p.laptop.esp, "alice", text="739104\n")[1])[:2]
    # the policy, as the tools make it
    p.tpm.tool("startauthsession", "-S", f"{at}/trial")
    p.tpm.tool("policypcr", "-S", f"{at}/trial", "-l", "sha256:7,11")
    p.tpm.tool("policyauthvalue", "-S", f"{at}/trial", "-L", f"{at}/policy")
    p.tpm.tool("flushcontext", f"{at}/trial")
    p.tpm.tool("load", "-C", f"0x{handle}", "-u", f"{at}/0.pub", "-r", f"{at}/0.priv", "-c", f"{at}/0.ctx")
    inside = p.tpm.tool("readpublic", "-c", f"{at}/0.ctx")
    with open(f"{at}/policy", "rb") as f:
        assert f.read().hex() in inside.lower(), inside
    assert re.search(r"attributes:\s+value: fixedtpm\|fixedparent\s", inside), inside
    # it unseals with the authorization value; with another one it stays closed, and the try counts
    before = p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER")
    for value, counted in (("hex:" + auth, 0), ("hex:" + "5a" * 32, 1)):
        p.tpm.tool("flushcontext", "-t")  # no resource manager stands between
        p.tpm.tool("startauthsession", "--policy-session", "-S", f"{at}/session")
        p.tpm.tool("policypcr", "-S", f"{at}/session", "-l", "sha256:7,11")
        p.tpm.tool("policyauthvalue", "-S", f"{at}/session")
        code, text = p.tpm.tool("unseal", "-c", f"{at}/0.ctx", "-p", f"session:{at}/session+{value}", "-o", f"{at}/plain",
                                ok=False)
        assert bool(code) == bool(counted) and p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER") == before + counted, text
        p.tpm.tool("flushcontext", f"{at}/session")
    assert "0x98E" in text, text
    with open(f"{at}/plain", "rb") as f:
        assert f.read().hex() == secret


@with_place(self_help=True)
def test_self_help(p):
    """questions: enrolled, 3 of 5 answers open, wrong ones count at the TPM, a new password is asked for; another start has none"""
    assert "two answers are alike" in refused(p.enrol_questions, 3, "alice", ["x y", "X.Y", "c c", "d d", "e e"]).about
    assert "letters or digits" in refused(p.enrol_questions, 3, "alice", ["a", "bb", "cc", "dd", "ee"]).about
    events = p.enrol_questions()
    assert detail(events, "self-help-enrolled") == {"user": "alice", "questions": 5, "needed": 3}, events
    assert p.laptop.status()["tpm"]["self_help"] == 1
    assert "alice  password and self-help" in p.cli("user", "list")[1]
    with open(os.path.join(p.laptop.esp, "EFI/holdfast/store.0"), "rb") as f:
        store = f.read()
    assert not any(q.encode() in store for q in QUESTIONS), "with the disk alone nobody reads a question"
    assert p.self_help("0 rex the third", "2 Tulips", "4 old crow")[0] == 1, "a system that runs opens nothing"
    p.reset()
    tried = p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER")
    assert "ERR_AUTH" in p.self_help("0 rex the third", "2 roses", "4 old crow")[1]
    assert p.tpm.variable("TPM2_PT_LOCKOUT_COUNTER") == tried + 1
    code, out, err = p.self_help("0 rex the THIRD", "2 Tulips!", "4 old crow")
    assert code == 0, out + err
    events = p.run()
    assert detail(events, "self-help-used") == {"user": "alice"} and detail(events, "started")["method"] == "self-help"
    assert "user 'alice' sealed 1 flags 1" in p.laptop.show(), "must change the password"
    p.laptop.stop()
    p.laptop.start()
    assert "self-help-used" not in kinds(p.laptop.drain()[0]), "once"
    p.boot()
    # other answers: with an old copy of the ESP the old ones open nothing
    old = p.laptop.save_esp()
    p.enrol_questions(2, answers=["other " + a for a in ANSWERS])
    p.reset()
    new, p.laptop.esp = p.laptop.esp, old
    code, out, err = p.self_help("0 rex the third", "2 tulips", "4 old crow")
    p.laptop.esp = new
    assert code == 0, "the old store still gives its old key"
    p.tpm.measure(11, "started")
    p.laptop.start()
    assert any("unlock key" in w["for"] or "unlock key" in w["do"] for w in p.laptop.status()["waiting"]), p.laptop.status()["waiting"]
    p.boot()
    p.laptop.ask("USER_SELF_HELP", "alice", "", 0, *[""] * 16)
    assert p.laptop.status()["tpm"]["self_help"] == 0
    assert "not found" in refused(p.laptop.ask, "USER_SELF_HELP", "alice", "", 0, *[""] * 16).about


@with_place(self_help=True)
def test_self_help_needs(p):
    """self-help is refused without a TPM and without policy, each with the reason; policy takes it back; so does removal of the user"""
    p.laptop.ask("USER_ADD", "bob", "bob's password", 0)
    p.enrol_questions()
    p.enrol_questions(user="bob")
    p.laptop.ask("USER_REMOVE", "bob")
    assert p.laptop.status()["tpm"]["self_help"] == 1 and p.laptop.show().count("record kind 6") == 1
    p.laptop.ask("POLICY", p.laptop.org.policy(2, CHEAP), p.laptop.org.certs())
    events = p.laptop.drain()[0]
    assert detail(events, "self-help-removed") == {"users": ["alice"], "reason": "policy"}, events
    assert "record kind 6" not in p.laptop.show()
    assert "setting self_help" in refused(p.enrol_questions).about
    p.laptop.ask("POLICY", p.laptop.org.policy(3, {**CHEAP, "self_help": True}), p.laptop.org.certs())
    tpm = p.tpm
    p.use(None)
    p.boot()
    about = refused(p.enrol_questions).about
    assert "self-help needs a TPM" in about and "no TPM 2.0" in about, about
    p.use(tpm)
    p.laptop.stop()
    p.laptop.start()
    assert "found no TPM" in refused(p.enrol_questions).about, refused(p.enrol_questions).about


@with_place(self_help=True)
def test_bus(p):
    """somebody who hears everything between volumed and the TPM hears neither a secret nor an authorization value"""
    bus = Listener(p.tpm)
    p.laptop.stop()
    p.laptop.tpm = bus.tcti
    p.laptop.boot()
    p.laptop.start()
    p.bind()
    p.enrol_questions()
    p.boot(password="739104")
    heard = bus.close()
    assert len(heard) > 5000, len(heard)
    p.laptop.stop()
    p.laptop.tpm = p.tpm.tcti
    p.reset()
    code, out, err = run(TOOL, "sealed", p.laptop.esp, "alice", text="739104\n")
    assert code == 0, out + err
    values = re.findall(r"\b[0-9a-f]{64}\b", out)
    assert len(values) >= 6, out
    for value in values:
        assert bytes.fromhex(value) not in heard and bytes.fromhex(value)[:16] not in heard, "plain on the bus"


@with_place()
def test_kill(p):
    """kill: the TPM is cleared where its lockout is ours, so that a copied disk and the PIN are worth nothing"""
    p.bind()
    p.boot(password="739104")
    copy = p.laptop.save_esp()
    p.laptop.command("kill")
    assert "0x81000001" not in p.tpm.tool("getcap", "handles-persistent").lower()
    assert re.search(r"lockoutAuthSet:\s+0", p.tpm.tool("getcap", "properties-variable")), "free for its next owner"
    p.reset()
    p.laptop.esp = copy
    assert p.fails(password="739104").endswith("ERR_MISDIRECTED")


@with_place()
def test_kill_unbound(p):
    """kill where nothing is bound any more, and the lockout is still ours: cleared all the same, after the proof is made"""
    p.bind()
    p.bind("plain password", PASSWORD, present="739104")
    p.boot(password="plain password")
    events = p.laptop.command("kill")
    assert "command-done" in kinds(events), events
    assert re.search(r"lockoutAuthSet:\s+0", p.tpm.tool("getcap", "properties-variable")), "cleared"


@with_place()
def test_kill_not_ours(p):
    """kill where somebody else has the lockout: the key that we made is taken away"""
    p.tpm.tool("changeauth", "-c", "lockout", "somebody")
    p.bind()
    p.boot(password="739104")
    p.laptop.command("kill")
    assert "0x81000001" not in p.tpm.tool("getcap", "handles-persistent").lower()


@with_place(self_help=True)
def test_command_line(p):
    """holdfast user bind, self-help, list, and status, by root and by the users themselves"""
    code, out, err = p.cli("user", "bind", "alice", "--pin", text=f"{ALICE}\n739104\n")
    assert code == 0 and "its TPM is needed" in out, out + err
    code, out, err = p.cli("user", "self-help", "alice", "--need", "2",
                           text="".join(f"{q}\n{a}\n" for q, a in zip(QUESTIONS, ANSWERS)))
    assert code == 0 and "2 of 5" in out, out + err
    assert "alice  TPM+PIN and self-help" in p.cli("user", "list")[1]
    out = p.cli("status")[1]
    assert "users bound to it: 1, with self-help: 1" in out and "PCR 7: as sealed" in out, out
    assert "Secure Boot on" in out and "wrong tries" in out, out
    for wrong, want in ((("bind", "alice", "--pin", "--password"), "one of"),
                        (("self-help", "alice", "--need", "9"), "from 2 to 8"), (("add", "x", "--pin"), "this option")):
        code, out, err = p.cli("user", *wrong)
        assert code == 2 and want in err, (wrong, code, err)
    if os.getuid() == 0:
        os.chmod(p.laptop.at, 0o711)
        os.chmod(p.laptop.path("run"), 0o755)
        code, out, err = p.cli("user", "bind", "alice", "--pin", text="739104\n112358\n", user="nobody")
        assert code == 4 and "only root" in err, (code, err)
        p.laptop.ask("USER_ADD", "nobody", "nobody's password", 0)
        for n in range(6):
            code, out, err = p.cli("user", "bind", "nobody", "--pin", text=f"wrong {n}\n112358\n", user="nobody")
            assert code == 1 and ("wait ten minutes" if n == 5 else "present password") in err, (n, err)
        p.laptop.ask("USER_ADD", "daemon", "daemon's password", 0)
        code, out, err = p.cli("user", "bind", "daemon", "--pin", text="wrong\n112358\n", user="daemon")
        assert code == 1 and "present password" in err, "only who was wrong waits: " + err
        assert p.cli("user", "bind", "nobody", "--pin", text="nobody's password\n112358\n")[0] == 0, "root may"
    code, out, err = p.cli("user", "self-help", "alice", "--remove")
    assert code == 0, out + err


if __name__ == "__main__":
    main([test_bind, test_policy, test_reseal, test_missing, test_lockout, test_lockout_not_ours, test_lockout_unbounded,
          test_owner_password, test_same_password, test_hanging, test_late, test_downgrade,
          test_secure_boot_off, test_tools_agree, test_self_help, test_self_help_needs, test_bus, test_kill, test_kill_unbound,
          test_kill_not_ours, test_command_line])
