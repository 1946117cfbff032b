#!/usr/bin/python3
"""holdfast.efi on panels of several sizes, with PS/2 and USB keyboards: every page as a person meets it. What must stand
there is looked for in the picture; the pictures stay in build/out/screens. Prints what each step shows."""
import datetime
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rig  # noqa: E402
from installation import INITIAL, NEW, PASSWORD, USER, show  # noqa: E402
from screens import Screens  # noqa: E402

ORGANISATION = ("organisation=Example Organisation", "logo=1", r"banner=If found, please call +49 30 1234567.\nThank you.")
HEADER = ("Example Organisation", "test laptop", "Device SBBSG-XTTSF", "If found, please call +49 30 1234567.", "Thank you.")
ALWAYS = ("F4", "Keyboard", "F5", "Show typing", "F6", "Contrast, size")
NOW = datetime.datetime(2026, 11, 22, 10)
VOLUME = f"volume={rig.PARTITION.replace('-', '')}:{32 << 20}"


def prepare(p):
    p.install_targets()
    p.codes = p.make_store("main", "generation=5", f"user={USER}:{PASSWORD}", "codes=2", "failures=9:lock", "memory=65536",
                           "passes=6", *ORGANISATION)


def prompt(p):
    """1024 x 768, PS/2: the prompt, and the keys that work everywhere."""
    laptop = p.laptop
    p.install_store("main")
    laptop.start()
    p.shows("prompt", *HEADER, "Unlock this laptop", "This laptop is encrypted. Unlock it to start.", "User name",
            "F2", "One-time code", "F3", "Recovery key", "F7", "Change password", *ALWAYS, "Keyboard layout: us",
            absent=["Password", "Caps Lock is on", "HF-701"])
    laptop.key("caps_lock")
    laptop.keys(USER)
    p.shows("caps-lock", "Caps Lock is on", USER.upper())
    laptop.key("caps_lock", *["backspace"] * len(USER))
    laptop.keys(USER)
    p.shows("caps-lock-off", USER, absent=["Caps Lock is on"])
    show("prompt: organisation, banner, logo, laptop, keys; Caps Lock is said while it is on")
    laptop.key("f4")
    p.shows("layout", "Keyboard layout: us(intl)", *p.words("MESSAGE_LAYOUT", "us(intl)", "English (US, international)"))
    show("F4: the next layout is named")
    em = {}
    for name, contrast in (("contrast", True), ("large-type", False), ("contrast-large-type", True), ("plain-again", False)):
        laptop.key("f6")
        em[name] = p.shows(name, USER, contrast=contrast).em
    assert em["contrast"] == em["plain-again"] < em["large-type"] == em["contrast-large-type"], em
    show(f"F6: high contrast, large type, both, neither (em {em['contrast']} and {em['large-type']})")


def wrong_password(p):
    laptop = p.laptop
    laptop.keys("\rwrong one")
    p.shows("typed-hidden", "Password", "\u2022" * 9, absent=["wrong one"])
    laptop.key("f5")
    p.shows("typed-shown", "wrong one", absent=["\u2022" * 9])
    laptop.key("f5")
    p.shows("typed-hidden-again", "\u2022" * 9, absent=["wrong one"])
    show("password: dots; F5 shows and hides what is typed")
    laptop.keys("\r")
    laptop.see(r"Checking \.\.\.")
    p.shows_moving("checking", "Checking ...")
    p.shows("wrong-password", *p.words("MESSAGE_WRONG_PASSWORD", "password"), absent=["Checking ..."])
    show("the spinner moves while Argon2id works; then the message, its number and the delay")
    laptop.see("User name: ")
    laptop.key("f7")
    p.shows("change-later", *p.words("MESSAGE_CHANGE_LATER", "password"))


def code(p):
    laptop = p.laptop
    first = p.codes["code 1"].replace("-", "")
    laptop.key("f2")
    challenge = laptop.see(r"Challenge: ((\w{5}-?){3})").group(1).decode()
    p.shows("challenge", *HEADER, "One-time code", "Call your helpdesk and read out the challenge. Type the answer; hyphens come "
            "by themselves.", "Code", "Esc", "Back", code=challenge)
    mistyped = "B" if first[7] != "B" else "C"
    laptop.keys(first[:7].lower() + mistyped + first[8:10])
    p.shows("group-mistyped", *p.words("MESSAGE_GROUP_MISTYPED", 2), code=first[:5])
    laptop.keys("\r")
    p.shows("code-short", *p.words("MESSAGE_CODE_SHORT", 7, 5, 30))
    laptop.keys(first[5:9])
    laptop.key("ctrl-u")
    laptop.keys(p.codes["code 2"].replace("-", "") + "\r")
    p.shows("wrong-code", *p.words("MESSAGE_WRONG_CODE"))
    laptop.see("User name: ")
    show("challenge in large letters; a mistyped group, a short and a wrong code are named")
    laptop.key("f3")
    p.shows("recovery-key", "Recovery key", "Type the recovery key; hyphens come by themselves.")
    laptop.key("f2")
    p.shows("challenge-again", "One-time code", code=challenge)
    laptop.key("esc")
    p.shows("back", "Unlock this laptop")
    show("F3, F2, Esc lead from page to page")
    laptop.cut()


def must_change(p):
    """PS/2: every key of it real; nothing of them is left when the kernel has started."""
    laptop = p.laptop
    p.make_store("initial", "generation=6", f"user={USER}:{INITIAL},must-change", "password_min=8", "flag=single-user",
                 *ORGANISATION, targets=["previous"])
    p.install_store("initial")
    laptop.start()
    p.shows("single-user", "Password", absent=["User name"])
    laptop.key("f5")
    laptop.keys(INITIAL)
    p.shows("initial-password", INITIAL)
    traces = laptop.memory().traces({"the password": INITIAL})
    assert any("characters, 12 bytes" in t for t in traces) and any("scan codes" in t for t in traces), traces
    laptop.keys("\r")
    p.shows("must-change", "Choose a new password", "New password", *p.words("MESSAGE_MUST_CHANGE", "password"))
    for first, again, name, message in (("short", "short", "too-short", ("MESSAGE_PASSWORD_SHORT", "password", 8)),
                                        (NEW, NEW[:-1], "passwords-differ", ("MESSAGE_PASSWORDS_DIFFER",)),
                                        (INITIAL, INITIAL, "same-password", ("MESSAGE_PASSWORD_SAME", "password",))):
        laptop.keys(f"{first}\r{again}\r")
        p.shows(name, *p.words(*message))
    show("must change: a short one, two different ones, the same one are refused")
    laptop.key("f5")
    laptop.keys(NEW)
    p.shows("new-password", NEW)
    laptop.keys(f"\r{NEW}\r")
    h = laptop.handoff(linger=True)
    p.nothing_left(h, {"the initial password": INITIAL, "the new password": NEW})
    assert p.opens(USER, NEW) == ["opens"] * 2
    show("changed, and the kernel starts: black panel; no password and no key is left in memory, be it as "
         "characters, key structs or scan codes, although all of it was there while it was typed")


def locked(p):
    """1920 x 1080, USB: the organisation has locked it. A code brings it back and is not left in memory."""
    laptop = p.laptop
    codes = p.make_store("to lock", "generation=7", f"user={USER}:{PASSWORD}", "codes=1", "flag=contrast", *ORGANISATION,
                         targets=["previous"])
    p.put_both("lock", "to lock")
    laptop.new_firmware()
    laptop.start(panel=(1920, 1080), keyboard="usb")
    p.shows("locked", *HEADER, "One-time code", *p.words("MESSAGE_LOCKED"), contrast=True)
    typed = codes["code 1"].replace("-", "").lower()
    laptop.keys(typed + "\r")
    h = laptop.handoff(linger=True)
    p.nothing_left(h, {"the code": typed})
    show("locked: said, in the high contrast that policy asks for; the code, typed on a USB keyboard, opens and leaves "
         "no trace")


def contact_and_kill(p):
    """800 x 600: long texts on a small panel."""
    laptop = p.laptop
    last = int((NOW - datetime.datetime(1970, 1, 1)).total_seconds())
    p.make_store("contact", "generation=8", f"user={USER}:{PASSWORD},duress=help me please", f"contact=30:60:{last}",
                 "flag=duress", VOLUME, *ORGANISATION)
    p.install_store("contact")
    laptop.new_firmware()
    laptop.start(panel=(800, 600), clock=(NOW + datetime.timedelta(days=40)).isoformat())
    picture = p.shows("contact-warning", *HEADER, *p.words("MESSAGE_CONTACT_WARNING_LOCK", 40, 20))
    laptop.key("f6", "f6")
    p.shows("contact-warning-large", *p.words("MESSAGE_CONTACT_WARNING_LOCK", 40, 20), "User name", larger_than=picture.em)
    laptop.keys(f"{USER}\rhelp me please\r")
    laptop.told("MESSAGE_ERASING")
    p.shoot("erasing")
    p.shows("erased", "Erasure", *p.words("MESSAGE_ERASED_RULES"))
    laptop.key("spc")
    laptop.off()
    show("days without contact: warned; duress password: erased, and the page says so")


def no_store(p):
    """3840 x 2160, and no serial port: the panel and the keyboard are all there is."""
    laptop = p.laptop
    p.install_targets()
    p.install_store("main")
    laptop.new_firmware()
    laptop.delete("/EFI/holdfast/tombstone")
    laptop.start(panel=(3840, 2160), serial=False)
    p.shows("4k", *HEADER, "User name")
    laptop.keys(f"{USER}\rwrong\r")
    p.shows("4k-wrong-password", *p.words("MESSAGE_WRONG_PASSWORD", "password"))
    laptop.cut()
    laptop.flip("/EFI/holdfast/store.0", 900)
    laptop.delete("/EFI/holdfast/store.1")
    laptop.start(panel=(3840, 2160), serial=False)
    p.shows("4k-no-store", "This laptop does not start", "R", "Restart", "P", "Power off",
            *p.words("MESSAGE_NO_STORE", "damaged or half written: the checksum does not match", "not found"))
    laptop.keys("xp")
    laptop.off()
    show("4K without a serial port: unlocking, and both copies' problems with what to do; P switches off")


def main():
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="screens-") as folder:
        p = Screens(folder)
        try:
            prepare(p)
            for steps in ((prompt, wrong_password, code), (must_change,), (locked,), (contact_and_kill,), (no_store,)):
                if not wanted or steps[0].__name__ in wanted:
                    for step in steps:
                        step(p)
        finally:
            if p.laptop.child:
                p.laptop.cut()
    print("screens: all shown")


if __name__ == "__main__":
    main()
