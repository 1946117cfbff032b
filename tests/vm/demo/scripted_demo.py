"""The demo that types for itself and tells the story to the end."""
import time
import traceback

import storefile
from laptop import PANEL, Laptop, enforced, guest
from machine import OUT, ROOT
from organisation import Organisation, payload
from page import chapter, missed, note, quote, say, seen, title


class Story:
    def __init__(self, organisation, laptop):
        self.organisation, self.laptop = organisation, laptop
        self.observed = 0

    def seen(self, condition, text):
        if not condition:
            missed(text)
            raise AssertionError(f"not observed: {text}")
        self.observed += 1
        seen(text)

    def tell(self):
        self.switch_on()
        self.unlock()
        self.enrol()
        self.remote_help()
        self.kill()
        self.nothing_opens()

    def switch_on(self):
        chapter(1, "The laptop is switched on")
        note("UEFI firmware starts holdfast.efi from the disk, before any operating system.")
        self.laptop.start(extra=PANEL)
        self.laptop.expect("User name:")
        quote(self.laptop.serial.before.rsplit("\x1b", 1)[-1].split("H", 1)[-1] + "User name:")
        picture = OUT / "screens/demo-prompt.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        self.laptop.screenshot(picture)
        note(f"This is the serial port. The laptop's panel shows {picture.relative_to(ROOT)}.")
        self.laptop.type(self.laptop.user)
        self.laptop.expect("Password:")
        note("Somebody tries a password: 'wrong horse 7'.")
        self.laptop.type("wrong horse 7")
        quote(self.laptop.expect_text("Wrong user name or password. Try again; look at the keyboard layout and at Caps Lock."))
        self.seen(True, "A wrong password is refused, and the next try has to wait.")

    def unlock(self):
        chapter(2, "The right password")
        note(f"{self.laptop.user} types '{self.laptop.password}'. Debian's own kernel starts; the key travels in memory.")
        begin = time.monotonic()
        self.laptop.unlock()
        self.laptop.wait_agent()
        self.seen("/dev/mapper/root / ext4" in self.laptop.run("cat /proc/mounts"),
                  f"Debian is up after {time.monotonic() - begin:.0f} s, from the encrypted disk, with one password.")
        quote(self.laptop.run("grep -E '^(PRETTY_NAME)' /etc/os-release; uname -sr; dmsetup ls"), "laptop")

    def enrol(self):
        chapter(3, "The laptop joins its organisation")
        note("The officer makes an enrolment token; on the laptop: holdfast enroll TOKEN")
        self.laptop.run(f"holdfast enroll '{self.organisation.token()}'", seconds=120)
        self.laptop.wait_status(enforced, "policy enforced")
        detail = self.organisation.wait_device("laptop", lambda d: d["policy_version"] >= 1, "policy enforced")
        current = [e["kind"] for e in detail["escrow"] if e["current"]]
        self.seen("recovery-key" in current and "one-time-code" in current,
                  f"Recovery key and {current.count('one-time-code')} one-time codes are escrowed, and the server's "
                  "signed receipt was checked.")
        self.laptop.wait_status(lambda s: s["network"]["session"] == "user", "a session with the user's proof")
        self.seen(True, "The policy is enforced, in a session with the proof of the user who unlocked the disk.")
        quote(self.laptop.run("holdfast status"), "laptop")

    def remote_help(self):
        chapter(4, "A forgotten password: help by telephone")
        self.laptop.shutdown()
        self.laptop.start()
        challenge = self.laptop.preboot_challenge()
        note(f"The screen shows the challenge {challenge}. The user reads it out; the helpdesk types:")
        note(f"  holdfast-ctl remote-help {challenge}")
        code = self.organisation.remote_help(challenge)
        quote(f"Code    {code}", "helpdesk")
        self.laptop.type(code.replace("-", ""))
        self.laptop.wait_agent()
        self.seen(True, "The code starts the laptop.")
        self.organisation.wait_event("laptop", "preboot-code-used")
        self.laptop.wait_status(enforced, "settled")
        self.seen(True, "The server knows which code was used. It is burned: the unlock key has been changed.")

    def kill(self):
        chapter(5, "The laptop is stolen: kill")
        self.recovery_key = self.organisation.recovery_key("laptop")
        before = self.laptop.disk()
        copy = storefile.of_disk(before)
        self.password_key = copy.unlock_key(copy.user(self.laptop.user), self.laptop.password.encode())
        self.seen(before.opens(self.recovery_key.encode()) and before.opens(self.password_key),
                  "Until now the password and the escrowed recovery key open the disk.")
        note("  holdfast-ctl device kill laptop")
        begin = time.monotonic()
        quote(self.organisation.device_command("laptop", "kill", wait=60), "officer")
        answered = time.monotonic() - begin
        self.laptop.wait_off(120)
        self.seen(True, f"The laptop erased its keys and answered within {answered:.1f} s, then switched itself off.")
        detail = self.organisation.wait_device("laptop", lambda d: d["state"] == "killed" and d["kill_proof"], "proof")
        volume = payload(detail["kill_proof"])["detail"]["volumes"][0]
        self.seen(volume["read_back"] is True,
                  f"The server holds the laptop's signed proof: {volume['bytes'] >> 20} MiB of headers and keyslots "
                  "overwritten and read back.")

    def nothing_opens(self):
        chapter(6, "Nothing opens the disk any more")
        disk = self.laptop.disk()
        self.seen(not disk.opens(self.recovery_key.encode()), "Not the recovery key, with stock cryptsetup.")
        self.seen(not disk.opens(self.password_key),
                  "Not the password, even with a copy of the boot partition made before.")
        self.laptop.start()
        quote(self.laptop.expect_text("This laptop has been erased by its organisation."))
        self.seen(True, "And the screen says so.")
        self.laptop.kill()


def run():
    title("Holdfast: one laptop, end to end")
    say("A virtual laptop with UEFI, a real Debian, a real server. Every ✓ was observed just now.")
    begin = time.monotonic()
    story = None
    try:
        note("Making the laptop's disk, unless it is there already.")
        guest()
        with Organisation() as organisation, Laptop("demo") as laptop:
            seen("The server runs; the officer root, escrow keys and a recovery sheet were made.")
            story = Story(organisation, laptop)
            story.tell()
    except Exception as error:  # told to a person, with the reason
        missed(f"It stopped here: {error}")
        traceback.print_exc()
        return 1
    title(f"All {story.observed} steps observed in {time.monotonic() - begin:.0f} s.")
    say("In a terminal, `make demo` lets you type for yourself. docs/demo.md explains each step.")
    return 0
