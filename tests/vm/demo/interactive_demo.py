"""The demo in a terminal: the laptop's screen and keyboard are yours; notes of the demo stand between its lines."""
import os
import re
import select
import sys
import termios
import threading
import time
import tty

from laptop import PANEL, Laptop, enforced
from machine import OUT
from organisation import PASSPHRASE, Organisation, payload
from page import ink, missed, note, say, seen, title

LEAVE = b"\x1d"  # Ctrl-]


class ScreenFilter:
    """The firmware clears the screen and goes to its corner, which would take the instructions away."""

    CLEARING = re.compile(rb"\x1b\[(2J|01;01H|=3h)")
    UNFINISHED = re.compile(rb"\x1b(\[[0-9;=?]*)?$")

    def __init__(self):
        self.rest = b""

    def __call__(self, content):
        content = self.rest + content
        unfinished = self.UNFINISHED.search(content)
        self.rest = unfinished.group(0) if unfinished else b""
        return self.CLEARING.sub(b"", content[:len(content) - len(self.rest)])


class Terminal:
    """Raw keyboard; what others print gets carriage returns."""

    def __enter__(self):
        self.before = termios.tcgetattr(0)
        tty.setraw(0)
        mode = termios.tcgetattr(0)
        mode[1] |= termios.OPOST | termios.ONLCR
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        return self

    def __exit__(self, *_):
        termios.tcsetattr(0, termios.TCSADRAIN, self.before)


def panel():
    """VNC=ADDRESS (127.0.0.1:17): the laptop has a panel, which any VNC viewer shows."""
    address = os.environ.get("VNC")
    return (*PANEL, "-vnc", address) if address else ()


class Demo:
    def __init__(self, organisation, laptop):
        self.organisation, self.laptop = organisation, laptop
        self.enrolled = self.enforced = self.killed = self.left = False
        self.shown = False  # the start after a kill is the last one
        self.wrong = []

    def introduce(self):
        ctl = self.write_ctl()
        title("Holdfast: your virtual laptop")
        say(f"The server runs at https://127.0.0.1:{self.organisation.port}/ with an officer and a recovery sheet.")
        say("The laptop starts now, in this terminal. At its pre-boot screen type")
        say()
        say(f"      User name:  {ink('1', self.laptop.user)}")
        say(f"      Password:   {ink('1', self.laptop.password)}     (try a wrong one first)")
        say()
        say("When Debian is up it is enrolled by itself, and you are root at its console: holdfast status")
        say("In another terminal you are the officer:")
        say()
        for command, about in (("device show laptop", "what the server knows: escrow, policy, users"),
                               ("device sync laptop", "harmless, signed by the server"),
                               ("remote-help CHALLENGE", "restart the laptop (reboot), press Ctrl-R at 'User name:', read it the code"),
                               ("device lock laptop", "passwords open nothing until a code has"),
                               ("escrow show laptop --reason test", "the recovery key"),
                               ("device kill laptop", "destroys it; afterwards try anything"),
                               ("audit", "who did what")):
            say(f"      {ink('1', f'{ctl} {command}')}")
            say(ink("2", f"          {about}"))
        say()
        say(f"{ink('1', 'Ctrl-]')} ends the demo.")
        say()

    def write_ctl(self):
        """A short name for the officer's command line."""
        path = OUT / "demo/ctl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n# The officer of the running demo.\n"
                        f"exec '{OUT}/host/bin/holdfast-ctl' --dir '{self.organisation.officer}' "
                        f"--passphrase-file '{self.organisation.passphrase_file}' \"$@\"\n")
        path.chmod(0o755)
        return os.path.relpath(path)

    def watch(self):
        """Beside the screen: enrol, and tell what happens."""
        try:
            self.laptop.wait_control_forever()
            self.laptop.wait_status(lambda s: True, "both daemons answer", 120)
            note_line("Debian is up, opened by the hand-off. Enrolling: holdfast enroll TOKEN")
            self.laptop.run(f"holdfast enroll '{self.organisation.token()}'", seconds=120)
            self.enrolled = True
            detail = self.organisation.wait_device("laptop", lambda d: d["policy_version"] >= 1, "policy", 120)
            count = sum(1 for e in detail["escrow"] if e["current"])
            seen_line(f"Escrow proven: {count} records, the server's signed receipt checked.")
            self.laptop.wait_status(enforced, "policy enforced", 120)
            self.enforced = True
            seen_line("Policy enforced. Your turn: holdfast status here, or the officer's commands in another terminal.")
            while not self.left and not self.killed:
                time.sleep(1)
                detail = self.organisation.device("laptop")
                if detail["state"] == "killed" and detail["kill_proof"]:
                    self.killed = True
                    volume = payload(detail["kill_proof"])["detail"]["volumes"][0]
                    seen_line(f"Killed. The server holds the signed proof: {volume['bytes'] >> 20} MiB overwritten.")
        except Exception as error:  # shown when the screen is ours again
            if not self.left:
                self.wrong.append(error)
                note_line(f"The demo could not go on by itself: {error}")

    def bridge(self):
        """Keyboard and screen, until the machine goes off or Ctrl-]."""
        port = self.laptop.serial_socket()
        screen_filter = ScreenFilter()
        with Terminal():
            while self.laptop.process.poll() is None:
                ready, _, _ = select.select([0, port], [], [], 0.5)
                if 0 in ready:
                    keys = os.read(0, 256)
                    if LEAVE in keys or not keys:
                        self.left = True
                        return
                    for key in keys:
                        port.sendall(bytes([key]))
                        time.sleep(0.01)
                if port in ready:
                    try:
                        screen = port.recv(65536)
                    except OSError:
                        return
                    if not screen:
                        return
                    os.write(1, screen_filter(screen))

    def run(self):
        self.introduce()
        self.laptop.reboots, self.laptop.drains = True, False
        self.laptop.start(extra=panel())
        threading.Thread(target=self.watch, daemon=True).start()
        self.bridge()
        while not self.left:
            self.laptop.kill()
            if self.shown:
                return
            self.shown = self.killed or self.server_says_killed()
            say()
            note("The laptop went off. It is switched on again in 3 seconds (Ctrl-] ends the demo).")
            time.sleep(3)
            self.laptop.start(extra=panel())
            self.bridge()

    def server_says_killed(self):
        return self.enrolled and self.organisation.device("laptop")["state"] == "killed"


def note_line(text):
    say()
    note(text)


def seen_line(text):
    say()
    seen(text)


def run():
    say(f"Preparing (the first time takes minutes). The officer's passphrase is '{PASSPHRASE}'.")
    with Organisation() as organisation, Laptop("demo") as laptop:
        demo = Demo(organisation, laptop)
        demo.run()
    if demo.enforced and not demo.wrong:
        seen("Enrolment, escrow and policy were observed." + (" And the kill." if demo.killed else ""))
        return 0
    missed("You left before the policy was enforced." if not demo.wrong else f"{demo.wrong[0]}")
    return 1
