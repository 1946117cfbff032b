"""What the demo prints: short sentences, a mark only behind what was observed, quotes of real screens."""
import re
import sys
import time

TTY = sys.stdout.isatty()
BEGIN = time.monotonic()
ESCAPES = re.compile(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>])")


def ink(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if TTY else text


def say(text=""):
    print(text, flush=True)


def title(text):
    say()
    say(ink("1", text))
    say(ink("2", "─" * len(text)))


def chapter(number, text):
    say()
    say(ink("1;36", f"{number}  {text}"))


def note(text):
    say(ink("2", f"   {text}"))


def seen(text):
    """A step that was observed."""
    seconds = time.monotonic() - BEGIN
    say(f"   {ink('1;32', '✓')} {text} {ink('2', f'({seconds:.0f} s)')}")


def missed(text):
    say(f"   {ink('1;31', '✗')} {text}")


def quote(text, who="screen"):
    """Lines of a real screen or program."""
    lines = [line.rstrip() for line in ESCAPES.sub("", text).replace("\r", "").split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    for line in lines:
        say(ink("2", f"     {who} │ ") + line)
