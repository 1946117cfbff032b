/* Laptop: one that is set up, in the fake. Users anna ("correct horse") and bob ("battery staple"),
 * one-time codes 1 to LAPTOP_CODES, a recovery key, boot targets "current" and "previous", a volume
 * on partition `disk`. The KDF costs the least that is allowed; with many runs take cheap_kdf.h. */
#ifndef HOLDFAST_FAKE_LAPTOP_H
#define HOLDFAST_FAKE_LAPTOP_H

#include "common/code.h"
#include "common/handoff.h"
#include "common/store.h"
#include "fake.h"

#define LAPTOP_USER "anna"
#define LAPTOP_PASSWORD "correct horse"
#define LAPTOP_USER_2 "bob"
#define LAPTOP_PASSWORD_2 "battery staple"
#define LAPTOP_CODES 4
#define LAPTOP_HEADER_BYTES (64u << 10)
#define LAPTOP_DISK_BYTES (96u << 10)
#define LAPTOP_CMDLINE "root=/dev/mapper/root_crypt quiet"
#define LAPTOP_STORE_0 "\\EFI\\holdfast\\store.0"
#define LAPTOP_STORE_1 "\\EFI\\holdfast\\store.1"
#define LAPTOP_TOMBSTONE "\\EFI\\holdfast\\tombstone"
#define LAPTOP_KERNEL "\\EFI\\holdfast\\boot\\current\\vmlinuz"
#define LAPTOP_INITRD "\\EFI\\holdfast\\boot\\current\\initrd.img"

struct laptop {
	struct fake *f;
	struct unlock_key unlock_key;
	uint8_t partition[16];
	unsigned disk;
	char codes[LAPTOP_CODES + 1][CODE_TEXT_MAX]; /* by number, from 1 */
	char recovery[CODE_TEXT_MAX];
};

/* For preparations of a test, after whose failure there is no use in going on. */
void laptop_must(enum err e);

/* Unlock key of the laptop whose store is being edited. */
extern const struct unlock_key *laptop_key;

/* edit: what is to be different, before the store is signed; or NULL. */
struct laptop *laptop_new(uint64_t seed, void (*edit)(struct store *s));
void laptop_free(struct laptop *l);

/* As the agent does it: change the store, raise its generation, sign, write both copies. */
void laptop_change(struct laptop *l, void (*edit)(struct store *s));

/* The store on the ESP that counts; ERR_NOT_FOUND when no copy decodes. */
MUST_CHECK enum err laptop_store(struct store *ret, const struct laptop *l);
MUST_CHECK enum err laptop_copy(struct store *ret, const struct laptop *l, int copy);

/* The person at the prompts, from power on. */
void laptop_type_password(struct laptop *l, const char *user, const char *password);
void laptop_type_code(struct laptop *l, const char *code);
void laptop_type_recovery(struct laptop *l, const char *key);

/* What the kernel got before its initrd. Errors: ERR_FORMAT. */
MUST_CHECK enum err laptop_handoff(struct handoff *ret, const struct laptop *l);
/* Value of an event in it; -1 when it is not there. */
int laptop_event(const struct handoff *h, enum preboot_event kind);

/* Is the header of the volume as it was / overwritten in every sector? */
int laptop_disk_whole(const struct laptop *l);
int laptop_disk_erased(const struct laptop *l);

#endif
