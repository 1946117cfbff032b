#!/usr/bin/python3
"""Real key codes, through a PS/2 and a USB keyboard and the firmware's own drivers: what the keys type in which layout,
and a password that was set in Linux unlocks when the same keys are pressed. Prints what each step shows."""
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rig  # noqa: E402
from installation import Installation, USER, show  # noqa: E402

# Keys by their places on a US keyboard, "less" is the ISO key beside left Shift; what Linux types with them.
ALTGR = "alt_r-"
UNLOCKS = [
    ("ps2", "de", ["shift-y", "equal", "e", ALTGR + "q", "less", "shift-less", ALTGR + "less", "caps_lock", "semicolon",
                   "1", "caps_lock", "minus", "equal", "x", "shift-spc"], "Z\u00e9@<>|\u00d61\u00df'x "),
    ("usb", "fr", ["q", "2", "shift-1", "bracket_left", "e", "ctrl-alt-0", ALTGR + "e", "caps_lock", "2", "q",
                   "caps_lock", "less", "shift-less", "shift-m"], "a\u00e91\u00ea@\u20ac\u00c9A<>?"),
]
# In the order in which F4 comes to them, after "ru" and "us".
WALK = [
    ("us(intl)", ["apostrophe", "e", "shift-apostrophe", "u", "d", "apostrophe", "t"], "\u00e9\u00fcd't"),
    ("us(dvorak)", ["a", "s", "d", "f", "q"], "aoeu'"),
    ("us(colemak)", ["a", "s", "d", "f"], "arst"),
    ("gb", ["shift-apostrophe", "shift-2", "shift-3", "less", "shift-less"], "@\"\u00a3\\|"),
    ("ch", ["y", "bracket_left", ALTGR + "2"], "z\u00fc@"),
    ("be", ["q", "2", ALTGR + "2"], "a\u00e9@"),
    ("nl", ["shift-bracket_left", "e"], "\u00ea"),
    ("es", ["semicolon", "apostrophe", "e", ALTGR + "2"], "\u00f1\u00e9@"),
    ("it", ["bracket_left", "semicolon", ALTGR + "semicolon"], "\u00e8\u00f2@"),
    ("pt", ["semicolon", "bracket_right", "a"], "\u00e7\u00e1"),
    ("se", ["bracket_left", "apostrophe", ALTGR + "2"], "\u00e5\u00e4@"),
    ("no", ["semicolon", "apostrophe"], "\u00f8\u00e6"),
    ("dk", ["semicolon", "apostrophe"], "\u00e6\u00f8"),
    ("fi", ["bracket_left", "semicolon"], "\u00e5\u00f6"),
    ("pl", [ALTGR + "a", ALTGR + "shift-z", ALTGR + "x"], "\u0105\u017b\u017a"),
    ("cz", ["2", "shift-2", "equal", "o", "y", "caps_lock", "2", "caps_lock"], "\u011b2\u00f3z\u011a"),
    ("hu", ["0", "less", ALTGR + "v"], "\u00f6\u00ed@"),
    ("tr", ["i", "shift-i", "apostrophe", "shift-apostrophe"], "\u0131Ii\u0130"),
    ("gr", ["a", "semicolon", "a", "shift-semicolon", "semicolon", "i"], "\u03b1\u03ac\u0390"),
    ("jp", ["shift-2", "bracket_left", "equal"], "\"@^"),
]


class Keyboards(Installation):
    def begin(self, keyboard, layout, password):
        """Switched on, with a store whose rules say this layout; the password is asked for, and shown."""
        name = f"{keyboard}-{layout}"
        self.make_store(name, "generation=5", f"user={USER}:{password}", f"layout={layout}")
        self.install_targets()
        self.install_store(name)
        self.laptop.new_firmware()
        self.laptop.start(keyboard=keyboard)
        self.laptop.see("User name: ")
        self.laptop.type(USER + "\r")
        self.laptop.see("Password: ")
        self.laptop.key("f5")

    def type_keys(self, keys, text):
        """The firmware's terminal shows ASCII only; what else was typed is told by whether it unlocks."""
        for key in keys:
            if key.endswith("-less"):
                time.sleep(0.5)  # counts only if pre-boot sees it at once, and is not busy with drawing
            self.laptop.key(key)
        self.laptop.see("".join("." if c > "~" else c if c == " " else re.escape(c) for c in text.rstrip()))

    def enter(self, what):
        self.laptop.key("ret")
        h = self.laptop.handoff()
        assert h.user == USER and h.kind == 1, vars(h)
        show(f"{what}: unlocked")


def unlock(p, keyboard, layout, keys, password):
    """By the keys that a person presses."""
    p.begin(keyboard, layout, password)
    p.type_keys(keys, password)
    p.enter(f"{keyboard}, {layout}: \"{password}\"")


def terminal(p):
    """A terminal has applied its own layout, and sends UTF-8, whatever the laptop's layout is."""
    password = "Z\u00e9@<\u20acz\u0439"
    p.begin("ps2", "cz", password)
    p.laptop.type(password)
    p.laptop.see("Z.@<.z.")
    p.enter(f"terminal: \"{password}\"")


def walk(p):
    """One password, with characters of many layouts: from one without Latin letters to all others with F4."""
    laptop = p.laptop
    p.begin("usb", "ru", "\u043f\u0440\u0451Ab 1!" + "".join(text for _, _, text in WALK))
    p.type_keys(["g", "h", "grave_accent"], "\u043f\u0440\u0451")
    laptop.key("f4")
    laptop.told("MESSAGE_LAYOUT", "us", "English (US)")
    p.type_keys(map(rig.us_key, "Ab 1!"), "Ab 1!")
    show("ru: F4 comes to us at once")
    for layout, keys, text in WALK:
        for _ in range(100):
            laptop.key("f4")
            now = laptop.see(r"Keyboard layout: ([\w()-]+) \(.*?\[HF-701\]").group(1).decode()
            if now == layout:
                break
        else:
            raise AssertionError(f"F4 never comes to {layout}")
        p.type_keys(keys, text)
        show(f"{layout}: {text}")
    p.enter("all of them in one password")
    laptop.start(keyboard="usb")
    laptop.see("User name: ")
    laptop.key("shift-2", "bracket_left", "equal")
    laptop.see(re.escape("\"@^"))
    show("the layout that was chosen last is there at the next start")


def main():
    with tempfile.TemporaryDirectory(prefix="keyboard-") as folder:
        p = Keyboards(folder)
        try:
            for row in UNLOCKS:
                unlock(p, *row)
            terminal(p)
            walk(p)
        finally:
            if p.laptop.child is not None and p.laptop.child.isalive():
                p.laptop.child.close(force=True)


main()
