#!/usr/bin/python3
"""docs/messages.md tells the helpdesk about every message of pre-boot, in the words that the user sees, and no
number is used twice."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def messages():
    source = (ROOT / "preboot/message.inc").read_text()
    found = re.findall(r'X\((\w+), (\d+), VIEW_\w+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', source)
    assert len(found) == source.count("\nX("), "an entry of message.inc is not in the usual form"
    for name, number, text in found:
        words = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
        yield name, int(number), re.sub(r"%(llu|u|s)", "…", words)


def documented():
    rows = re.findall(r"^\| HF-(\d+) \| (.*?) \| (.*) \|$", (ROOT / "docs/messages.md").read_text(), re.M)
    return {int(number): (text, advice) for number, text, advice in rows}


def main():
    docs, seen = documented(), {}
    for name, number, text in messages():
        assert number not in seen, f"{name} and {seen[number]} are both HF-{number}"
        seen[number] = name
        assert number in docs, f"docs/messages.md has no HF-{number} ({name})"
        assert docs[number][0] == text, f"HF-{number}: the page says {docs[number][0]!r}, the program {text!r}"
    assert docs.keys() == seen.keys(), f"documented, but not in the program: {docs.keys() - seen.keys()}"
    print(f"{len(seen)} messages, all documented")


if __name__ == "__main__":
    main()
