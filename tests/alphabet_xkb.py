#!/usr/bin/python3
"""The sixteen letters of codes sit on the same keys on the common layouts.

Reads the X keyboard data (package xkb-data), follows its includes, and compares the keys of each
layout's default variant with those of "us": same key for the letter, lower case without and upper
case with Shift. So a code can be typed at a prompt that knows no layout but the American one, as
pre-boot's firmware does. The letters come from common/code.c itself.
"""
import pathlib
import re
import sys

SYMBOLS = pathlib.Path("/usr/share/X11/xkb/symbols")
ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYOUTS = "us gb de fr es it pt pl se no dk fi ch be nl cz hu".split()

BLOCK = re.compile(r'((?:\w+\s+)*)xkb_symbols\s+"([^"]+)"\s*\{(.*?)\n\s*\};', re.S)
PART = re.compile(r'(include|augment|override|replace)?\s*"([^"]+)"'
                  r'|key\s*<(\w+)>\s*\{(.*?)\}\s*;', re.S)
INCLUDE = re.compile(r"([\w/-]+)(?:\(([^)]+)\))?")


def blocks(layout):
    text = re.sub(r"//.*", "", (SYMBOLS / layout).read_text(encoding="utf-8"))
    found = BLOCK.findall(text)
    if not found:
        sys.exit(f"{SYMBOLS / layout}: no xkb_symbols found")
    return found


def body(layout, variant):
    """Of the named variant, else of the one marked default, else of the first."""
    found = blocks(layout)
    for flags, name, text in found:
        if name == variant or (variant is None and "default" in flags.split()):
            return text
    if variant is not None:
        sys.exit(f"{SYMBOLS / layout}: no variant {variant}")
    return found[0][2]


def keys(layout, variant=None):
    """Key name -> symbols of the first group, level 1 first; what comes later wins."""
    result = {}
    for how, included, key, symbols in PART.findall(body(layout, variant)):
        if included and how:
            for name, sub in INCLUDE.findall(included):
                result.update(keys(name, sub or None))
        elif key:
            group = re.search(r"(?:symbols\[Group1\]\s*=\s*)?\[([^\]]*)\]",
                              re.sub(r"\btype\s*(?:\[[^\]]*\])?\s*=\s*\"[^\"]*\"", "", symbols))
            if group:
                result[key] = [s.strip() for s in group.group(1).split(",")]
    return result


def place(layout_keys, letter):
    for key, symbols in layout_keys.items():
        if symbols[:2] == [letter.lower(), letter.upper()]:
            return key
    return None


def alphabet():
    source = (ROOT / "common/code.c").read_text()
    found = re.search(r'alphabet\[\] = "([A-Z]{16})"', source)
    return found.group(1) if found else sys.exit("common/code.c: no alphabet found")


def main():
    if not SYMBOLS.is_dir():
        sys.exit(f"{SYMBOLS} is missing: install the package xkb-data")
    letters, american, wrong = alphabet(), keys("us"), 0
    for layout in LAYOUTS:
        here = keys(layout)
        moved = [f"{l} ({place(american, l)} -> {place(here, l)})"
                 for l in letters if place(here, l) != place(american, l)]
        others = [l for l in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if place(here, l) != place(american, l)]
        print(f"{layout}: {'same keys' if not moved else 'MOVED: ' + ', '.join(moved)}"
              f"; of the whole alphabet moved: {' '.join(others) or 'none'}")
        wrong += bool(moved)
    # the reader itself: it must see what everybody knows of these two
    if place(keys("fr"), "A") != "AD01" or place(keys("de"), "Z") != "AD06":
        sys.exit("the layouts are not read as they are: AZERTY or QWERTZ not recognised")
    sys.exit(f"{wrong} layouts have a letter elsewhere" if wrong else 0)


main()
