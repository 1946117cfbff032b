"""The order in which a disk was written, from QEMU's blklogwrites: what would be on it after a power cut.

A write is durable once a flush that came after it has been answered, or when it was forced (FUA). After a
power cut every durable write is there; of the others any subset may be, and the cruellest case that a
missing flush must not survive is: none of them.
Format: the kernel's Documentation/admin-guide/device-mapper/log-writes.rst, "Log Ordering" and the
structures of dm-log-writes: a super block in the first sector, then for each entry a sector with its
head, followed by the data. All numbers are little-endian.
"""
import struct

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class Entry:
    def __init__(self, number, offset, size, flags, data_at):
        self.number, self.offset, self.size, self.flags, self.data_at = number, offset, size, flags, data_at


class WriteLog:
    """Reads a log as far as it is complete: the machine may have been killed in the middle of an entry, and
    the count in the super block is written late."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, _, sector = struct.unpack("<QQQI", self.file.read(28))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{path} is no log of dm-log-writes, version 1")
        self.entries = list(self._entries(sector))

    def _entries(self, sector):
        self.file.seek(0, 2)
        size = self.file.tell()
        at, number = sector, 0
        while at + sector <= size:
            self.file.seek(at)
            start, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            if not sectors and not flags:
                return
            data = 0 if flags & DISCARD else sectors * sector
            if at + sector + data > size:
                return
            yield Entry(number, start * sector, sectors * sector, flags, at + sector)
            at += sector + data
            number += 1

    def data(self, entry):
        self.file.seek(entry.data_at)
        return self.file.read(entry.size)

    def cuts(self):
        """For each instant at which the durable content changes: the entries that become durable, in order.
        Applied one group after the other they give the disk after a power cut right behind each flush."""
        waiting = []
        for entry in self.entries:
            if entry.flags & MARK:
                continue
            if entry.flags & FLUSH:
                yield entry, waiting
                waiting = []
            if entry.flags & FUA:
                yield entry, [entry]
            elif entry.size:
                waiting.append(entry)

    def apply(self, entry, path):
        with open(path, "r+b") as disk:
            disk.seek(entry.offset)
            disk.write(bytes(entry.size) if entry.flags & DISCARD else self.data(entry))
