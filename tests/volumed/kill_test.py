#!/usr/bin/python3
"""Kill: afterwards nothing opens the disk. Interrupted kills: powercut_test.py."""
import hashlib
import os
import time

from laptop import enrolled_laptop, main
from organisation import b64, verify
from sockets import Refused


def nothing_opens(laptop, old, secrets):
    assert not laptop.opens() and not laptop.opens(esp=old)
    assert not laptop.opens_code(1, secrets[1]) and not laptop.opens_code(1, secrets[1], esp=old)
    assert not laptop.opens_recovery(secrets["recovery"])
    assert not laptop.opens_recovery(laptop.first_recovery)


def test_kill():
    """kill: password, code, recovery key, a saved ESP: nothing opens; signed proof; then power off"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        text = laptop.org.command("kill")
        begun = time.time()
        laptop.ask("COMMAND", text, laptop.org.certs())
        print(f"        keyslots gone {1000 * (time.time() - begun):.0f} ms after the order")
        events = laptop.drain()[0]
        assert [e["kind"] for e in events] == ["command-done"], events
        detail = events[0]["detail"]
        assert detail["digest"] == b64(hashlib.sha256(text.encode()).digest())
        assert [v["read_back"] for v in detail["volumes"]] == [True], detail
        assert detail["volumes"][0]["bytes"] == 16 << 20
        nothing_opens(laptop, old, laptop.secrets)
        assert laptop.status()["killed"]
        for name, args in (("USER_ADD", ("eve", "x", 0)), ("COMMAND", (text, laptop.org.certs())),
                           ("USER_PROOF", (bytes(32),)), ("POLICY", (text, "[]"))):
            try:
                laptop.ask(name, *args)
                raise AssertionError(name + " was served after a kill")
            except Refused:
                pass
        cert = laptop.ask("SESSION_CERT", bytes(32))[0]
        assert verify("holdfast-cert", cert, laptop.org.attestation)["role"] == "session", "a new holdfastd delivers"
        laptop.ask("SENT", events[0]["id"])
        time.sleep(0.2)
        assert open(laptop.path("stdout")).read() == "power off\n"
        assert sorted(os.listdir(laptop.path("esp", "EFI", "holdfast"))) == ["boot", "tombstone"]
        assert os.listdir(laptop.path("efivars")) == []
        assert [n for n in os.listdir(laptop.path("state")) if n != "outbox"] == []
        assert os.listdir(laptop.path("state", "outbox")) == []
    finally:
        laptop.remove()


def test_kill_without_delivery():
    """kill while the server cannot be reached: power off after 20 s all the same; the proof stays on the ESP"""
    laptop = enrolled_laptop()
    try:
        laptop.command("kill")
        time.sleep(22)
        assert open(laptop.path("stdout")).read() == "power off\n"
        with open(laptop.path("esp", "EFI", "holdfast", "kill-proof.jws")) as f:
            proof = verify("holdfast-event", f.read(), laptop.org.attestation)
        assert proof["kind"] == "command-done" and proof["detail"]["volumes"][0]["read_back"], proof
    finally:
        laptop.remove()


def test_kill_after_recovery_start():
    """kill after a start without any key: everything is erased all the same"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        laptop.stop()
        laptop.start()
        laptop.drain()
        events = laptop.command("kill")
        assert events[-1]["detail"]["volumes"][0]["read_back"]
        nothing_opens(laptop, old, laptop.secrets)
    finally:
        laptop.remove()


def damage_store(laptop):
    for copy in ("store.0", "store.1"):
        with open(laptop.path("esp", "EFI", "holdfast", copy), "r+b") as f:
            f.write(b"garbage!")


def test_kill_with_a_damaged_store():
    """kill on a laptop whose ESP is damaged: the hand-off of this start still names the volumes.
    It once erased nothing, and sent the proof of a kill all the same."""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        damage_store(laptop)
        events = laptop.command("kill")
        assert events[-1]["kind"] == "command-done", events
        assert [v["read_back"] for v in events[-1]["detail"]["volumes"]] == [True], events
        nothing_opens(laptop, old, laptop.secrets)
    finally:
        laptop.remove()


def test_kill_without_any_list():
    """kill when neither store nor hand-off names a volume: refused and reported, never done"""
    laptop = enrolled_laptop()
    try:
        damage_store(laptop)
        os.remove(laptop.path("handoff"))
        events = laptop.command("kill")
        assert [e["kind"] for e in events] == ["command-refused"], events
        assert "NOTHING was erased" in events[0]["detail"]["text"], events
        assert not laptop.status()["killed"]
    finally:
        laptop.remove()


def test_kill_that_fails_on_a_volume():
    """kill while a volume cannot be written: "kill-incomplete", not "command-done"; pre-boot is left to finish"""
    laptop = enrolled_laptop()
    try:
        os.truncate(laptop.image, 0)
        events = laptop.command("kill")
        assert [e["kind"] for e in events] == ["kill-incomplete"], events
        assert not events[0]["detail"]["volumes"][0]["read_back"], events
        tombstone = laptop.path("esp", "EFI", "holdfast", "tombstone")
        assert b"PENDING" in open(tombstone, "rb").read()
    finally:
        laptop.remove()


if __name__ == "__main__":
    main([test_kill, test_kill_without_delivery, test_kill_after_recovery_start,
          test_kill_with_a_damaged_store, test_kill_without_any_list, test_kill_that_fails_on_a_volume])
