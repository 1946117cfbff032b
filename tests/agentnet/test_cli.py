#!/usr/bin/python3
"""The command line with the real daemons: users, passwords from a pipe and at a terminal, the page that is watched."""
import json
import pathlib
import subprocess
import sys
import time

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from hostlaptop import BIN, HANDOFF_TOOL, PASSWORD, USER, HostLaptop, HostOrganisation  # noqa: E402


def unlocks(laptop, user, password):
    """Does this open the disk, by the store on the ESP?"""
    return subprocess.run([HANDOFF_TOOL, "opens", laptop.esp, user, laptop.image], input=password + "\n", text=True,
                          capture_output=True, check=False).returncode == 0


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


def watched(laptop, organisation):
    """status --watch shows each change, also when a daemon goes and comes back."""
    child = pexpect.spawn(str(BIN / "holdfast"), ["--run", str(laptop.run_dir), "status", "--watch"],
                          encoding="utf-8", timeout=30)
    lines = pexpect.spawn("/bin/sh", ["-c", f"{BIN}/holdfast --run {laptop.run_dir} status --watch --json | cat"],
                          encoding="utf-8", timeout=30)
    child.expect("NOT MANAGED")
    lines.expect('"enrolled": ?false')
    laptop.enrol(organisation)
    child.expect("PROTECTED: policy version 1")
    child.expect("keeps no number of the store")
    lines.expect('"state": ?"enforced"')
    laptop.end_holdfastd()
    child.expect("holdfastd isn't running")
    laptop.start_holdfastd()
    child.expect("PROTECTED")
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
        watched(laptop, organisation)


main()
