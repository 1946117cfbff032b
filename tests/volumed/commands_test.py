#!/usr/bin/python3
"""Commands: which are carried out, and which are refused by the root process."""
import json
import os
import subprocess
import time

from laptop import enrolled_laptop, main
from organisation import Organisation, sign_key
from sockets import TABLE, Client, Refused


def test_matrix():
    """forged, replayed, expired, reordered, misdirected, server-signed commands: refused with an event, nothing done"""
    laptop = enrolled_laptop()
    org, other = laptop.org, Organisation()
    other.device, other.enrolment = org.device, org.enrolment
    now = int(time.time())
    try:
        replayed = org.command("sync", sequence=10)
        laptop.ask("COMMAND", replayed, org.certs())
        done = laptop.drain()[0]
        assert [e["kind"] for e in done] == ["command-done"], done
        server_cert = org.cert("server", org.enterprise, org.server)
        forged = org.command("kill").split(".")
        changed = org.command("sync", sequence=90).split(".")
        rows = [
            ("unknown key", org.command("kill", key=sign_key()), org.certs(), "ERR_SIGNATURE"),
            ("another root", other.command("kill", key=other.officer),
             other.certs(), "ERR_SIGNATURE"),
            ("signature of another command", ".".join(forged[:2] + changed[2:]), org.certs(),
             "ERR_SIGNATURE"),
            ("server's key on kill", org.command("kill", key=org.server), org.certs(server_cert), "ERR_DENIED"),
            ("server's key on lock", org.command("lock", key=org.server, sequence=20),
             org.certs(server_cert), "ERR_DENIED"),
            ("server's key on rotate-recovery", org.command("rotate-recovery", key=org.server, sequence=20),
             org.certs(server_cert), "ERR_DENIED"),
            ("officer without the permission", org.command("kill"),
             org.certs(org.officer_cert(["lock"])), "ERR_DENIED"),
            ("officer's certificate has ended", org.command("lock", sequence=20),
             org.certs(org.officer_cert(not_after=now - 10)), None),
            ("unknown command", org.command("format-everything", sequence=20), org.certs(), "ERR_DENIED"),
            ("another device", org.command("kill", device="00" * 16), org.certs(), "ERR_MISDIRECTED"),
            ("another enrolment", org.command("kill", enrolment="00" * 16), org.certs(),
             "ERR_MISDIRECTED"),
            ("expired", org.command("lock", sequence=20, expires=now - 10), org.certs(), "ERR_EXPIRED"),
            ("replayed, byte for byte", replayed, org.certs(), "ERR_REPLAY"),
            ("another order with the last number", org.command("lock", sequence=10), org.certs(), "ERR_REPLAY"),
            ("kill of another organisation, with our server's certificate",
             other.command("kill", key=other.officer), org.certs(server_cert), "ERR_SIGNATURE"),
            ("server's key as its own officer", org.command("kill", key=org.server), org.certs(
                org.cert("officer", "olga", org.server, issuer=org.server, permissions=["kill"])), "ERR_DENIED"),
            ("sync with a number far ahead", org.command("sync", sequence=2**63 - 1), org.certs(), "ERR_RANGE"),
            ("out of order", org.command("lock", sequence=3), org.certs(), "ERR_REPLAY"),
            ("kill with number 0", org.command("kill", sequence=0), org.certs(), "ERR_REPLAY"),
            ("no certificates", org.command("kill"), "[]", None),
            ("certificates that are no JSON", org.command("kill"), "[", "ERR_FORMAT"),
            ("not a JWS", "kill", org.certs(), "ERR_FORMAT"),
            ("a policy where a command is due", org.policy(), org.certs(), None),
        ]
        with open(laptop.image, "rb") as f:
            image = f.read()
        before = laptop.show()
        for why, text, certs, reason in rows:
            laptop.ask("COMMAND", text, certs)
            events, _ = laptop.drain()
            assert [e["kind"] for e in events] == ["command-refused"], (why, events)
            if reason:
                assert events[0]["detail"]["reason"] == reason, (why, events[0]["detail"])
        assert laptop.show() == before, "the store must be the same"
        with open(laptop.image, "rb") as f:
            assert f.read() == image, "the disk must be the same"
        assert open(laptop.path("stdout")).read() == "", "no restart, no power off"
        laptop.restart()
        laptop.drain()
        laptop.ask("COMMAND", replayed, org.certs())
        assert laptop.drain()[0][0]["detail"]["reason"] == "ERR_REPLAY", "also after a restart"
    finally:
        laptop.remove()


def test_lock():
    """lock: passwords open nothing, not even with an earlier ESP; a code ends it, and passwords work again"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        events = laptop.command("lock")
        assert [e["kind"] for e in events] == ["command-done", "status"]
        assert events[1]["detail"]["locked"]
        assert not laptop.opens() and not laptop.opens(esp=old)
        assert laptop.boot()[1].strip() == "hand-off: ERR_LOCKED"
        laptop.ask("SENT", events[0]["id"])
        time.sleep(0.2)
        assert open(laptop.path("stdout")).read() == "restart\n"
        assert laptop.status()["locked"]
        laptop.stop()
        assert laptop.boot(code=laptop.secrets[1], number=1)[0] == 0
        laptop.start()
        assert laptop.opens() and not laptop.status()["locked"]
        assert not laptop.opens_code(1, laptop.secrets[1])
        laptop.prove()
    finally:
        laptop.remove()


def test_lock_after_recovery_start():
    """lock after a start by the recovery key stays, although such a start ends an earlier lock"""
    laptop = enrolled_laptop()
    try:
        laptop.command("lock")
        laptop.stop()
        assert laptop.boot(code=laptop.secrets["recovery"])[0] == 0
        laptop.start()
        assert laptop.opens() and not laptop.status()["locked"]
        laptop.command("lock", args={"restart": False})
        laptop.ask("POLICY", laptop.org.policy(2), laptop.org.certs())
        laptop.prove()
        assert not laptop.opens() and laptop.status()["locked"]
        assert open(laptop.path("stdout")).read() == ""
    finally:
        laptop.remove()


def test_lock_without_key():
    """lock after a start without the unlock key: seals are dropped all the same"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        laptop.start()  # the hand-off is stripped: no key came with this start
        assert any("unlock key" in w["for"] for w in laptop.status()["waiting"])
        assert laptop.command("lock")[0]["kind"] == "command-done"
        assert not laptop.opens()
        assert laptop.opens_code(1, laptop.secrets[1])
    finally:
        laptop.remove()


def test_rotate_recovery():
    """rotate-recovery: done is told only after the receipt, when the old key opens nothing any more"""
    laptop = enrolled_laptop()
    try:
        old = laptop.secrets["recovery"]
        events = laptop.command("rotate-recovery")
        assert "command-done" not in [e["kind"] for e in events]
        assert laptop.opens_recovery(old)
        escrow = laptop.escrow[-1:]
        secret = laptop.org.open_escrow(escrow[0])[1]
        assert laptop.opens_recovery(secret), "tested before it was sealed"
        laptop.ask("RECEIPT", laptop.org.receipt(escrow))
        assert "command-done" in [e["kind"] for e in laptop.drain()[0]]
        assert laptop.opens_recovery(secret) and not laptop.opens_recovery(old)
        assert laptop.boot(code=secret)[0] == 0
        assert laptop.status()["policy"]["state"] == "enforced"
    finally:
        laptop.remove()


def test_reset():
    """reset: a restart once its event has been delivered"""
    laptop = enrolled_laptop()
    try:
        events = laptop.command("reset")
        assert open(laptop.path("stdout")).read() == ""
        laptop.ask("SENT", "00" * 16)
        laptop.ask("SENT", events[-1]["id"])
        time.sleep(0.2)
        assert open(laptop.path("stdout")).read() == "restart\n"
        assert laptop.opens()
    finally:
        laptop.remove()


def test_header_changed():
    """a header that somebody changed, and keyslots of others, are noticed and told"""
    laptop = enrolled_laptop()
    try:
        key, door = laptop.path("key"), laptop.path("door")
        for name, text in ((key, laptop.secrets["recovery"]), (door, "a door of my own")):
            with open(name, "w") as f:
                f.write(text)
        done = subprocess.run(["cryptsetup", "luksAddKey", "--batch-mode", "--key-file", key, "--pbkdf",
                               "pbkdf2", "--pbkdf-force-iterations", "1000", laptop.image, door],
                              capture_output=True)
        assert done.returncode == 0, done.stderr
        laptop.restart()
        status = laptop.status()
        assert status["volumes"][0]["foreign_keyslots"] == 1, status["volumes"]
        assert "foreign-keyslots" in [e["kind"] for e in laptop.drain()[0]]
        # the escrowed recovery keyslot is destroyed behind the agent's back: a new one is made and escrowed
        subprocess.run(["cryptsetup", "luksKillSlot", "--batch-mode", laptop.image, str(recovery_slot(
            laptop.image))], check=True, capture_output=True)
        laptop.restart()
        new = laptop.prove()["recovery"]
        assert "escrow-stale" in [e["kind"] for e in laptop.events]
        assert laptop.opens_recovery(new)
    finally:
        laptop.remove()


def recovery_slot(image):
    dump = json.loads(subprocess.run(["cryptsetup", "luksDump", "--dump-json-metadata", image],
                                     capture_output=True, check=True).stdout)
    return [t["keyslots"][0] for t in dump["tokens"].values() if t["type"] == "holdfast-recovery"][0]


def test_permissions():
    """who is not root and not holdfastd may ask for the status, and for nothing else"""
    laptop = enrolled_laptop()
    try:
        os.chmod(laptop.at, 0o755)
        os.chmod(laptop.path("run"), 0o755)
        child = os.fork()
        if not child:
            os._exit(as_nobody(laptop.path("run", "volumed.sock")))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        for packet in (b"", b"\1", b"\x63\0\0\0\0\0\0\0", b"\1\0\0\0\1\0\0\0\0", b"\1\0\0\0\0\0\0\0x",
                       b"\7\0\0\0\xff\xff\xff\xff", os.urandom(300)):
            dropped(laptop.path("run", "volumed.sock"), packet)
        assert laptop.status()["enrolled"], "still serves"
    finally:
        laptop.remove()


def dropped(path, packet):
    client = Client(path, timeout=5)
    client.socket.send(packet)
    assert client.socket.recv(1000) == b"", packet
    client.close()


def as_nobody(path):
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    client = Client(path)
    json.loads(client.ask("STATUS"))
    zeros = {"s": "x", "k": bytes(32), "d": 0, "q": 0}
    for name, (_, shape, _) in TABLE.items():
        if name == "STATUS":
            continue
        try:
            client.ask(name, *[zeros[kind] for kind in shape])
            print("allowed:", name)
            return 1
        except Refused as r:
            if name not in ("SYNC",) and r.name != "ERR_DENIED":
                print(name, r)
                return 1
    return 0


if __name__ == "__main__":
    main([test_matrix, test_lock, test_lock_after_recovery_start, test_lock_without_key, test_rotate_recovery, test_reset,
          test_header_changed, test_permissions])
