#!/usr/bin/python3
"""The command line with the real daemons: users, passwords from a pipe and at a terminal, the page that is watched."""
import contextlib
import json
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import time
import zlib

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from hostlaptop import BIN, HANDOFF_TOOL, PASSWORD, USER, HostLaptop, HostOrganisation, wait_until  # noqa: E402


def unlocks(laptop, user, password):
    """Does this open the disk, by the store on the ESP?"""
    return subprocess.run([HANDOFF_TOOL, "opens", laptop.esp, user, laptop.image], input=password + "\n", text=True,
                          capture_output=True, check=False).returncode == 0


def png(width, height):
    """A picture of 256 colours, so that its logo is as large as one can be."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes((x * 7 + y) % 256 for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) +
            chunk(b"PLTE", bytes(c for i in range(256) for c in (i, 255 - i, i // 2))) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def logo_bytes(organisation):
    """Of the largest logo, which comes with the enrolment, and again with each policy."""
    size = organisation.ctl_json("policy", "show")["settings"]["logo"]
    assert size == 16 + 256 * 4 + 320 * 96, size
    return size


def users(laptop):
    return [u["name"] for u in json.loads(laptop.ask("user", "list", "--json")[1])["users"]]


def piped(laptop):
    """Passwords from a pipe; what is refused changes nothing."""
    assert laptop.ask("user", "add", "bob", text="bob's first\n")[0] == 0
    assert users(laptop) == [USER, "bob"] and unlocks(laptop, "bob", "bob's first")
    assert laptop.ask("user", "passwd", "bob", text="bob's second\n")[0] == 0
    assert unlocks(laptop, "bob", "bob's second") and not unlocks(laptop, "bob", "bob's first")
    assert unlocks(laptop, USER, PASSWORD), "the others keep theirs"
    for arguments, text, status, words in (
            (("add", "bob"), "again and again\n", 1, "exists"), (("passwd", "nobody"), "x of nobody\n", 1, "user"),
            (("remove", "nobody"), "", 1, "user"), (("passwd", "bob"), "\n", 1, "empty"),
            (("passwd", "bob"), "", 1, "no password"), (("passwd", "bob"), "x" * 257 + "\n", 1, "256"),
            (("passwd",), "", 2, "one name"), (("remove", "a", "b"), "", 2, "one name"), (("rename", "bob"), "", 2, "no command")):
        code, out, err = laptop.ask("user", *arguments, text=text)
        assert code == status and words in err, (arguments, code, out, err)
    assert unlocks(laptop, "bob", "bob's second")
    code, out, _ = laptop.ask("user", "remove", "bob")
    assert code == 0 and "cannot unlock" in out
    assert users(laptop) == [USER] and not unlocks(laptop, "bob", "bob's second")
    assert laptop.ask("user", "remove", USER)[0] == 1, "the last one stays"
    print("ok      users: added, new password, removed; refusals change nothing")


def typed(laptop):
    """Passwords at a terminal: asked twice, never shown."""
    def ask(first, second):
        child = pexpect.spawn(str(BIN / "holdfast"), ["--run", str(laptop.run_dir), "user", "passwd", USER],
                              encoding="utf-8", timeout=30)
        shown = ""
        for question, answer in (("New password", first), ("same again", second)):
            child.expect(question)
            shown += child.before
            time.sleep(0.1)
            child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus, shown + child.before

    code, shown = ask("one of them", "another")
    assert code == 1 and "differ" in shown and unlocks(laptop, USER, PASSWORD), (code, shown)
    code, shown = ask("typed at a terminal", "typed at a terminal")
    assert code == 0 and "typed at" not in shown, (code, shown)
    assert unlocks(laptop, USER, "typed at a terminal") and not unlocks(laptop, USER, PASSWORD)
    print("ok      a password at a terminal: asked twice, never shown")


def enforced(laptop, name, value):
    setting = laptop.status()["policy"]["settings"][name]
    return setting["value"] == value and setting["state"] == "enforced"


def policy(laptop, organisation):
    """What an officer sets reaches the store of the laptop, with the largest logo; what it does there is shown."""
    code, _, err = laptop.ask("user", "duress", USER, text="help! help!\n")
    assert code == 1 and "policy does not allow" in err, err
    organisation.ctl("policy", "set", f"banner={'x' * 1000}", "duress=true", "password_days=30",
                     "password_min_length=10", "contact_lock_days=40", "keyboard_layout=fr")
    wait_until("the policy is enforced", lambda: enforced(laptop, "keyboard_layout", "fr"))
    assert enforced(laptop, "logo", logo_bytes(organisation))
    before = laptop.status()["contact"]["last"]
    laptop.end_holdfastd()
    time.sleep(1.1)
    laptop.start_holdfastd()
    wait_until("a later time of the server", lambda: laptop.status()["contact"]["last"] > before)
    page = laptop.holdfast("status")
    for words in (f"Password   of {USER} has to be changed in 3", "Keyboard   fr, before the start",
                  "Contact    server's signed time: ", "without the server it locks after 40 days"):
        assert words in page, (words, page)
    code, out, err = laptop.ask("user", "duress", USER, text="help! help!\n")
    assert code == 0 and "erases" in out, err
    assert unlocks(laptop, USER, "typed at a terminal") and not unlocks(laptop, USER, "help! help!")
    code, out, err = laptop.ask("user", "duress", USER, "--remove")
    assert code == 0 and "no duress password" in out, err
    assert laptop.ask("user", "add", "carol", "--must-change", text="a first one\n")[0] == 0
    listed = laptop.ask("user", "list")[1]
    assert re.search(r"^carol  password  must change the password  password expires \d{4}-\d\d-\d\d$", listed, re.M), listed
    assert "duress" not in listed
    for arguments, words in ((("remove", "carol", "--must-change"), "does not take"), (("add", "eve", "--remove"), "does not take"),
                             (("duress",), "one name")):
        code, _, err = laptop.ask("user", *arguments, text="x\n")
        assert code == 2 and words in err, (arguments, err)
    assert "at least 10" in laptop.ask("user", "passwd", "carol", text="too short\n")[2]
    assert laptop.ask("user", "remove", "carol")[0] == 0
    print("ok      policy for pre-boot: set by an officer, enforced on the laptop, shown to its user")


def events(laptop, organisation):
    """What happened is listed for officers with the time at which it happened, held against the laptop's key."""
    laptop.ask("sync")
    listed = organisation.ctl_json("device", "events", laptop.name)
    by_kind = {e["kind"]: e for e in listed}
    assert {"enrolled", "started", "preboot-unlocked", "policy-enforced", "user-added", "user-removed"} <= set(by_kind)
    assert listed[0]["received"] >= listed[-1]["received"] and len(listed) <= 50
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    unlocked = by_kind["preboot-unlocked"]
    assert abs(unlocked["time"] + unlocked["detail"]["age"] - (time.time() - up)) < 120, "when it happened, not when it was told"
    text = organisation.ctl("device", "events", laptop.name, "--last", "3")
    assert len(text.splitlines()) == 3 and "UTC" in text, text
    assert organisation.ctl_json("device", "events", laptop.name, "--last", "0") == []
    with contextlib.closing(sqlite3.connect(pathlib.Path(organisation.data, "frontend/holdfast.db"))) as db, db:
        db.execute("UPDATE events SET jws = substr(jws, 1, length(jws) - 8) || 'AAAAAAAA' WHERE kind = 'started'")
    code, text = organisation.ctl("device", "events", laptop.name, check=False)
    assert code == 1 and "against the key of" in text and "changed by somebody" in text, (code, text)
    print("ok      events: listed for officers, with the time at which they happened")


def watched(laptop, organisation):
    """status --watch shows each change, also when a daemon goes and comes back."""
    child = pexpect.spawn(str(BIN / "holdfast"), ["--run", str(laptop.run_dir), "status", "--watch"],
                          encoding="utf-8", timeout=30)
    lines = pexpect.spawn("/bin/sh", ["-c", f"{BIN}/holdfast --run {laptop.run_dir} status --watch --json | cat"],
                          encoding="utf-8", timeout=30)
    child.expect("NOT MANAGED")
    lines.expect('"enrolled": ?false')
    picture = laptop.folder / "logo.png"
    picture.write_bytes(png(320, 96))
    organisation.ctl("policy", "set", f"logo={picture}")
    laptop.enrol(organisation)
    child.expect("PROTECTED: policy version 2")
    child.expect("keeps no number of the store")
    lines.expect('"state": ?"enforced"')
    laptop.end_holdfastd()
    child.expect("holdfastd isn't running")
    laptop.start_holdfastd()
    child.expect("PROTECTED")
    policy(laptop, organisation)
    events(laptop, organisation)
    organisation.ctl("device", "lock", laptop.name)
    child.expect("LOCKED by the organisation: the next start needs a one-time code")
    lines.expect('"locked": ?true')
    for one in (child, lines):
        one.close(force=True)
    print("ok      status --watch: enrolment, a daemon that goes and comes, a lock")


def main():
    with HostOrganisation() as organisation, HostLaptop() as laptop:
        laptop.start()
        piped(laptop)
        typed(laptop)
        laptop.stop()
        laptop.start(password="typed at a terminal")
        watched(laptop, organisation)


main()
