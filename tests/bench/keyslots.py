"""When are the keyslots of a LUKS2 image gone? Looks at the file alone, as whoever finds the disk would."""
import json
import os

SECTOR = 512
MAGICS = (b"LUKS\xba\xbe", b"SKUL\xba\xbe")


class Keyslots:
    """The image as it is now: both headers, and first and last sector of every keyslot."""

    def __init__(self, image):
        self.file = os.open(image, os.O_RDONLY)
        head = os.pread(self.file, 4096, 0)
        if head[:6] != MAGICS[0]:
            raise ValueError(f"{image} is no LUKS2 volume")
        header_bytes = int.from_bytes(head[8:16], "big")
        text = os.pread(self.file, header_bytes - 4096, 4096).split(b"\0", 1)[0]
        areas = [slot["area"] for slot in json.loads(text)["keyslots"].values()]
        starts = [int(area["offset"]) for area in areas]
        ends = [int(area["offset"]) + int(area["size"]) - SECTOR for area in areas]
        # The last sectors of an area may never have been written: what was empty cannot tell anything.
        self.places = [(at, os.pread(self.file, SECTOR, at)) for at in starts + ends]
        self.places = [(at, content) for at, content in self.places if any(content)]
        self.headers = [0, header_bytes]

    def close(self):
        os.close(self.file)

    def gone(self):
        """Nothing of both headers' magics and of any keyslot is where it was."""
        return (not any(os.pread(self.file, 6, at) in MAGICS for at in self.headers)
                and all(os.pread(self.file, SECTOR, at) != content for at, content in self.places))
