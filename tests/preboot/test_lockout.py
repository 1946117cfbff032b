#!/usr/bin/python3
"""holdfast.efi in a virtual machine, at a serial terminal: passwords that must be changed, wrong answers that lead to
a lock or a kill, days without contact, the duress password; with power cuts, stores copied back and wrong clocks.
Prints what each step shows."""
import datetime
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rig  # noqa: E402
import speaker  # noqa: E402
from installation import PASSWORD, USER, Installation, show  # noqa: E402

WRONG_PASSWORD, CODE_USED, LOCKED, CHANGED, DOUBTED, OVERDUE = 2, 4, 9, 10, 12, 13
FOR_FAILURES, FOR_CONTACT = 1, 2
NOW = datetime.datetime(2026, 11, 22, 10)
TODAY = (NOW - datetime.datetime(1970, 1, 1)).days
AREA_BYTES = 32 << 20
VOLUME = f"volume={rig.PARTITION.replace('-', '')}:{AREA_BYTES}"
LOCKED_TEXT = "locked: a one-time code is needed"
WRONG_TEXT = "wrong password, key or code"


def after(days):
    return (NOW + datetime.timedelta(days=days)).isoformat()


def start(p, days=0, **options):
    p.laptop.start(clock=after(days), **options)


def type_twice(p, first, second=None):
    p.laptop.see("New password: ")
    p.laptop.type(first + "\r")
    p.laptop.see("The same again: ")
    p.laptop.type((second or first) + "\r")


def prepare(p):
    p.install_targets()
    p.make_store("users", "generation=5", f"user=anna:the first one,must-change,changed={TODAY - 10}",
                 f"user=bob:bobs old password,changed={TODAY - 100}", "user=carol:carols password,duress=help me please",
                 "password_days=90", "password_min=12", "organisation=Example Organisation",
                 r"banner=If found, please call +49 30 1234567.\nThank you.")


def must_change(p):
    """In a machine without graphics: the firmware's text console is all there is."""
    laptop = p.laptop
    p.install_store("users")
    start(p, panel=None)
    laptop.see("Example Organisation")
    laptop.see("Laptop: test laptop")
    laptop.see(r"If found, please call \+49 30 1234567\.\s+Thank you\.")
    p.log_in("the first one")
    laptop.told("MESSAGE_MUST_CHANGE", "password")
    type_twice(p, "too short")
    laptop.told("MESSAGE_PASSWORD_SHORT", "password", 12)
    type_twice(p, "the first one")
    laptop.told("MESSAGE_PASSWORD_SAME", "password")
    type_twice(p, "the second password", "the second passwort")
    laptop.told("MESSAGE_PASSWORDS_DIFFER")
    type_twice(p, "the second password")
    laptop.told("MESSAGE_PASSWORD_CHANGED", "password")
    h = laptop.handoff()
    assert h.user == "anna" and h.generation == 6 and h.event(CHANGED) == 0, vars(h)
    for copy in p.stores():
        assert "generation 6\n" in copy and f"user anna sealed changed {TODAY}\n" in copy, copy
    assert p.opens("anna", "the second password") == ["opens"] * 2
    assert p.opens("anna", "the first one") == [WRONG_TEXT] * 2
    show("initial password: a short one, the same, two different ones are refused; the new one is in both copies, "
         "reported, and the kernel starts (text console, no graphics)")


def change_wanted(p):
    laptop = p.laptop
    start(p)
    p.log_in("the first one", "anna")
    laptop.told("MESSAGE_WRONG_PASSWORD", "password")
    laptop.counts_down(1)
    show("the old password is refused")
    p.log_in("help me please", "carol")
    laptop.told("MESSAGE_WRONG_PASSWORD", "password")
    laptop.counts_down(2)
    show("a duress password is a wrong one where policy does not allow it")
    laptop.see("User name: ")
    laptop.type("\x10")
    laptop.told("MESSAGE_CHANGE_LATER", "password")
    p.log_in("the second password", "anna")
    laptop.see("Choose a new password")
    laptop.see("Esc: Keep the old one")
    type_twice(p, "the third password")
    laptop.told("MESSAGE_PASSWORD_CHANGED", "password")
    h = laptop.handoff()
    assert h.event(CHANGED) == 0 and h.event(WRONG_PASSWORD) == 2 and h.generation == 7, vars(h)
    assert p.opens("anna", "the third password") == ["opens"] * 2
    show("Ctrl-P: the new password opens, and the change is reported with the failures before it")


def expired(p):
    laptop = p.laptop
    start(p)
    p.log_in("bobs old password", "bob")
    laptop.told("MESSAGE_EXPIRED", "password", 100)
    type_twice(p, "bobs new password")
    laptop.told("MESSAGE_PASSWORD_CHANGED", "password")
    laptop.cut()
    assert all(f"user bob sealed changed {TODAY}\n" in copy for copy in p.stores())
    assert p.opens("bob", "bobs new password") == ["opens"] * 2
    show("password older than policy allows: changed, and dated; the power is cut right behind that")


def lock_after_failures(p):
    """Three tries in three starts, with the store copied back in between."""
    laptop = p.laptop
    options = ("user=anna:" + PASSWORD, "codes=2", "failures=3:lock", "flag=single-user", "flag=beep")
    codes = p.make_store("single", "generation=20", *options)
    p.install_store("single")
    sound = p.folder / "refused.wav"
    start(p, speaker=sound)
    laptop.see("Password: ")
    assert b"User name" not in laptop.child.before
    laptop.type("wrong one\r")
    laptop.told("MESSAGE_WRONG_PASSWORD_LEFT", "password", 2, "locks itself")
    laptop.counts_down(1)
    laptop.see("Password: ")
    laptop.cut()
    assert speaker.tones(sound) == [880, 220, 880], speaker.tones(sound)
    show("single user: only the password is asked for; two tries are left, which is said; beeps high, low, high")
    p.install_store("single")
    start(p)
    laptop.see("Password: ")
    laptop.type("wrong two\r")
    laptop.told("MESSAGE_WRONG_PASSWORD_LEFT", "password", 1, "locks itself")
    laptop.counts_down(2)
    laptop.cut()
    show("the count and the growing delay outlive a power cut and a store copied back")
    start(p)
    laptop.see("Password: ")
    laptop.type("wrong three\r")
    laptop.told("MESSAGE_LOCKED_FAILURES")
    laptop.counts_down(4)
    laptop.see("Challenge: ")
    laptop.see("Code: ")
    laptop.cut()
    assert all("user anna dropped" in copy and "code 1 sealed" in copy for copy in p.stores())
    assert p.opens(USER, PASSWORD) == [LOCKED_TEXT] * 2
    show("locked: no copy has a user's seal, so that no program opens it with the right password")
    code_brings_it_back(p, codes, options)


def code_brings_it_back(p, codes, options):
    laptop = p.laptop
    p.install_store("single")
    assert p.opens(USER, PASSWORD) == ["opens"] * 2
    start(p)
    laptop.told("MESSAGE_LOCKED_FAILURES")
    laptop.see("Challenge: ")
    assert p.opens(USER, PASSWORD) == [LOCKED_TEXT] * 2
    show("the store from before the lock copied back: locked again before anybody is asked")
    p.type_code(codes["code 1"])
    h = laptop.handoff()
    assert h.event(WRONG_PASSWORD) == 3 and h.event(LOCKED) == FOR_FAILURES and h.event(CODE_USED) == 1, h.events
    show("the helpdesk's code starts the laptop; three failures, the lock and the code are reported")
    # What the agent does then: seals for everybody again.
    p.make_store("sealed again", "generation=21", *options)
    p.install_store("sealed again")
    sound = p.folder / "opened.wav"
    start(p, speaker=sound)
    laptop.see("Password: ")
    laptop.type(PASSWORD + "\r")
    h = laptop.handoff()
    assert h.user == USER and not {e["kind"] for e in h.events} & {WRONG_PASSWORD, LOCKED}, h.events
    assert speaker.tones(sound) == [880, 660, 990], speaker.tones(sound)
    show("sealed again: the password opens, the count has begun anew; beeps rise")


def power_cut_while_checking(p):
    """Somebody who cuts the power before the answer is told."""
    laptop = p.laptop
    p.make_store("slow", "generation=30", f"user={USER}:{PASSWORD}", "codes=1", "failures=2:lock", "memory=65536",
                 "passes=8")
    p.install_store("slow")
    for guess in ("guess one", "guess two", "guess three"):
        start(p)
        p.log_in(guess)
        laptop.see(r"Checking \.\.\.")
        laptop.cut()
    assert p.opens(USER, PASSWORD) == ["opens"] * 2
    show("power cut during three checks, two of which policy allows: no answer was told, nothing is locked")
    start(p)
    p.log_in("guess four")
    laptop.told("MESSAGE_LOCKED_FAILURES")
    laptop.see("Code: ")
    laptop.cut()
    assert p.opens(USER, PASSWORD) == [LOCKED_TEXT] * 2
    show("the first wrong answer that is told counts with all of them: locked")


def kill_after_failures(p):
    laptop = p.laptop
    laptop.new_firmware()
    laptop.fill_area(b"K")
    p.make_store("kill", "generation=40", f"user={USER}:{PASSWORD}", "codes=1", "failures=5:kill", VOLUME)
    p.install_store("kill")
    start(p)
    for left, delay in ((4, 1), (3, 2), (2, 4), (1, 8)):
        p.log_in(f"wrong with {left} left")
        laptop.told("MESSAGE_WRONG_PASSWORD_LEFT", "password", left, "erases itself")
        laptop.counts_down(delay)
    p.log_in("wrong for the last time")
    laptop.told("MESSAGE_ERASING")
    time.sleep(0.15)
    laptop.cut()
    left = laptop.area()[:AREA_BYTES].count(b"K" * 4096)
    assert laptop.has("/EFI/holdfast/tombstone")
    laptop.delete("/EFI/holdfast/tombstone")
    show("five wrong answers, each with a longer delay: the erasure begins; power cut in it, "
         f"{left * 4096 >> 20} of {AREA_BYTES >> 20} MiB still to do, and the tombstone taken away")
    start(p)
    laptop.told("MESSAGE_ERASING")
    laptop.told("MESSAGE_ERASED_VOLUME", 1, 1, "erased")
    laptop.told("MESSAGE_ERASED_RULES")
    laptop.type(" ")
    laptop.off()
    erased(p)
    show("next start: finished without any credential; headers, store and boot files are gone")


def erased(p):
    laptop = p.laptop
    area = laptop.area()
    assert b"K" * 64 not in area[:AREA_BYTES], "keys are left on the disk"
    assert area[AREA_BYTES:] == b"K" * (len(area) - AREA_BYTES), "erased further than the header"
    for gone in ("store.0", "store.1", "boot/current/vmlinuz", "boot/previous/initrd.img"):
        assert not laptop.has(f"/EFI/holdfast/{gone}"), gone
    stone = p.folder / "tombstone"
    stone.write_bytes(laptop.get("/EFI/holdfast/tombstone"))
    assert rig.tool("state", stone).strip() == "ERASED"
    laptop.delete("/EFI/holdfast/tombstone")
    p.install_targets()


def duress(p):
    laptop = p.laptop
    laptop.fill_area(b"K")
    p.make_store("duress", f"user={USER}:{PASSWORD},duress=help me please", "flag=duress", VOLUME)
    p.install_store("duress")
    start(p)
    p.log_in("help me please")
    laptop.told("MESSAGE_ERASED_RULES")
    laptop.type(" ")
    laptop.off()
    erased(p)
    show("duress password where policy allows it: erased, with the words of too many wrong answers")


def contact(p):
    laptop = p.laptop
    last = int((NOW - datetime.datetime(1970, 1, 1)).total_seconds())
    options = (f"user={USER}:{PASSWORD}", "codes=2", f"contact=30:60:{last}")
    codes = p.make_store("contact", "generation=50", "crowd=249", *options)
    p.install_store("contact")
    start(p, 40)
    laptop.told("MESSAGE_CONTACT_WARNING_LOCK", 40, 20)
    p.log_in()
    h = laptop.handoff()
    assert h.event(OVERDUE) == 40 and h.event(DOUBTED) is None, h.events
    show("40 days without contact: warned that it locks in 20, unlocks (the last of 250 users), reported")
    for years, doubt in ((10, 1), (-10, 2)):
        start(p, 365 * years)
        laptop.told("MESSAGE_CONTACT_WARNING_LOCK", 40, 20)
        p.log_in()
        h = laptop.handoff()
        assert h.event(OVERDUE) == 40 and h.event(DOUBTED) == doubt, h.events
        show(f"clock {years:+} years: not believed, which is reported; nobody is locked out")
    start(p, 70)
    laptop.told("MESSAGE_LOCKED_CONTACT", 70)
    laptop.see("Code: ")
    laptop.type("\x10")
    laptop.told("MESSAGE_CHANGE_LATER", "password")
    assert p.opens(USER, PASSWORD) == [LOCKED_TEXT] * 2
    p.type_code(codes["code 1"])
    laptop.told("MESSAGE_CHANGE_BY_PASSWORD")
    h = laptop.handoff()
    assert h.event(LOCKED) == FOR_CONTACT and h.event(OVERDUE) == 70 and h.event(CODE_USED) == 1, h.events
    show("70 days: locked, no copy has a user's seal; a code opens (and changes nobody's password), all reported")
    p.make_store("contact again", "generation=51", *options)
    p.install_store("contact again")
    start(p, 71)
    laptop.see("User name: ")
    assert b"in touch" not in laptop.child.before, rig.screen(laptop.child.before)
    laptop.cut()
    show("the day after: the helpdesk's code counted as contact")


def main():
    steps = [must_change, change_wanted, expired, lock_after_failures, power_cut_while_checking, kill_after_failures,
             duress, contact]
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="lockout-") as folder:
        p = Installation(folder)
        try:
            prepare(p)
            for step in steps:
                if not wanted or step.__name__ in wanted:
                    step(p)
        finally:
            if p.laptop.child:
                p.laptop.cut()
    print("lockout: all shown")


if __name__ == "__main__":
    main()
