/* Codes that people type and read out: recovery key, one-time code, challenge, recovery sheet.
 *
 * Alphabet: B C D E F G H J K L N P R S T X. These sixteen letters sit on the same keys on the
 * QWERTY, QWERTZ and AZERTY families; no digits (AZERTY wants Shift), none that looks like another.
 * A letter is a nibble, in the order above. A group is four letters and a check letter:
 * check = sum over GF(16) (x^4 + x + 1) of a^(i+1) * letter_i, plus a value made of kind and group
 * number, so one wrong letter, two neighbours exchanged, two groups exchanged, or a code of another
 * kind is noticed, and the group named, as soon as the group has been typed.
 * Canonical text: upper case, groups of five joined with '-'. Source: docs/formats.md, "Codes". */
#ifndef HOLDFAST_CODE_H
#define HOLDFAST_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "key.h"
#include "secret.h"

enum code_kind {
	CODE_RECOVERY,  /* recovery key:   128 bits, 8 groups */
	CODE_ONE_TIME,  /* one-time code:  112 bits, 7 groups */
	CODE_CHALLENGE, /* challenge:       48 bits, 3 groups: device tag 32, code number 16 */
	CODE_SHEET,     /* recovery sheet: 256 bits, 16 groups: the officer root's Ed25519 seed */
};

#define CODE_GROUP_LETTERS 5
#define CODE_BYTES_MAX 32
#define CODE_TEXT_MAX (16 * 6) /* with the terminating NUL */

size_t code_bytes(enum code_kind kind);
size_t code_groups(enum code_kind kind);

/* Canonical text of bytes (code_bytes(kind) of them), NUL-terminated, into ret[CODE_TEXT_MAX]. */
void code_format(char ret[CODE_TEXT_MAX], enum code_kind kind, const uint8_t *bytes);

/* Parse what a person typed: any case; spaces, tabs and '-' are skipped anywhere.
 *   ret        code_bytes(kind) bytes, written only on success
 *   ret_group  on ERR_FORMAT the first wrong group, counted from 1; 0 when the length is wrong
 * Constant time in the letters' values. Errors: ERR_FORMAT. */
MUST_CHECK enum err code_parse(uint8_t *ret, size_t *ret_group, enum code_kind kind,
			       const char *text, size_t len);

/* Check while typing: the first complete group (of those typed so far) whose check letter does
 * not match, from 1; 0 while all is well. Letters outside the alphabet make their group wrong
 * at once. */
size_t code_check_typed(enum code_kind kind, const char *text, size_t len);

/* New random code in canonical text: the secret is text without the NUL, which is at the same
 * time the exact passphrase of the LUKS2 recovery keyslot (hyphens included, no newline).
 * Errors: ERR_MEMORY. */
MUST_CHECK enum err code_new(struct secret *ret, enum code_kind kind);

/* What was typed, brought into canonical text. Errors: as code_parse. */
MUST_CHECK enum err code_canonical(struct secret *ret, size_t *ret_group, enum code_kind kind,
				   const char *text, size_t len);

/* Challenge that pre-boot shows: the first four bytes of the device id (the device tag), and the
 * number of the code that is asked for. */
void challenge_format(char ret[CODE_TEXT_MAX], const uint8_t device[static DEVICE_ID_BYTES],
		      uint16_t number);
MUST_CHECK enum err challenge_parse(uint8_t ret_tag[static 4], uint16_t *ret_number,
				    size_t *ret_group, const char *text, size_t len);

#endif
