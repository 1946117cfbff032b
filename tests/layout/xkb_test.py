#!/usr/bin/python3
"""Every key of every built-in keyboard layout, and every dead key with every key after it, against libxkbcommon: the
keys are pressed there one by one, as a desktop does it, where the generator asks for whole rows. What may be typed is
judged by Python's Unicode data."""
import ctypes
import pathlib
import re
import subprocess
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "build/out/host/tests/layout_tool"
SHIFT, ALTGR, CAPS = 1, 2, 4
COMPOSING, COMPOSED = 1, 2
EVDEV = {"shift": 50, "altgr": 108, "caps": 66}
# The places of a US keyboard, by evdev's key code: without Shift, with it. 94 is the ISO key.
PLACES = {49: "`~", 65: "  ", 51: "\\|", 94: "\0\0"}
for first, plain, shifted in ((10, "1234567890-=", "!@#$%^&*()_+"), (24, "qwertyuiop[]", "QWERTYUIOP{}"),
                              (38, "asdfghjkl;'", 'ASDFGHJKL:"'), (52, "zxcvbnm,./", "ZXCVBNM<>?")):
    PLACES.update({first + i: a + b for i, (a, b) in enumerate(zip(plain, shifted))})
KEYS = [(code, modifiers) for code in PLACES for modifiers in range(8)]

xkb = ctypes.CDLL("libxkbcommon.so.0")
POINTER, TEXT, NUMBER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32


class Names(ctypes.Structure):
    _fields_ = [(n, TEXT) for n in ("rules", "model", "layout", "variant", "options")]


def function(name, result, *arguments):
    f = getattr(xkb, name)
    f.restype, f.argtypes = result, arguments
    return f


context_new = function("xkb_context_new", POINTER, ctypes.c_int)
keymap_new = function("xkb_keymap_new_from_names", POINTER, POINTER, POINTER, ctypes.c_int)
keymap_unref = function("xkb_keymap_unref", None, POINTER)
state_new = function("xkb_state_new", POINTER, POINTER)
state_unref = function("xkb_state_unref", None, POINTER)
update_key = function("xkb_state_update_key", ctypes.c_int, POINTER, NUMBER, ctypes.c_int)
update_mask = function("xkb_state_update_mask", ctypes.c_int, POINTER, *[NUMBER] * 6)
mod_active = function("xkb_state_mod_name_is_active", ctypes.c_int, POINTER, TEXT, ctypes.c_int)
mod_index = function("xkb_keymap_mod_get_index", NUMBER, POINTER, TEXT)
one_sym = function("xkb_state_key_get_one_sym", NUMBER, POINTER, NUMBER)
sym_name = function("xkb_keysym_get_name", ctypes.c_int, NUMBER, TEXT, ctypes.c_size_t)
sym_utf32 = function("xkb_keysym_to_utf32", NUMBER, NUMBER)
from_utf32 = function("xkb_utf32_to_keysym", NUMBER, NUMBER)
table_new = function("xkb_compose_table_new_from_locale", POINTER, POINTER, TEXT, ctypes.c_int)
compose_new = function("xkb_compose_state_new", POINTER, POINTER, ctypes.c_int)
compose_reset = function("xkb_compose_state_reset", None, POINTER)
compose_feed = function("xkb_compose_state_feed", ctypes.c_int, POINTER, NUMBER)
compose_status = function("xkb_compose_state_get_status", ctypes.c_int, POINTER)
compose_utf8 = function("xkb_compose_state_get_utf8", ctypes.c_int, POINTER, TEXT, ctypes.c_size_t)

CONTEXT = context_new(0)
COMPOSE = compose_new(table_new(CONTEXT, b"en_US.UTF-8", 0), 0)


def usable(text):
    """The text if it is one character that the table may have, else ""."""
    if len(text) != 1 or ord(text) > 0xffff or unicodedata.normalize("NFC", text) != text:
        return ""
    return "" if unicodedata.category(text) in ("Mn", "Mc", "Me", "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else text


def is_dead(sym):
    name = ctypes.create_string_buffer(64)
    sym_name(sym, name, 64)
    return name.value.startswith(b"dead_") and sym < 0xfe90


def character(sym):
    point = sym_utf32(sym)
    return usable(chr(point)) if 0 < point < 0x110000 else ""


def press(keymap, modifiers):
    """A state in which these modifier keys are held, and Caps Lock was pressed."""
    state = state_new(keymap)
    if modifiers & CAPS:
        update_key(state, EVDEV["caps"], 1)
        update_key(state, EVDEV["caps"], 0)
        if mod_active(state, b"Lock", 1 << 2) != 1:  # the layout has something else on that key
            update_mask(state, 0, 0, 1 << mod_index(keymap, b"Lock"), 0, 0, 0)
    for bit, key in ((SHIFT, "shift"), (ALTGR, "altgr")):
        if modifiers & bit:
            update_key(state, EVDEV[key], 1)
    return state


def keysyms(name):
    """{(key code, modifiers): keysym} of a layout such as "de(nodeadkeys)"."""
    layout, variant = re.fullmatch(r"([a-z]+)(?:\(([\w-]+)\))?", name).groups()
    names = Names(b"evdev", b"pc105", layout.encode(), (variant or "").encode(), b"")
    keymap = keymap_new(CONTEXT, ctypes.byref(names), 0)
    assert keymap, name
    found = {}
    for modifiers in range(8):
        state = press(keymap, modifiers)
        found.update({(code, modifiers): one_sym(state, code) for code in PLACES})
        state_unref(state)
    keymap_unref(keymap)
    return found


def compose(*syms):
    """What the desktop's input method makes of them: status and text. A letter has one keysym here, also where a
    layout writes it as U0053 instead of S."""
    compose_reset(COMPOSE)
    for sym in syms:
        compose_feed(COMPOSE, from_utf32(sym_utf32(sym)) if sym > 0x1000000 else sym)
    status, text = compose_status(COMPOSE), ctypes.create_string_buffer(64)
    if status == COMPOSED:
        compose_utf8(COMPOSE, text, 64)
    return status, usable(text.value.decode())


def stroke(place):
    """As firmware reports it: the US character after Shift and Caps Lock, and the modifiers."""
    code, modifiers = place
    shifted = modifiers & SHIFT
    if PLACES[code][0].isalpha() and modifiers & CAPS:
        shifted = not shifted
    us = PLACES[code][1 if shifted else 0]
    if us not in "\0 ":
        modifiers &= ~SHIFT
    return f"{ord(us):x}.{modifiers:x}"


def accent(*dead):
    return compose(*dead, 0x20)[1]


class Cases:
    """Lines for the tool, with what it must answer."""

    def __init__(self):
        self.lines, self.wants = [], []

    def add(self, name, places, *want):
        self.lines.append(f"{name} {' '.join(stroke(p) for p in places)}")
        self.wants.append(want)

    def failures(self):
        out = subprocess.run([TOOL, "type"], input="\n".join(self.lines) + "\n", capture_output=True, text=True,
                             check=True).stdout.split("\n")[:-1]
        assert len(out) == len(self.lines)
        got = ["".join(chr(int(c, 16)) for c in line.split()) for line in out]
        return [f"{line}: {g!r}, in Linux {w!r}" for line, g, w in zip(self.lines, got, self.wants) if g not in w]


def after(cases, name, syms, places, chain):
    """Every key after these dead keys. Where the input method waits for a third that this layout does not have, the
    built-in table may wait as well, for another layout has it."""
    done = set()
    for place, sym in syms.items():
        if sym in done or not (character(sym) or is_dead(sym)):
            continue
        done.add(sym)
        status, text = compose(*chain, sym)
        if status == COMPOSED and text:
            cases.add(name, [*places, place], text)
        elif status == COMPOSING and leads_on(syms, *chain, sym):
            cases.add(name, [*places, place], "")
            after(cases, name, syms, [*places, place], [*chain, sym])
        elif status == COMPOSING:
            cases.add(name, [*places, place], "", accent(*chain) + ("" if is_dead(sym) else character(sym)))
        elif is_dead(sym):
            cases.add(name, [*places, place], accent(*chain))
        else:
            cases.add(name, [*places, place], accent(*chain) + character(sym))


def leads_on(syms, *chain):
    return len(chain) < 3 and any(compose(*chain, s)[1] for s in set(syms.values()))


def main():
    names = subprocess.run([TOOL, "list"], capture_output=True, text=True, check=True).stdout.split()
    assert names[0] == "us" and len(names) == len(set(names)), names
    listed = re.search(r"### Layouts\n\n(.*?)\n\n", (ROOT / "docs/keyboard.md").read_text(), re.S).group(1)
    assert re.findall("`(.*?)`", listed) == names, "docs/keyboard.md lists other layouts"
    cases, typed = Cases(), {}
    for name in names:
        syms, done = keysyms(name), set()
        for place, sym in syms.items():
            cases.add(name, [place], "" if is_dead(sym) else character(sym))
            if is_dead(sym) and sym not in done:
                done.add(sym)
                after(cases, name, syms, [place], [sym])
        typed[name] = len(done)
    wrong = cases.failures()
    print(f"{len(names)} layouts, {len(cases.lines)} sequences of keys, {len(wrong)} differ from Linux")
    print("\n".join(wrong[:40]))
    # this test itself: what everybody knows of two of them
    syms = keysyms("de")
    assert character(syms[(29, 0)]) == "z" and character(syms[(24, ALTGR)]) == "@" and typed["de"] > 10
    assert compose(0xfe51, 0x65) == (COMPOSED, "\u00e9")
    sys.exit(bool(wrong))


main()
