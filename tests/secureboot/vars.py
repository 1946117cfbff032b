"""A store of firmware variables, as OVMF keeps it in flash: read, changed and written as a file, so that keys need no
boot to be enrolled. Source: EDK II, MdeModulePkg, Guid/VariableFormat.h; UEFI, "Signature Database"."""
import pathlib
import struct
import time
import uuid

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
HOLDFAST = uuid.UUID("6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21")
ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44")
CUSTOM = uuid.UUID("c076ec0c-7028-4399-a072-71ee5c448b9d")
OVERWRITE = uuid.UUID("e20939be-32d4-41be-a150-897f85d49829")
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")  # with authenticated variables
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328")

NV, BOOT, RUNTIME, TIME_AUTHENTICATED = 1, 2, 4, 0x20
KEYS = NV | BOOT | RUNTIME | TIME_AUTHENTICATED
HEADER = struct.Struct("<HBBIQ16sIII16s")
MAGIC, ADDED = 0x55AA, 0x3F


def signature_list(kind, owner, *entries):
    """EFI_SIGNATURE_LIST of entries of one length: certificates (DER) or digests."""
    size = 16 + len(entries[0])
    body = b"".join(owner.bytes_le + entry for entry in entries)
    return kind.bytes_le + struct.pack("<III", 28 + len(body), 0, size) + body


def now():
    t = time.gmtime()
    return struct.pack("<HBBBBBBIhBB", t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, 0, 0, 0, 0, 0)


class Variables:
    """{(vendor, name): (attributes, data)} of a file like OVMF_VARS_4M.fd."""

    def __init__(self, path):
        self.image = bytearray(pathlib.Path(path).read_bytes())
        self.start = struct.unpack_from("<H", self.image, 48)[0]
        assert self.image[40:44] == b"_FVH" and self.image[self.start:self.start + 16] == STORE.bytes_le, path
        self.size = struct.unpack_from("<I", self.image, self.start + 16)[0]
        self.all = dict(self.read())

    def read(self):
        at, end = self.start + 28, self.start + self.size
        while at + HEADER.size <= end:
            magic, state, _, attributes, _, _, _, names, datas, vendor = HEADER.unpack_from(self.image, at)
            if magic != MAGIC:
                return
            name = bytes(self.image[at + HEADER.size:at + HEADER.size + names]).decode("utf-16-le").rstrip("\0")
            data = bytes(self.image[at + HEADER.size + names:at + HEADER.size + names + datas])
            if state == ADDED:
                yield (uuid.UUID(bytes_le=vendor), name), (attributes, data)
            at = (at + HEADER.size + names + datas + 3) & ~3

    def get(self, vendor, name):
        """(attributes, data), or None."""
        return self.all.get((vendor, name))

    def put(self, vendor, name, attributes, data):
        self.all[vendor, name] = attributes, data

    def enrol(self, folder):
        """The keys that holdfast-sign --new-keys has made, and nobody else's; Secure Boot is on."""
        folder = pathlib.Path(folder)
        for vendor, name in ((GLOBAL, "PK"), (GLOBAL, "KEK"), (SECURITY, "db")):
            self.put(vendor, name, KEYS, (folder / f"{name}.esl").read_bytes())
        self.put(ENABLE, "SecureBootEnable", NV | BOOT, b"\1")
        self.put(CUSTOM, "CustomMode", NV | BOOT, b"\0")

    def save(self, path):
        content = b""
        for (vendor, name), (attributes, data) in self.all.items():
            names = name.encode("utf-16-le") + b"\0\0"
            stamp = now() if attributes & TIME_AUTHENTICATED else bytes(16)
            content += HEADER.pack(MAGIC, ADDED, 0, attributes, 0, stamp, 0, len(names), len(data), vendor.bytes_le)
            content += names + data
            content += b"\xff" * (-len(content) % 4)
        room = self.size - 28
        assert len(content) <= room, "the variables do not fit"
        self.image[self.start + 28:self.start + self.size] = content.ljust(room, b"\xff")
        pathlib.Path(path).write_bytes(self.image)
