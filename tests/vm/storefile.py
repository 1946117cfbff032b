"""The credential store read a second time: written from docs/formats.md and the tables in common/, sharing no code
with the programs. Opens a credential with its password or code, checks the signatures, gives the unlock key.
libsodium (through ctypes) does the cryptography."""
import ctypes
import ctypes.util
import hashlib
import re

from machine import ROOT

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
argon2 = ctypes.CDLL(ctypes.util.find_library("argon2"))
sodium.sodium_init()
PASSWORD, ONE_TIME_CODE, RECOVERY_KEY = 1, 2, 3


def table(name):
    """[(kind, name, at, length)] of a table in common/, checked for gaps."""
    fields, end = [], 0
    for kind, field, at, length in re.findall(r"^FIELD\((\w+),\s*(\w+),\s*(\d+),\s*(\d+)\)",
                                              (ROOT / "common" / name).read_text(), re.M):
        assert int(at) == end, f"{name}: a gap before {field}"
        end += int(length)
        fields.append((kind, field, int(at), int(length)))
    return fields, end


HEAD, HEAD_BYTES = table("store_head_v1.inc")
RECORD, RECORD_BYTES = table("store_record_v1.inc")
QUESTIONS_BYTES = table("questions_v1.inc")[1]


class StoreError(Exception):
    pass


def decode(fields, content):
    return {name: content[at:at + n] if kind == "bytes" else int.from_bytes(content[at:at + n], "little")
            for kind, name, at, n in fields}


def text(content):
    return content.rstrip(b"\0").decode()


def blake2b(content):
    return hashlib.blake2b(content, digest_size=32).digest()


def signed_by(key, signature, message):
    return sodium.crypto_sign_ed25519_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), key) == 0


class Store:
    def __init__(self, content):
        self.content = content
        if content[:8] != b"HFSTORE1":
            raise StoreError("no store")
        self.head = decode(HEAD, content)
        total = self.head["total_bytes"]
        if total > len(content) or any(content[total:]):
            raise StoreError("wrong length")
        if blake2b(content[:total - 32]) != content[total - 32:total]:
            raise StoreError("wrong checksum")
        self.records, at = [], HEAD_BYTES
        for _ in range(self.head["record_count"]):
            self.records.append(decode(RECORD, content[at:]) | {"raw": content[at:at + RECORD_BYTES]})
            at += RECORD_BYTES
        begin = at
        at += self.head["manifest_bytes"] + self.head["rules_bytes"] + self.head["bindings_bytes"]
        at += self.head["questions_count"] * QUESTIONS_BYTES
        self.sections = content[begin:at]
        self.signature = content[at:at + 64]
        if at + 64 + 32 != total:
            raise StoreError("lengths do not add up")

    def verify(self, store_vk):
        head = bytearray(self.content[:HEAD_BYTES])
        head[24:28] = bytes(4)
        seal_at = next(at for _, name, at, _ in RECORD if name == "has_seal")
        signature_at = next(at for _, name, at, _ in RECORD if name == "signature")
        message = b"holdfast store v1" + bytes(head)
        for record in self.records:
            message += record["raw"][:seal_at]
            if not signed_by(store_vk, record["signature"],
                             b"holdfast record v1" + self.head["device"] + record["raw"][:signature_at]):
                raise StoreError("a record's signature is wrong")
            if record["has_seal"] and blake2b(record["seal"]) != record["seal_digest"]:
                raise StoreError("a seal was exchanged")
        if not signed_by(store_vk, self.signature, message + self.sections):
            raise StoreError("the store's signature is wrong")

    def unlock_key(self, record, secret):
        """What pre-boot does with a password or code: the unlock key, or StoreError."""
        kek = ctypes.create_string_buffer(32)
        if argon2.argon2id_hash_raw(record["kdf_passes"], record["kdf_memory_kib"], record["kdf_lanes"],
                                    secret, ctypes.c_size_t(len(secret)), record["salt"],
                                    ctypes.c_size_t(len(record["salt"])), kek, ctypes.c_size_t(32)):
            raise StoreError("Argon2id failed")
        aad = (b"holdfast wrap v1" + record["id"] + bytes([record["kind"]]) + record["cred_pk"] + record["user_pk"])
        opened = ctypes.create_string_buffer(96)
        if sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                opened, None, None, record["wrap"], ctypes.c_ulonglong(len(record["wrap"])), aad,
                ctypes.c_ulonglong(len(aad)), record["nonce"], kek):
            raise StoreError("wrong password or code")
        cred_sk, store_vk = opened.raw[:32], opened.raw[32:64]
        self.verify(store_vk)
        if not record["has_seal"]:
            raise StoreError("the seal was dropped")
        key = ctypes.create_string_buffer(32)
        if sodium.crypto_box_seal_open(key, record["seal"], ctypes.c_ulonglong(len(record["seal"])),
                                       record["cred_pk"], cred_sk):
            raise StoreError("the seal does not open")
        return key.raw

    def user(self, name):
        return next((r for r in self.records if r["kind"] == PASSWORD and text(r["user"]) == name), None)

    def code(self, number):
        return next((r for r in self.records if r["kind"] == ONE_TIME_CODE and r["number"] == number), None)

    def order(self):
        return self.head["generation"], self.head["revision"]


def newest(*contents):
    """The valid copy that counts, or None."""
    stores = []
    for content in contents:
        try:
            stores.append(Store(content))
        except (StoreError, TypeError, IndexError):
            pass
    return max(stores, key=Store.order, default=None)


def of_disk(disk):
    return newest(*(disk.esp_read(f"EFI/holdfast/store.{i}") or b"" for i in (0, 1)))
