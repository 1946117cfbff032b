#!/usr/bin/python3
"""Officers with the real holdfast-ctl, server and a laptop of this machine: what each may, what a passphrase without its
key file opens, and what the recovery sheet is good for."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from hostlaptop import BIN, HostLaptop, HostOrganisation  # noqa: E402

OTHER_PASSPHRASE = "nine copper kettles\n"
DONE, FAILED, USAGE, REFUSED = range(4)


class Officer:
    """Somebody at a machine of their own: a folder with the profile, and whatever else they have."""

    def __init__(self, organisation, name, passphrase=OTHER_PASSPHRASE):
        self.folder = pathlib.Path(organisation.folder, f"folder-{name}")
        self.folder.mkdir()
        shutil.copy(pathlib.Path(organisation.officer, "profile.json"), self.folder)
        self.passphrase_file = self.folder / "passphrase"
        self.passphrase_file.write_text(passphrase)

    def ctl(self, *arguments):
        done = subprocess.run([str(a) for a in (BIN / "holdfast-ctl", "--dir", self.folder, "--passphrase-file",
                                                self.passphrase_file, *arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr


def expect(got, status, *words):
    assert got[0] == status, f"exit status {got[0]} instead of {status}: {got[1]}"
    for word in words:
        assert word in got[1], f"{word!r} is missing in: {got[1]}"


def sheet_appoints_and_opens(organisation, laptop):
    """the recovery sheet alone appoints an officer, who opens the laptop's recovery key"""
    bob = Officer(organisation, "bob")
    expect(bob.ctl("officer", "add", "bob", "--sheet", organisation.sheet, "--new-passphrase-file",
                   bob.passphrase_file), DONE, "bob is appointed")
    shown = bob.ctl("escrow", "show", laptop.name, "--reason", "audit of the sheet")
    expect(shown, DONE)
    assert laptop.opens(shown[1].strip().encode()), "the recovery key that bob was shown opens nothing"


def mistyped_sheet_is_named(organisation, _):
    """a mistyped group of the sheet is named"""
    eve = Officer(organisation, "eve")
    text = pathlib.Path(organisation.sheet).read_text()
    code = text.split("Code: ")[1].split()[0]
    groups = code.split("-")
    groups[4] = ("C" if groups[4][0] == "B" else "B") + groups[4][1:]
    wrong = eve.folder / "sheet"
    wrong.write_text(text.replace(code, "-".join(groups)))
    expect(eve.ctl("officer", "add", "eve", "--sheet", wrong, "--new-passphrase-file", eve.passphrase_file), FAILED,
           "group 5 of the recovery sheet is mistyped")


def other_root_is_refused(organisation, _):
    """the sheet of another enterprise appoints nobody"""
    mallory = Officer(organisation, "mallory")
    with HostOrganisation() as other:
        expect(mallory.ctl("officer", "add", "mallory", "--sheet", other.sheet, "--new-passphrase-file",
                           mallory.passphrase_file), FAILED, "signing in as ROOT")


def helpdesk_may_help_and_no_more(organisation, laptop):
    """a helpdesk officer sees laptops and opens codes, but makes no policy, token, officer, or audit"""
    carl = Officer(organisation, "carl")
    organisation.ctl("officer", "add", "carl", "--helpdesk", "--new-passphrase-file", carl.passphrase_file)
    key_file = pathlib.Path(organisation.officer, "carl.officer-key")
    shutil.move(key_file, carl.folder)
    expect(carl.ctl("device", "show", laptop.name), DONE, "recovery key, 4 one-time codes")
    expect(carl.ctl("escrow", "show", laptop.name, "--reason", "call 17"), DONE)
    for forbidden in (["policy", "set", "one_time_codes=5"], ["enroll-token"], ["audit"], ["officer", "list"]):
        expect(carl.ctl(*forbidden), REFUSED, "permission")


def passphrase_alone_opens_nothing(organisation, laptop):
    """the right passphrase without the officer key file, or with another one, signs nobody in"""
    thief = Officer(organisation, "thief", pathlib.Path(organisation.passphrase_file).read_text())
    expect(thief.ctl("escrow", "show", laptop.name, "--reason", "x"), FAILED, "officer key file")
    other = next(pathlib.Path(organisation.folder, "folder-carl").glob("*.officer-key"))
    shutil.copy(other, thief.folder / "olivia.officer-key")
    expect(thief.ctl("escrow", "show", laptop.name, "--reason", "x"), FAILED, "sign-in refused")


def audit_tells_it_all(organisation, _):
    """the audit log's chain holds up to the signed checkpoint, and has every release and refusal"""
    log = organisation.ctl("audit")
    for word in ("leads to the server's signed checkpoint", '"officer:bob"', "audit of the sheet", "call 17",
                 '"officer:ROOT"', "not-allowed", "sign-in-refused"):
        assert word in log, f"{word} is missing in the audit log:\n{log}"


def wrong_arguments_say_what_is_right(organisation, laptop):
    """each kind of wrong argument is named, and nothing is sent"""
    for arguments, status, words in (
            (["frob"], USAGE, "no command 'frob'"),
            (["device", "kill"], USAGE, "say: device list"),
            (["device", "show", "a/../b"], USAGE, "no laptop's id"),
            (["device", "show", "nosuch"], REFUSED, "no device"),
            (["escrow", "show", laptop.name], USAGE, "--reason TEXT is missing"),
            (["remote-help", "BBBBB-BBBBB-BBBBB"], USAGE, "mistyped"),
            (["remote-help", "BBB"], USAGE, "three groups"),
            (["policy", "set", "one_time_codes=99"], USAGE, "one_time_codes: 2 to 16"),
            (["policy", "set", "nosuch=1"], USAGE, "no setting 'nosuch'"),
            (["policy", "set", "one_time_codes=many"], USAGE, "no number"),
            (["enroll-token", "--uses", "0"], REFUSED, ""),
            (["officer", "add", "../x"], USAGE, "officer add NAME"),
            (["--dir", "/nowhere", "device", "list"], FAILED, "officer key file")):
        expect(organisation.ctl(*arguments, check=False), status, words)


STEPS = (sheet_appoints_and_opens, mistyped_sheet_is_named, other_root_is_refused, helpdesk_may_help_and_no_more,
         passphrase_alone_opens_nothing, audit_tells_it_all, wrong_arguments_say_what_is_right)


def main():
    with HostOrganisation() as organisation, HostLaptop() as laptop:
        laptop.start()
        laptop.enrol(organisation)
        for step in STEPS:
            step(organisation, laptop)
            print("ok:", step.__doc__, flush=True)


if __name__ == "__main__":
    main()
