#!/usr/bin/python3
"""Reading pictures of the screen: what is on a page is found on every panel and in every mode, what is not is not."""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "preboot"))
from picture import TOOL, Picture, draw

PAGES = {
    "wrong": (["Nordwind Energie GmbH", "anna's laptop", "Device SBBSG-XTTSF", "Unlock this laptop",
               "Type your user name and your password.", "User name", "anna.müller", "HF-201", "Next try in 4 s.",
               "Wrong user name or password. Try again; look at the keyboard layout and at Caps Lock.",
               "F2", "One-time code", "Contrast, size", "Keyboard layout: de", "Caps Lock is on",
               "Property of Nordwind Energie GmbH. If found, please call +49 40 555 01 70 or write to "
               "found@nordwind.example. Unauthorised access is prohibited and will be prosecuted.",
               "layout and at", "Energie"],
              ["Wrong user name and password.", "HF-210", "Next try in 5 s.", "anna.muller", "One-time codes",
               "Energy"]),
    "change": (["Choose a new password", "••••••••••", "Grüße aus Ωmega, Привет", "New password once more"],
               ["•••••••••••••••••••••", "Grüsse", "Caps Lock is on"]),
}
CODES = {
    "code": (["SBBSG-XTTSF-BDBBN", "BBBCE-BDBER-BFB", "BDBER"],
             ["XTTSF-SBBSG-BDBBN", "SBBSG-XTTSF-BDBBX", "BBBCE-BDBER-BFBX"]),
    "recovery": (["BBBCE-BDBER-BFBGT-BHBJC-BKBLN-BNBPG-BRBSJ-BTBXK"],
                 ["BBBCE-BDBER-BFBGT-BHBJC-BKBLN-BNBPG-BRBSJ-BTBXX"]),
}
LOOKS = [((800, 600), "plain"), ((800, 600), "both"), ((1024, 768), "contrast"), ((1280, 800), "large"),
         ((1920, 1080), "plain")]


def check(table, look, size, mode, folder):
    for page, (there, absent) in table.items():
        picture = draw(page, size, mode, folder / f"{page}.png")
        assert picture.contrast == (mode in ("contrast", "both"))
        for text in there:
            assert look(picture, text), f"{page}, {size}, {mode}: {text!r} is not found"
        for text in absent:
            assert not look(picture, text), f"{page}, {size}, {mode}: {text!r} is found"


def check_refusals(folder):
    """Anything but a picture of a page: no answer is made up."""
    picture = folder / "page.png"
    draw("plain", (800, 600), "plain", picture)
    content = picture.read_bytes()
    rows = {
        "nothing": b"", "noise": bytes(range(256)) * 40, "cut short": content[:len(content) // 2],
        "a PPM without pixels": b"P6\n100 100\n255\n", "a monstrous PPM": b"P6\n999999 999999\n255\n",
        "a black panel": b"P6\n800 600\n255\n" + bytes(800 * 600 * 3),
    }
    for why, bad in rows.items():
        path = folder / "bad"
        path.write_bytes(bad)
        result = subprocess.run([TOOL, "find", path, "F2"], capture_output=True)
        assert result.returncode in (1, 2) and result.stderr, f"{why}: {result}"
    # the same picture as PPM says the same
    pixels = subprocess.run([TOOL, "facts", picture], capture_output=True, check=True).stdout
    assert pixels == b"800 600 plain 14\n", pixels


def main():
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for size, mode in LOOKS:
            check(PAGES, Picture.find, size, mode, folder)
            check(CODES, Picture.code, size, mode, folder)
        check({"wrong": (["Unlock this laptop", "HF-201"], ["HF-202"])}, Picture.find, (3840, 2160), "plain", folder)
        check_refusals(folder)


if __name__ == "__main__":
    main()
