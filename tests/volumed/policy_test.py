#!/usr/bin/python3
"""Policy for pre-boot: the store's rules, the server's signed time, passwords' rules, and what pre-boot did itself."""
import json
import os
import struct
import time

from laptop import Laptop, enrolled_laptop, main
from organisation import Organisation, b64, sign_key
from sockets import Refused

HOUR, DAY = 3600, 86400
LOCKED, PASSWORD_CHANGED = 9, 10  # common/handoff.h
CHEAP = {"one_time_codes": 2, "kdf_memory_kib": 32768, "kdf_passes": 1}


def refused(call, *args):
    try:
        call(*args)
    except Refused as r:
        return r.about
    raise AssertionError("was not refused")


def logo(width=320, height=96, colours=256):
    """The largest that there is."""
    head = b"HFLOGO01" + struct.pack("<HHHH", width, height, colours, 0)
    return head + os.urandom(4 * colours) + bytes(i % colours for i in range(width * height))


def policy(laptop, version, **settings):
    laptop.ask("POLICY", laptop.org.policy(version, {**CHEAP, **settings}), laptop.org.certs())


def states(laptop, *names):
    settings = laptop.status()["policy"]["settings"]
    return [settings[n]["state"] for n in names]


def kinds(events):
    return [e["kind"] for e in events]


def test_rules():
    """every setting for pre-boot reaches the store, as one change, and a policy that says the same changes nothing"""
    picture = logo()
    laptop = enrolled_laptop(organisation="Example", logo=b64(picture))
    try:
        rules = laptop.rules()
        assert rules["organisation"] == "Example" and rules["logo"] == len(picture) == 31760, rules
        assert rules["layout"] and rules["min"] == 8 and rules["flags"] == 0, rules
        assert abs(rules["contact"] - time.time()) < 60, "enrolment is the first contact"
        before = laptop.generation()
        settings = {"organisation": "Grüße & Söhne", "banner": "If found:\n+49 30 1234", "logo": b64(picture),
                    "keyboard_layout": "fr", "failure_limit": 7, "failure_action": "kill",
                    "contact_warn_days": 10, "contact_lock_days": 20, "password_days": 90,
                    "password_min_length": 12, "credential": "password", "self_help": True, "single_user": True,
                    "duress": True, "beep": True,
                    "high_contrast": True, "large_type": True}
        policy(laptop, 2, **settings)
        contact = laptop.rules()["contact"]
        assert laptop.rules() == {
            "flags": 0x1f, "limit": 7, "action": 2, "min": 12, "warn": 10, "lock": 20, "days": 90,
            "contact": contact, "layout": "fr", "organisation": "Grüße & Söhne", "banner": 21,
            "logo": len(picture)}, laptop.rules()
        assert laptop.generation() == before + 1, "one change of the store"
        policy(laptop, 3, **settings)
        assert laptop.generation() == before + 1, "what says the same changes nothing"
        status = laptop.status()
        assert status["policy"]["state"] == "enforced" and status["keyboard_layout"] == "fr"
        shown = {n: s["value"] for n, s in status["policy"]["settings"].items()}
        assert shown == {**CHEAP, "sync_interval_s": 3600, **settings, "logo": len(picture)}, shown
        assert set(states(laptop, *settings)) == {"enforced"}
        assert len(laptop.ask("STATUS")) < 8000, "the picture itself stays out of it"
        for why, wrong, want in (("bound", {"failure_limit": 1001}, "failure_limit: 0 to 1000"),
                                 ("kill after few", {"failure_action": "kill", "failure_limit": 4}, "5 to 1000"),
                                 ("no layout", {"keyboard_layout": "klingon"}, "keyboard_layout: "),
                                 ("together", {"contact_warn_days": 3, "contact_lock_days": 3}, "less than")):
            assert want in refused(policy_of(laptop, wrong)), why
            told = [e for e in laptop.drain()[0] if e["kind"] == "policy-refused"]
            assert want in told[0]["detail"]["text"], (why, told)
        policy(laptop, 5)
        assert laptop.rules() == {
            "flags": 0, "limit": 0, "action": 0, "min": 8, "warn": 0, "lock": 0, "days": 0, "contact": contact,
            "layout": laptop.status()["keyboard_layout"], "organisation": "", "banner": 0, "logo": 0}
    finally:
        laptop.remove()


def policy_of(laptop, settings):
    return lambda: policy(laptop, 4, **settings)


def test_without_key():
    """a start past pre-boot has no unlock key: the settings wait, say so, and are enforced at the next real start"""
    laptop = enrolled_laptop()
    try:
        laptop.stop()
        laptop.start()  # the hand-off is stripped: as a daemon that was started without pre-boot
        policy(laptop, 2, beep=True)
        status = laptop.status()
        assert status["policy"]["state"].startswith("waiting") and status["policy"]["version"] == 2
        assert states(laptop, "beep", "sync_interval_s") == [
            "waiting for a start through Holdfast's own screen", "enforced"], states(laptop, "beep")
        assert laptop.rules()["flags"] == 0
        laptop.restart()
        assert laptop.rules()["flags"] == 4 and states(laptop, "beep") == ["enforced"]
        assert laptop.status()["policy"]["state"] == "enforced"
    finally:
        laptop.remove()


def test_keyboard():
    """pre-boot's keyboard is the laptop's own and follows it, where policy names none; passwords are held against it"""
    laptop = Laptop()
    laptop.activate()
    laptop.keyboard("de,us")
    try:
        assert laptop.boot()[0] == 0
        laptop.start()
        assert laptop.rules()["layout"] == "de" == laptop.status()["keyboard_layout"], "before there is an organisation"
        laptop.ask("USER_ADD", "bob", "Grüße an alle", 0)
        assert "at least 8" in refused(laptop.ask, "USER_ADD", "carol", "Grüße!!", 0), "characters count, not bytes"
        laptop.secrets = laptop.enrol(Organisation(), CHEAP)
        laptop.keyboard("fr")
        laptop.restart()
        assert laptop.rules()["layout"] == "fr"
        laptop.keyboard("de", "neo")
        laptop.restart()
        status = laptop.status()
        assert (status["keyboard_layout"], status["keyboard_configured"]) == ("de", "de(neo)"), status
        generation = laptop.generation()
        policy(laptop, 2, keyboard_layout="us")
        assert laptop.rules()["layout"] == "us" and laptop.generation() == generation + 1
        assert laptop.status()["keyboard_configured"] is None
        assert "cannot be typed" in refused(laptop.ask, "USER_ADD", "carol", "Grüße an alle", 0)
        assert "cannot be typed" in refused(laptop.ask, "USER_PASSWD", "bob", "Grüße an alle", 0)
        policy(laptop, 3)
        assert laptop.rules()["layout"] == "de"
    finally:
        laptop.remove()


def test_time():
    """the server's signed time: forged, misdirected and older ones are refused or change nothing; the ESP is spared"""
    laptop = enrolled_laptop()
    org, other = laptop.org, Organisation()
    try:
        first = laptop.rules()["contact"]
        for why, text in (("another key", org.time(first + DAY, key=sign_key())),
                          ("the officer's key", org.time(first + DAY, key=org.officer)),
                          ("another device", org.time(first + DAY, device="00" * 16)),
                          ("another enrolment", org.time(first + DAY, enrolment="00" * 16)),
                          ("a year that no laptop sees", org.time(2**50)),
                          ("a receipt", org.receipt([])), ("no JWS", "x")):
            refused(laptop.ask, "TIME", text)
            assert laptop.status()["contact"]["last"] == first, why
        before = laptop.generation()
        laptop.ask("TIME", org.time(first + 5 * HOUR))
        assert laptop.status()["contact"]["last"] == first + 5 * HOUR
        assert laptop.generation() == before and laptop.rules()["contact"] == first, "5 hours are not worth a write"
        laptop.ask("TIME", org.time(first + 7 * HOUR))
        assert laptop.rules()["contact"] == first + 7 * HOUR and laptop.generation() == before + 1
        laptop.ask("TIME", org.time(first))
        assert laptop.rules()["contact"] == first + 7 * HOUR == laptop.status()["contact"]["last"], "never backwards"
        policy(laptop, 2, contact_lock_days=1)
        before = laptop.generation()
        laptop.ask("TIME", org.time(first + 8 * HOUR))
        assert laptop.rules()["contact"] == first + 8 * HOUR, "a rule of one day is not misled by hours"
        laptop.restart()
        assert laptop.status()["contact"]["last"] == first + 8 * HOUR, "it outlives a start"
        assert other.enterprise != org.enterprise
    finally:
        laptop.remove()


def test_overdue():
    """a laptop that was not in touch for days says so, and until when"""
    laptop = Laptop()
    laptop.activate()
    assert laptop.boot()[0] == 0
    laptop.start()
    try:
        laptop.org = org = Organisation()
        request = laptop.ask("ENROL_BEGIN", org.token(), os.urandom(32))
        org.take_enrol(request)
        laptop.ask("ENROL_FINISH", org.enrolled(request, {**CHEAP, "contact_warn_days": 3, "contact_lock_days": 30},
                                                time=int(time.time()) - 5 * DAY))
        laptop.prove()
        contact = laptop.status()["contact"]
        assert contact["days"] == 5 and (contact["warn_days"], contact["lock_days"]) == (3, 30), contact
        assert [w for w in laptop.status()["waiting"] if "may lock itself" in w["for"] and w["do"]]
        laptop.ask("TIME", org.time())
        assert laptop.status()["contact"]["days"] == 0 and laptop.status()["waiting"] == []
    finally:
        laptop.remove()


def user(laptop, name="bob"):
    return [u for u in json.loads(laptop.ask("USER_LIST"))["users"] if u["name"] == name][0]


def test_passwords():
    """least length, must-change and expiry of passwords; a duress password, which nobody is told of"""
    laptop = enrolled_laptop(password_min_length=10, password_days=30)
    today = int(time.time() / DAY)
    try:
        for short in ("nine char", "x"):
            assert "at least 10" in refused(laptop.ask, "USER_ADD", "bob", short, 0), short
        laptop.ask("USER_ADD", "bob", "ten chars.", 1)
        listed = user(laptop)
        assert listed["must_change"] and not listed["locked"], listed
        assert abs(listed["expires"] - (today + 31) * DAY) <= DAY, listed
        assert "user 'bob' sealed 1 flags 1 day %d" % (listed["expires"] // DAY - 31) in laptop.show(), laptop.show()
        assert "at least 10" in refused(laptop.ask, "USER_PASSWD", "bob", "too short", 0)
        laptop.ask("USER_PASSWD", "bob", "another of ten", 0)
        assert not user(laptop)["must_change"]
        listed = user(laptop)
        assert laptop.status()["booted_by"]["password_expires"], "alice's, from activation"

        assert "policy does not allow" in refused(laptop.ask, "USER_DURESS", "bob", "help! help!")
        policy(laptop, 2, duress=True)
        for who, password, want in (("nobody", "help! help!", "not found"), ("bob", "short", "at least 8"),
                                    ("bob", "another of ten", "another one")):
            assert want in refused(laptop.ask, "USER_DURESS", who, password), want
        laptop.ask("USER_DURESS", "bob", "help! help!")
        assert user(laptop) == {**listed, "expires": None}, "the list says nothing of it"
        assert laptop.boot("bob", "help! help!")[1].strip() == "hand-off: ERR_DURESS"
        assert laptop.opens(user="bob", password="another of ten")
        policy(laptop, 3)
        refused(laptop.ask, "USER_DURESS", "bob", "help! help!")
        laptop.ask("USER_DURESS", "bob", "")
        assert laptop.boot("bob", "help! help!")[1].strip() == "hand-off: ERR_AUTH"
        laptop.ask("USER_DURESS", "bob", "")
        assert laptop.opens(user="bob", password="another of ten"), "taking away what is not there changes nothing"
    finally:
        laptop.remove()


def occurred(events, kind):
    return [e for e in events if e["kind"] == kind][0]


def test_locked_by_preboot():
    """a laptop that pre-boot has locked: a code, or the recovery key, seals it anew; the server hears when and why"""
    laptop = enrolled_laptop()
    secrets = laptop.secrets
    try:
        for n, start in enumerate(({"code": secrets[1], "number": 1}, {"code": secrets["recovery"]})):
            laptop.stop()
            laptop.lock_at_preboot()
            assert laptop.boot()[1].strip() == "hand-off: ERR_LOCKED"
            assert laptop.boot(**start, events=[(LOCKED, n + 1)])[0] == 0
            laptop.start()
            assert laptop.opens(), "sealed anew"
            status = laptop.status()
            assert not status["locked"] and status["locked_by"] is None
            laptop.events.clear()
            laptop.prove()
            told = occurred(laptop.events, "preboot-locked")
            assert told["detail"] == {"value": n + 1, "age": 1, "cause": ("failures", "no contact")[n]}, told
            up = time.clock_gettime(time.CLOCK_BOOTTIME)
            assert abs(told["time"] - (time.time() - up - 1)) < 5, "the time at which it happened, by the kernel's start"
            assert laptop.boot()[0] == 0
        laptop.ask("COMMAND", laptop.org.command("lock", args={"restart": False}), laptop.org.certs())
        status = laptop.status()
        assert status["locked"] and status["locked_by"] == "organisation"
        assert "locked" in refused(laptop.ask, "USER_ADD", "bob", "bob's password", 0)
    finally:
        laptop.remove()


def test_recovery_before_enrolment():
    """locked at pre-boot and started by the recovery key before there is an organisation: sealed anew as well"""
    laptop = Laptop()
    laptop.activate()
    try:
        laptop.lock_at_preboot()
        assert laptop.boot(code=laptop.first_recovery)[0] == 0
        laptop.start()
        assert laptop.opens() and laptop.status()["locked"] is False
        assert laptop.rules()["layout"] and laptop.rules()["min"] == 8, "activation has set them"
    finally:
        laptop.remove()


def test_changed_at_preboot():
    """a password changed at pre-boot: an earlier copy of the ESP opens nothing with the old one, once for each start"""
    laptop = enrolled_laptop()
    try:
        old = laptop.save_esp()
        laptop.stop()
        code, out, err = laptop.boot_changing("alice's password", "chosen at pre-boot", day=20000)
        assert code == 0, out + err
        assert laptop.opens(esp=old), "not yet: nothing of the disk was changed"
        laptop.start()
        assert laptop.opens(password="chosen at pre-boot") and not laptop.opens()
        assert not laptop.opens(esp=old), "the old password with the old store"
        assert laptop.opens_code(1, laptop.secrets[1]) and laptop.opens_recovery(laptop.secrets["recovery"])
        told = laptop.drain()[0]
        assert kinds(told).count("credential-changed") == 1 and "preboot-password-changed" in kinds(told), kinds(told)
        generation = laptop.generation()
        laptop.stop(hard=True)
        laptop.start()
        assert laptop.generation() == generation and "credential-changed" not in kinds(laptop.drain()[0])
        assert laptop.restart(password="chosen at pre-boot").status()["waiting"] == []
    finally:
        laptop.remove()


def test_many_users():
    """250 users and the largest logo: enrolled, listed, told to the server, one of them removed, all of it quick"""
    laptop = Laptop()
    laptop.activate()
    laptop.fill(249)
    try:
        assert laptop.boot()[0] == 0
        laptop.start()
        picture = logo()
        laptop.secrets = laptop.enrol(Organisation(), {**CHEAP, "logo": b64(picture)})
        assert laptop.org.users[0]["subject"].startswith("alice/") and len(laptop.org.users) == 60
        added = {e["detail"]["user"] for e in laptop.events if e["kind"] == "user-added"}
        assert len(added) == 250, "those that did not fit into the enrolment are told of afterwards"
        assert len(json.loads(laptop.ask("USER_LIST"))["users"]) == 250 == laptop.status()["users"]
        assert laptop.status()["policy"]["state"] == "enforced" and laptop.rules()["logo"] == len(picture)
        old = laptop.save_esp()
        begun = time.time()
        laptop.ask("USER_REMOVE", "user007@a-rather-long.example.org")
        seconds = time.time() - begun
        assert laptop.opens() and not laptop.opens(esp=old) and laptop.status()["users"] == 249
        assert seconds < 5, f"{seconds:.1f} s for one user"
        laptop.restart()
        assert laptop.status()["waiting"] == []
    finally:
        laptop.remove()


if __name__ == "__main__":
    main([test_rules, test_without_key, test_keyboard, test_time, test_overdue, test_passwords, test_locked_by_preboot,
          test_recovery_before_enrolment, test_changed_at_preboot, test_many_users])
