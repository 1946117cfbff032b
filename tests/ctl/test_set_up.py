#!/usr/bin/python3
"""holdfast-ctl when things go wrong: a set-up that is interrupted, refused or given twice, an officer whom the server
refuses, Ctrl-C at the passphrase, an audit log that was cut off, and a server that shows other settings than were
signed."""
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))

from organisation import BIN, OFFICER, PASSPHRASE, Organisation, claim_for_host  # noqa: E402

DONE, FAILED, USAGE, REFUSED = range(4)
PENDING = "claim-pending.json"


def expect(got, status, *words):
    assert got[0] == status, f"exit status {got[0]} instead of {status}: {got[1]}"
    for word in words:
        assert word in got[1], f"{word!r} is missing in: {got[1]}"


def files(organisation):
    return sorted(os.listdir(organisation.officer))


def init(organisation, claim, sheet):
    return organisation.ctl("init", "--officer", OFFICER, "--claim", claim, "--recovery-sheet", sheet, check=False)


def failed_set_up_leaves_nothing(organisation, claim):
    """a set-up that fails before the server is asked leaves nothing behind, and can be given again"""
    taken = pathlib.Path(organisation.folder, "taken")
    taken.write_text("somebody's")
    expect(init(organisation, claim, taken), FAILED, "recovery sheet")
    assert files(organisation) == [] and taken.read_text() == "somebody's", files(organisation)


def server_is_down(organisation, claim):
    """a server that is down, then an answer that is lost: the same command again finishes the set-up"""
    sheet = organisation.sheet = os.path.join(organisation.folder, "sheet")
    organisation.stop()
    expect(init(organisation, claim, sheet), FAILED, "give the same command again")
    assert PENDING in files(organisation), files(organisation)
    text = pathlib.Path(sheet).read_text()
    pending = pathlib.Path(organisation.officer, PENDING)
    copy = shutil.copy(pending, organisation.folder)
    organisation.start()
    expect(init(organisation, claim, sheet), DONE, "Enterprise")
    shutil.copy(copy, pending)
    expect(init(organisation, claim, sheet), DONE, "Enterprise")
    assert PENDING not in files(organisation) and pathlib.Path(sheet).read_text() == text
    expect(organisation.ctl("device", "list", check=False), DONE)
    expect(init(organisation, claim, sheet), USAGE, "earlier set-up")


def secrets_are_for_the_officer_alone(organisation, _):
    """the officer's folder and all files that init made are for the officer alone"""
    for path in [organisation.sheet, *(os.path.join(organisation.officer, n) for n in files(organisation))]:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path


def claimed_by_others(organisation, claim):
    """a server that others have claimed: refused, and nothing is left in the way of another try"""
    folder = pathlib.Path(organisation.folder, "second")
    done = subprocess.run([BIN / "holdfast-ctl", "--dir", folder, "--passphrase-file", organisation.passphrase_file,
                           "init", "--officer", "eve", "--claim", claim, "--recovery-sheet", folder / "sheet"],
                          capture_output=True, text=True, check=False)
    expect((done.returncode, done.stderr), REFUSED, "claimed")
    assert os.listdir(folder) == [], os.listdir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def refused_officer_leaves_no_key(organisation, _):
    """an officer whom the server refuses leaves no key file behind"""
    secret = pathlib.Path(organisation.folder, "new")
    secret.write_text("nine copper kettles\n")
    add = ("--officer", OFFICER, "officer", "add", "bob", "--new-passphrase-file", secret)
    expect(organisation.ctl(*add, check=False), DONE)
    os.remove(os.path.join(organisation.officer, "bob.officer-key"))
    expect(organisation.ctl(*add, check=False), REFUSED, "bob already")
    assert "bob.officer-key" not in files(organisation)


def passphrase_from_a_pipe(organisation, _):
    """the passphrase may come through a pipe, so that it lies in no file"""
    done = subprocess.run(["bash", "-c", f"{BIN}/holdfast-ctl --dir {organisation.officer} "
                           f"--passphrase-file <(echo '{PASSPHRASE}') policy show --json"],
                          capture_output=True, text=True, check=False)
    expect((done.returncode, done.stdout + done.stderr), DONE, '"one_time_codes": 4')



def ctrl_c_gives_the_echo_back(organisation, _):
    """Ctrl-C and SIGTERM at the passphrase end the program, and the terminal has its echo again"""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs us in the background has it ignored
    for end in (lambda t: t.sendintr(), lambda t: os.kill(int(t.pid), signal.SIGTERM)):
        t = pexpect.spawn(str(BIN / "holdfast-ctl"), ["--dir", organisation.officer, "device", "list"], timeout=20)
        t.expect("Passphrase of olivia")
        assert t.waitnoecho(5), "the passphrase would be shown"
        end(t)
        # The other end of the terminal tells until it is closed.
        while t.isalive():
            pass
        assert t.signalstatus in (signal.SIGINT, signal.SIGTERM), (t.exitstatus, t.signalstatus)
        assert t.getecho(), "the terminal has no echo any more"
        t.close()
    t = pexpect.spawn(str(BIN / "holdfast-ctl"), ["--dir", organisation.officer, "policy", "show"], timeout=20)
    t.expect("Passphrase of olivia")
    t.waitnoecho(5)
    t.sendline(PASSPHRASE)
    t.expect("one_time_codes")
    t.expect(pexpect.EOF)


def help_is_everywhere(organisation, _):
    """--help answers before and behind options, commands, and their verbs"""
    for arguments in (["--help"], ["--json", "--help"], ["device", "kill", "--help"], ["officer", "add", "-h"]):
        expect(organisation.ctl(*arguments, check=False), DONE, "usage: holdfast-ctl")
    expect(organisation.ctl("device", "kill", "x", "--wait", "-1", check=False), USAGE, "--wait")


def change(path, *statements):
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def unsigned_settings_are_not_signed(organisation, _):
    """settings that the server shows, but no officer has signed, do not get into the next policy"""
    organisation.stop()
    change(os.path.join(organisation.data, "vault/vault.db"), "UPDATE policies SET settings = '{\"one_time_codes\":2}'")
    organisation.start()
    organisation.ctl("policy", "set", "sync_interval_s=60")
    shown = organisation.ctl_json("policy", "show")
    assert shown["settings"]["one_time_codes"] == 4 and shown["settings"]["sync_interval_s"] == 60, shown


def every_setting_can_be_set(organisation, _):
    """policy set and show: every kind of setting, texts from files, a picture; what is wrong is named with its bound"""
    banner, notes = pathlib.Path(organisation.folder, "banner"), pathlib.Path(organisation.folder, "latin-1")
    banner.write_text("If found:\nGrüße, back\\slash")
    notes.write_bytes(b"caf\xe9")
    organisation.ctl("policy", "set", "organisation=Example & Söhne", f"banner=@{banner}", "keyboard_layout=de",
                     "failure_limit=7", "failure_action=kill", "contact_warn_days=10", "contact_lock_days=20",
                     "password_days=90", "password_min_length=12", "single_user=true", "duress=true", "beep=true",
                     "high_contrast=true", "large_type=true")
    want = {"organisation": "Example & Söhne", "banner": banner.read_text(), "keyboard_layout": "de", "logo": 0,
            "failure_limit": 7, "failure_action": "kill", "contact_warn_days": 10, "contact_lock_days": 20,
            "password_days": 90, "password_min_length": 12, "single_user": True, "duress": True, "beep": True,
            "high_contrast": True, "large_type": True}
    shown = organisation.ctl_json("policy", "show")["settings"]
    assert {n: shown[n] for n in want} == want, shown
    text = organisation.ctl("policy", "show")
    for line in ("failure_action       kill", "banner               If found:\\nGrüße, back\\\\slash",
                 "logo                 none", "single_user          true", "password_days        90"):
        assert line in text.splitlines(), (line, text)
    version = organisation.ctl_json("policy", "show")["version"]
    for wrong, words in (("failure_limit=1001", "failure_limit: 0 to 1000"), ("failure_limit=4", "5 to 1000"),
                         ("failure_action=erase", "delay, lock or kill"), ("duress=1", "neither true nor false"),
                         ("contact_warn_days=20", "less than contact_lock_days, which is 20"),
                         ("banner=a\\tb", "backslash"), (f"organisation={'x' * 64}", "at most 63 bytes"),
                         ("organisation=a\nb", "one line"), ("keyboard_layout=klingon", "keyboard_layout: "),
                         ("password_min_length=", "no number"), ("colour=red", "no setting 'colour'"),
                         ("=1", "NAME=VALUE"), ("beep", "NAME=VALUE"), ("logo=" + str(banner), "logo")):
        got = organisation.ctl("policy", "set", wrong, check=False)
        assert got[0] in (USAGE, FAILED) and words in got[1], (wrong, got)
    expect(organisation.ctl("policy", "set", f"banner=@{notes}", check=False), FAILED, "UTF-8")
    expect(organisation.ctl("policy", "set", "banner=@/nonexistent", check=False), FAILED, "/nonexistent")
    assert organisation.ctl_json("policy", "show")["version"] == version, "nothing of it was published"
    organisation.ctl("policy", "set", "banner=one\\ntwo", "failure_action=delay", "organisation=")
    shown = organisation.ctl_json("policy", "show")["settings"]
    assert (shown["banner"], shown["failure_action"], shown["organisation"]) == ("one\ntwo", "delay", ""), shown
    described = organisation.ctl("policy", "--help")
    assert all(f"  {name} " in described for name in shown), described
    assert "0 to 1000 (0)" in described and "delay, lock or kill (delay)" in described


def cut_off_audit_is_noticed(organisation, _):
    """a log that was cut off is noticed, even when the whole server lies: the officer keeps the last checkpoint"""
    expect(organisation.ctl("audit", check=False), DONE, "leads to the server's signed checkpoint")
    expect(organisation.ctl("audit", check=False), DONE)
    organisation.stop()
    change(os.path.join(organisation.data, "frontend/holdfast.db"), "DELETE FROM audit WHERE n > 3")
    organisation.start()
    expect(organisation.ctl("audit", check=False), FAILED)
    organisation.stop()
    change(os.path.join(organisation.data, "vault/vault.db"), "DELETE FROM meta WHERE name LIKE 'checkpoint%'")
    organisation.start()
    expect(organisation.ctl("audit", check=False), FAILED, "cut off or changed since the last audit")
    os.remove(os.path.join(organisation.officer, "audit-checkpoint.jws"))
    expect(organisation.ctl("audit", check=False), DONE)


STEPS = (failed_set_up_leaves_nothing, server_is_down, secrets_are_for_the_officer_alone, claimed_by_others,
         refused_officer_leaves_no_key, passphrase_from_a_pipe, ctrl_c_gives_the_echo_back, help_is_everywhere,
         unsigned_settings_are_not_signed, every_setting_can_be_set, cut_off_audit_is_noticed)


def main():
    organisation = Organisation()
    organisation.start()
    try:
        claim = claim_for_host(organisation.claim())
        for step in STEPS:
            step(organisation, claim)
            print("ok:", step.__doc__, flush=True)
    finally:
        organisation.stop()
        shutil.rmtree(organisation.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
