"""What stands on a picture of pre-boot's screen. The text is drawn again with the screen's own font, sizes and colours
and looked for pixel by pixel (tests/screen/screen_tool.c), so what is found is there exactly as it should be drawn.

    picture = Picture(laptop.picture("prompt.png"))
    picture.find("Wrong user name or password.")     # (x, baseline, style), or None
    picture.code("SBBSG-XTTSF-BDBBN")                 # a challenge, or a code as it is typed
    picture.contrast, picture.em
"""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("SCREEN_TOOL", str(ROOT / "build/out/host/tests/screen_tool"))


def tool(*arguments):
    """What the tool prints, None if it answers no."""
    result = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode not in (0, 1):
        raise RuntimeError(result.stderr.strip())
    return result.stdout.split() if result.returncode == 0 else None


class Picture:
    def __init__(self, path):
        """A PNG or PPM file. AssertionError when it does not show a page of pre-boot's."""
        self.path = path
        facts = tool("facts", path)
        assert facts, f"{path} does not show a page of pre-boot's"
        self.width, self.height, self.em = int(facts[0]), int(facts[1]), int(facts[3])
        self.contrast = facts[2] == "contrast"

    def _ask(self, command, text):
        found = tool(command, self.path, text)
        return (int(found[0]), int(found[1]), found[2]) if found else None

    def find(self, text):
        """Where a text is. It may be a part of a longer one, and go over several lines."""
        return self._ask("find", text)

    def code(self, text):
        """Where a challenge or a code is. A challenge's groups stand side by side, without their hyphens."""
        whole = self._ask("cells", text)
        groups = None if whole else [self._ask("cells", group) for group in text.split("-")]
        if whole or not all(groups):
            return whole
        in_a_row = all(a[0] < b[0] and a[1:] == b[1:] for a, b in zip(groups, groups[1:]))
        return groups[0] if in_a_row else None

    def must(self, *texts):
        missing = [text for text in texts if not self.find(text)]
        assert not missing, f"not on {self.path}: {missing}"

    def must_not(self, *texts):
        there = [text for text in texts if self.find(text)]
        assert not there, f"on {self.path}: {there}"


def draw(page, size, mode, path):
    """One of the sample pages of tests/unit/view_sample.h, without a machine. mode: plain, large, contrast, both."""
    tool("draw", page, *size, mode, path)
    return Picture(path)
