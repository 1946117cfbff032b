#!/usr/bin/python3
"""The TPM's client against a TPM that is not ours: what tpm2-tools seal on swtpm is unsealed, and whatever happens to
the TPM or on the bus leads to the right error, never to a wrong secret, and shows no secret to the bus. Prints what
each step shows."""
import hashlib
import pathlib
import secrets
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from bus import PARENT, Bus, Tpm  # noqa: E402

TOOL = pathlib.Path(__file__).resolve().parents[2] / "build/out/host/tests/tpm_tool"
ZERO = "00" * 32
TRIES = 4
SLOTS = 3  # swtpm's, of objects and of sessions
# A sanitizer's report, an assertion or a signal is none of these.
REFUSED, USAGE = 1, 2


class Refused(Exception):
    pass


def client(port, *arguments):
    done = subprocess.run([TOOL, str(port), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if done.returncode == REFUSED:
        raise Refused(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"tpm_tool {arguments}: status {done.returncode}: {done.stderr}")
    return done.stdout.strip()


class Sealed:
    """A secret in a TPM, sealed by tpm2-tools."""

    def __init__(self, tpm, point, with_auth=True, auth=None):
        self.tpm, self.point, self.handle = tpm, point, PARENT
        self.secret = secrets.token_bytes(32)
        self.auth = auth or (secrets.token_bytes(32) if with_auth else None)
        tpm.seal(self.secret, self.auth)
        self.keep()

    def keep(self):
        """Files of its own, as the next object overwrites the TPM's."""
        name = secrets.token_hex(4)
        self.public = self.tpm.path("object.pub").rename(self.tpm.path(name + ".pub"))
        self.private = self.tpm.path("object.priv").rename(self.tpm.path(name + ".priv"))

    def unseal(self, auth=None, port=None, tpm=None):
        auth = auth or self.auth
        return client(port or (tpm or self.tpm).port, "unseal", self.handle, self.point, self.public, self.private,
                      *([auth.hex()] if auth else []))

    def change(self, new_auth, auth=None, port=None):
        client(port or self.tpm.port, "change", self.handle, self.point, self.public, self.private,
               (auth or self.auth).hex(), new_auth.hex())

    def opens(self, why, **how):
        assert self.unseal(**how) == self.secret.hex(), f"{why}: another secret"
        self.nothing_left(why, how.get("tpm"))
        print(f"unsealed: {why}")

    def refuses(self, why, want, call=None, **how):
        try:
            (call or self.unseal)(**how)
        except Refused as e:
            assert str(e) == want, f"{why}: {e} instead of {want}"
        else:
            raise AssertionError(f"{why}: it was done all the same")
        self.nothing_left(why, how.get("tpm"))
        print(f"refused: {why}: {want}")

    def nothing_left(self, why, tpm=None):
        left = (tpm or self.tpm).loaded()
        assert not left, f"{why}: left loaded: {left}"


def tools_agree(tpm, point):
    assert client(0, "name", point) == tpm.path("parent.name").read_bytes().hex()
    for number in (7, 11, 16):
        assert client(tpm.port, "pcr", number) == tpm.pcr(number)
    tpm.tool("pcrextend", "16:sha256=" + "ab" * 32)
    assert client(tpm.port, "pcr", 16) == tpm.pcr(16) != ZERO
    tpm.seal(bytes(32))
    assert client(0, "policy", tpm.pcr(7), tpm.pcr(11), 0) == tpm.path("policy").read_bytes().hex()
    tpm.seal(bytes(32), b"1" * 32)
    assert client(0, "policy", tpm.pcr(7), tpm.pcr(11), 1) == tpm.path("policy").read_bytes().hex()
    print("tpm2-tools have the same name, PCRs and policies")


def seal_and_unseal(tpm, point):
    Sealed(tpm, point).opens("with an authorization value")
    Sealed(tpm, point, auth=secrets.token_bytes(29) + b"\1\0\0").opens("with one that ends in zeros")
    plain = Sealed(tpm, point, with_auth=False)
    plain.opens("without one")
    plain.handle = "0"
    plain.opens("without one, the parent made anew")


def parent_not_persistent(tpm, point):
    sealed = Sealed(tpm, point)
    tpm.tool("evictcontrol", "-Q", "-C", "o", "-c", PARENT)
    sealed.opens("the parent is no more persistent")
    tpm.tool("changeauth", "-c", "o", "owner")
    sealed.refuses("... and the owner has a password", "ERR_MISDIRECTED")
    tpm.tool("changeauth", "-c", "o", "-p", "owner")
    tpm.tool("createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", tpm.path("other"))
    tpm.tool("evictcontrol", "-Q", "-C", "o", "-c", tpm.path("other"), PARENT)
    tpm.tool("flushcontext", "-t")
    sealed.opens("another key under its handle")
    tpm.tool("evictcontrol", "-Q", "-C", "o", "-c", PARENT)
    assert tpm.make_parent() == point


def pcrs_change(tpm, point):
    sealed = Sealed(tpm, point)
    for number, what in ((7, "Secure Boot's state has changed"), (11, "the cap is in")):
        tpm.tool("pcrextend", f"{number}:sha256=" + "01" * 32)
        sealed.refuses(what, "ERR_CHANGED")
        tpm.power_cycle()
        sealed.opens("after a restart")
    assert client(tpm.port, "lockout").split()[0] == "0"
    sealed.opens("before the power goes")
    client(tpm.port, "shutdown")
    tpm.power_cut()
    assert client(tpm.port, "lockout").split()[0] == "0"
    sealed.opens("before the power is cut")
    tpm.power_cut()
    print(f"a power cut after an unseal counts as {client(tpm.port, 'lockout').split()[0]} wrong try, unless told before")
    tpm.tool("dictionarylockout", "-c")


def change_of_auth(tpm, point):
    sealed, new = Sealed(tpm, point), secrets.token_bytes(32)
    before = sealed.private.read_bytes()
    tpm.tool("dictionarylockout", "-c")
    sealed.refuses("a change with a wrong authorization value", "ERR_AUTH", call=sealed.change, new_auth=new,
                   auth=b"x" * 32)
    assert sealed.private.read_bytes() == before
    sealed.change(new)
    sealed.refuses("the old authorization value", "ERR_AUTH")
    sealed.opens("with the new one", auth=new)
    tpm.tool("dictionarylockout", "-c")


def wrong_until_lockout(tpm, point):
    sealed = Sealed(tpm, point)
    tpm.tool("dictionarylockout", "-s", "-n", TRIES, "-t", 1000, "-l", 1000)
    for i in range(1, TRIES + 1):
        sealed.refuses(f"wrong authorization value {i}", "ERR_AUTH", auth=secrets.token_bytes(32))
        tries, most, recovery_s, locked = map(int, client(tpm.port, "lockout").split())
        assert (tries, most, recovery_s, locked) == (i, TRIES, 1000, i == TRIES), (tries, most, recovery_s, locked)
    sealed.refuses("the right one comes too late", "ERR_LOCKED_OUT")
    sealed.refuses("nor is it changed", "ERR_LOCKED_OUT", call=sealed.change, new_auth=b"y" * 32)
    tpm.power_cycle()
    sealed.refuses("nor after a restart", "ERR_LOCKED_OUT")
    tpm.tool("dictionarylockout", "-c")
    sealed.opens("after the lockout was cleared")


def fill_objects(tpm):
    for i in range(SLOTS):
        tpm.tool("createprimary", "-Q", "-C", "n", "-G", "ecc", "-c", tpm.path(f"left{i}"))


def fill_sessions(tpm):
    """By plain commands: tpm2-tools save theirs and leave none loaded."""
    null = bytes.fromhex("40000007")
    rest = null + null + struct.pack(">H", 16) + bytes(16) + bytes.fromhex("0000 00 0010 000b")
    for _ in range(SLOTS):
        with socket.create_connection(("127.0.0.1", tpm.port)) as connection:
            connection.sendall(struct.pack(">HII", 0x8001, 10 + len(rest), 0x176) + rest)
            assert connection.recv(1024)[6:10] == bytes(4)


def slots_left_full(tpm, point):
    sealed, new = Sealed(tpm, point), secrets.token_bytes(32)
    made_anew = Sealed(tpm, point)
    made_anew.handle = "0"
    for why, *fills in (("objects", fill_objects), ("sessions", fill_sessions),
                        ("both", fill_objects, fill_sessions)):
        for fill in fills:
            fill(tpm)
        assert len(tpm.loaded()) == SLOTS * len(fills), tpm.loaded()
        sealed.opens(f"all slots were full of {why}")
        for fill in fills:
            fill(tpm)
        made_anew.opens(f"all slots were full of {why}, and the parent was made anew")
    fill_objects(tpm)
    sealed.change(new)
    sealed.nothing_left("a change with all slots full")
    sealed.opens("changed while all slots were full", auth=new)
    assert client(tpm.port, "lockout").split()[0] == "0"


def extended_by_command(tpm, point):
    digest = secrets.token_bytes(32)
    client(tpm.port, "extend", 11, digest.hex())
    assert client(tpm.port, "pcr", 11) == tpm.pcr(11) == hashlib.sha256(bytes(32) + digest).hexdigest()
    tpm.power_cycle()
    print("PCR 11 extended by command: tpm2-tools see the same")


def cleared_or_exchanged(tpm, point):
    sealed = Sealed(tpm, point)
    with Tpm() as other:
        sealed.refuses("exchanged for a new TPM", "ERR_MISDIRECTED", tpm=other)
        other.make_parent()
        sealed.refuses("exchanged for one that is in use", "ERR_MISDIRECTED", tpm=other)
    tpm.tool("clear", "-c", "l")
    sealed.refuses("cleared", "ERR_MISDIRECTED")
    assert tpm.make_parent() != point
    sealed.refuses("cleared and in use again", "ERR_MISDIRECTED")


def parts(value):
    return [value[i:i + 8] for i in range(len(value) - 7)]


def listened_to(tpm, point):
    sealed, plain, new = Sealed(tpm, point), Sealed(tpm, point, with_auth=False), secrets.token_bytes(32)
    with Bus(tpm) as bus:
        sealed.opens("over a bus that is listened to", port=bus.port)
        plain.opens("without authorization value, over the same bus", port=bus.port)
        sealed.change(new, port=bus.port)
        sealed.opens("after a change over the same bus", auth=new, port=bus.port)
        assert tpm.path("parent.name").read_bytes() in bus.log, "the log is of another conversation"
        for noun, value in (("secret", sealed.secret), ("secret of the other", plain.secret), ("value", sealed.auth),
                            ("new value", new)):
            assert not any(part in bus.log for part in parts(value)), f"{noun} on the bus"
        print(f"none of the secrets is in the bus's {len(bus.log)} bytes")


def flipped(which, at):
    return lambda n, answer: answer[:at] + bytes([answer[at] ^ 1 << at % 8]) + answer[at + 1:] if n == which else answer


def interfered_with(tpm, point):
    """Each byte of each answer, one at a time. Answers after the secret's, and what the TPM says of the parent (which
    is made anew where it is not the right one), may be wrong without harm."""
    sealed, results = Sealed(tpm, point), {}
    tpm.tool("dictionarylockout", "-s", "-n", 100000, "-t", 1, "-l", 1)
    with Bus(tpm) as bus:
        sealed.opens("with nothing changed", port=bus.port)
        bus.idle.wait(10)
        lengths = [len(a) for a in bus.answers]
        assert len(lengths) == 8, lengths
        for which, length in enumerate(lengths):
            for at in range(length):
                bus.change = flipped(which, at)
                try:
                    got, result = sealed.unseal(port=bus.port), "unsealed"
                    assert got == sealed.secret.hex(), f"answer {which}, byte {at}: a wrong secret"
                    assert which in (0, 6, 7), f"answer {which}, byte {at}: not noticed"
                except Refused as e:
                    result = str(e)
                results[result] = results.get(result, 0) + 1
                bus.idle.wait(10)
        for which in range(len(lengths)):
            bus.change = lambda n, answer, which=which: None if n == which else answer
            try:
                assert sealed.unseal(port=bus.port) == sealed.secret.hex() and which >= 6
            except Refused as e:
                assert which < 6 and str(e) == "ERR_IO", f"answer {which} lost: {e}"
            bus.idle.wait(10)
    print(f"{sum(lengths)} bytes changed, one at a time: {results}")
    sealed.opens("after all that")


STEPS = (tools_agree, seal_and_unseal, parent_not_persistent, pcrs_change, change_of_auth, wrong_until_lockout, slots_left_full,
         extended_by_command, listened_to, interfered_with, cleared_or_exchanged)


def main():
    with Tpm() as tpm:
        point = tpm.make_parent()
        for step in STEPS:
            start = time.monotonic()
            step(tpm, point)
            print(f"  {step.__name__}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
