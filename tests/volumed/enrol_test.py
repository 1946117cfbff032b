#!/usr/bin/python3
"""Enrolment, escrow, policy and users, with the real holdfast-volumed."""
import os
import subprocess

from laptop import Laptop, enrolled_laptop, main
from organisation import Organisation, b64, sign_key, verify
from sockets import Refused


def refused(call, *args):
    try:
        call(*args)
    except Refused as r:
        return r.about
    raise AssertionError("was not refused")


def test_enrolment():
    """enrolment: codes and recovery key escrowed, receipt verified, policy enforced, old recovery key dead"""
    laptop = enrolled_laptop()
    try:
        status = laptop.status()
        assert status["enrolled"] and status["policy"]["state"] == "enforced", status
        assert status["escrow"]["recovery"] == "proven" and status["escrow"]["codes_proven"] == 2
        assert status["waiting"] == [], status["waiting"]
        assert status["volumes"][0]["header"] == "as vouched" and status["volumes"][0]["unlock"]
        assert status["booted_by"] == {"user": "alice", "method": "password", "password_expires": None}
        assert laptop.opens() and laptop.opens_recovery(laptop.secrets["recovery"])
        assert not laptop.opens_recovery(laptop.first_recovery), "never escrowed, so it must be gone"
        for number in (1, 2):
            assert laptop.opens_code(number, laptop.secrets[number])
        kinds = [e["kind"] for e in laptop.events]
        for kind in ("preboot-unlocked", "started", "enrolled", "status", "recovery-rotated",
                     "policy-enforced"):
            assert kind in kinds, (kind, kinds)
        stock = subprocess.run(["cryptsetup", "open", "--test-passphrase", "--key-file=-",
                                laptop.image], input=laptop.secrets["recovery"].encode())
        assert stock.returncode == 0, "stock cryptsetup with the escrowed recovery key"
        cert, sub, server = laptop.ask("SESSION_CERT", bytes(32))
        assert verify("holdfast-cert", cert, laptop.org.attestation)["role"] == "session"
        assert sub == "device:" + laptop.org.device and len(server) == 32
        proof = verify_proof(laptop)
        assert proof["user"] == "alice" and proof["method"] == "password"
    finally:
        laptop.remove()


def verify_proof(laptop):
    from jwcrypto import jwk
    text = laptop.ask("USER_PROOF", b"t" * 32)
    mine = [c for c in laptop.org.users if c["subject"].startswith("alice/")][0]
    return verify("holdfast-user-proof", text, jwk.JWK(**mine["jwk"]))


def test_wrong_enrolments():
    """enrolment answers that are forged, for another device, request or organisation: refused, nothing changed"""
    laptop = Laptop()
    laptop.activate()
    laptop.boot()
    laptop.start()
    org, other = Organisation(), Organisation()
    laptop.org = org
    try:
        request = laptop.ask("ENROL_BEGIN", org.token(), os.urandom(32))
        org.take_enrol(request)
        other.device = org.device
        before = laptop.show()
        rows = [
            ("another organisation's root", other.enrolled(request)),
            ("signed by another server key", org.enrolled(request, signer=sign_key())),
            ("another device", org.enrolled(request, device="00" * 16)),
            ("another request", org.enrolled("x")),
            ("escrow key by another root", org.enrolled(request, escrow_help=other.cert(
                "escrow-help", "default", other.help))),
            ("server certificate with an officer's role", org.enrolled(request, server=org.cert(
                "officer", org.enterprise, org.server))),
            ("policy of somebody without permission", org.enrolled(request, officer=org.officer_cert(
                ["kill"]))),
            ("policy outside its bounds", org.enrolled(request, policy=org.policy(
                1, {"one_time_codes": 1000}))),
            ("no JWS at all", "x.y.z"),
        ]
        for why, text in rows:
            try:
                refused(laptop.ask, "ENROL_FINISH", text)
            except AssertionError as e:
                raise AssertionError(why) from e
            assert not laptop.status()["enrolled"], why
        assert laptop.show() == before, "nothing may change"
        laptop.ask("ENROL_FINISH", org.enrolled(request))
        refused(laptop.ask, "ENROL_BEGIN", other.token(), os.urandom(32))
        assert laptop.status()["enterprise"] == org.enterprise
    finally:
        laptop.remove()


def test_receipts():
    """receipts that are forged, for another device, or of other bytes prove nothing"""
    laptop = Laptop()
    laptop.activate()
    laptop.boot()
    laptop.start()
    org = laptop.org = Organisation()
    try:
        request = laptop.ask("ENROL_BEGIN", org.token(), os.urandom(32))
        org.take_enrol(request)
        laptop.ask("ENROL_FINISH", org.enrolled(request, {"one_time_codes": 2}))
        escrow = laptop.drain()[1]
        assert len(escrow) == 3
        forged = [org.receipt(escrow, key=sign_key()), org.receipt(escrow, key=org.officer),
                  org.receipt(escrow, device="11" * 16), org.receipt(escrow, enrolment="11" * 16)]
        for text in forged:
            refused(laptop.ask, "RECEIPT", text)
        changed = org.receipt([escrow[0]]).split(".")
        refused(laptop.ask, "RECEIPT", changed[0] + "." + b64(b'{"items":[]}') + "." + changed[2])
        status = laptop.status()
        assert status["escrow"]["recovery"] == "waiting" and not status["escrow"]["codes_proven"]
        assert status["policy"]["state"].startswith("waiting"), status["policy"]["state"]
        assert len(status["waiting"]) == 2 and all(w["do"] for w in status["waiting"])
        assert laptop.opens_recovery(laptop.first_recovery), "the old one stays until the receipt"
        laptop.restart()
        assert len(laptop.drain()[1]) == 3, "without a receipt they are offered again"
        laptop.ask("RECEIPT", org.receipt(escrow))
        assert laptop.status()["policy"]["state"] == "enforced"
        laptop.drain()
        laptop.ask("RECEIPT", org.receipt(escrow))
        assert not laptop.drain()[0], "the same receipt again changes nothing"
    finally:
        laptop.remove()


def test_policy():
    """policies: accepted whole, rolled back or unsigned ones refused with an event, more codes made"""
    laptop = enrolled_laptop()
    org = laptop.org
    try:
        for why, policy, certs in (
                ("signed by the server", org.policy(3, key=org.server), org.certs()),
                ("officer without permission", org.policy(3), org.certs(org.officer_cert(["kill"]))),
                ("older", org.policy(0), org.certs()),
                ("out of bounds", org.policy(3, {"kdf_memory_kib": 1}), org.certs())):
            refused(laptop.ask, "POLICY", policy, certs)
            assert [e["kind"] for e in laptop.drain()[0]] == ["policy-refused"], why
            assert laptop.status()["policy"]["version"] == 1, why
        laptop.ask("POLICY", org.policy(4, {"one_time_codes": 4}), org.certs())
        assert laptop.status()["policy"]["state"] != "enforced"
        assert sorted(laptop.prove()) == [3, 4]
        status = laptop.status()
        assert status["policy"]["version"] == 4 and status["policy"]["state"] == "enforced"
        assert "policy-enforced" in [e["kind"] for e in laptop.events[-2:]]
        refused(laptop.ask, "POLICY", org.policy(3), org.certs())
    finally:
        laptop.remove()


def test_users():
    """users: added, new password, removed; an earlier copy of the ESP then opens nothing on today's disk"""
    laptop = enrolled_laptop()
    try:
        laptop.ask("USER_ADD", "bob", "bob's password", 0)
        assert laptop.opens(user="bob", password="bob's password") and laptop.opens()
        added = [e for e in laptop.drain()[0] if e["kind"] == "user-added"][0]["detail"]
        assert verify("holdfast-cert", added["cert"], laptop.org.attestation)["subject"] == (
            f"bob/{added['credential']}/password")
        for user, password in (("bob", "again"), ("", "x"), ("eve", ""), ("eve", "p\u00e4ss"),
                               ("x" * 64, "x")):
            refused(laptop.ask, "USER_ADD", user, password, 0)
        refused(laptop.ask, "USER_REMOVE", "nobody")
        old = laptop.save_esp()
        laptop.ask("USER_REMOVE", "bob")
        assert laptop.opens() and not laptop.opens(user="bob", password="bob's password")
        assert not laptop.opens(esp=old, user="bob", password="bob's password")
        assert not laptop.opens(esp=old), "the old unlock key is dead for everybody"
        old = laptop.save_esp("esp-copy-2")
        laptop.ask("USER_PASSWD", "alice", "a new one", 0)
        assert laptop.opens(password="a new one") and not laptop.opens()
        assert not laptop.opens(esp=old), "the old password with the old store"
        refused(laptop.ask, "USER_REMOVE", "alice")
        assert laptop.opens_code(1, laptop.secrets[1]) and laptop.opens_recovery(
            laptop.secrets["recovery"])
        assert laptop.restart(password="a new one").status()["waiting"] == []
    finally:
        laptop.remove()


def test_code_used():
    """a one-time code opens once: afterwards neither it nor an earlier copy of the ESP with it does"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        assert laptop.opens_code(1, laptop.secrets[1])
        laptop.stop()
        assert laptop.boot(code=laptop.secrets[1], number=1)[0] == 0
        laptop.start()
        new = laptop.prove()
        assert list(new) == [3], "a new code takes its place"
        assert "code-used" in [e["kind"] for e in laptop.events]
        assert not laptop.opens_code(1, laptop.secrets[1])
        assert not laptop.opens_code(1, laptop.secrets[1], esp=old)
        assert not laptop.opens(esp=old) and laptop.opens()
        assert laptop.opens_code(2, laptop.secrets[2]) and laptop.opens_code(3, new[3])
        assert laptop.status()["booted_by"]["method"] == "one-time-code"
    finally:
        laptop.remove()


def test_recovery_used():
    """a start by the recovery key makes a new one; the used one opens nothing once the new one is escrowed"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        assert laptop.boot(code=laptop.secrets["recovery"])[0] == 0
        laptop.start()
        assert laptop.opens_recovery(laptop.secrets["recovery"]), "not before the receipt"
        new = laptop.prove()["recovery"]
        assert laptop.opens_recovery(new) and not laptop.opens_recovery(laptop.secrets["recovery"])
        assert laptop.boot(code=laptop.secrets["recovery"])[0] == 1
    finally:
        laptop.remove()


def test_store_rolled_back():
    """an older store copied back is noticed by its generation and reported"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        laptop.ask("USER_ADD", "bob", "bob's password", 0)
        laptop.stop()
        laptop.esp, today = old, laptop.esp
        laptop.boot()
        laptop.start()
        assert "store-rolled-back" in [e["kind"] for e in laptop.drain()[0]]
        laptop.esp = today
    finally:
        laptop.remove()


if __name__ == "__main__":
    main([test_enrolment, test_wrong_enrolments, test_receipts, test_policy, test_users, test_code_used,
          test_recovery_used, test_store_rolled_back])
