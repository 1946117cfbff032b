/* holdfast-volumed's own state: what every module of this folder works on. One thread, one object.
 * Each request is worked through to its end before the next; the store is read from the ESP each time,
 * as pre-boot and holdfast-activate write it too. */
#ifndef HOLDFAST_VOLUMED_H
#define HOLDFAST_VOLUMED_H

#include "agent/keyboard_conf.h"
#include "agent/volumed/bootfacts.h"
#include "agent/volumed/bootkeys.h"
#include "agent/volumed/espstore.h"
#include "agent/volumed/outbox.h"
#include "agent/volumed/power.h"
#include "agent/volumed/tpm_seal.h"
#include "agent/volumed/trust.h"
#include "agent/volumed/vstate.h"

struct options {
	const char *state, *run, *esp, *efivars, *etc;
	const char *handoff; /* with keys; NULL: RUN/handoff, keys in the keyring */
	const char *agent_user;
	const char *tpm;     /* TCTI, or "none" */
	int no_power;
	size_t device_count; /* --device UUID=PATH */
	struct {
		uint8_t uuid[16];
		const char *path;
	} devices[MANIFEST_VOLUMES_MAX];
};

/* Result of the last look at a volume. */
struct volume_state {
	char uuid[37], name[33];
	int opens;          /* the unlock key opens it */
	const char *header; /* "as vouched", or what is wrong */
	unsigned foreign;   /* keyslots that are not ours */
};

/* Wrong present passwords of one user, in a row, by others than root. */
struct wrong_present {
	char user[STORE_NAME_MAX + 1];
	unsigned count;
	uint64_t last; /* s */
};

struct volumed {
	struct options options;
	struct espstore esp;
	struct vstate state;
	struct outbox outbox;
	struct bootkeys keys;
	struct bootfacts boot;
	struct trust trust;
	struct sign_sk attestation;
	struct power power;
	uint8_t device_id[DEVICE_ID_BYTES];
	char device[33], name[STORE_NAME_MAX + 1];
	uid_t agent_uid;
	uint64_t started;       /* s */
	uint64_t server_time;   /* s: latest that the server has signed since this start */
	uint64_t enrol_allowed; /* s: until when ENROL_BEGIN may use enrol_root */
	char enrol_token[65];   /* hex digest of the token that root allowed */
	int killed;             /* a kill has begun: nothing else is served */
	int notify;             /* the outbox has something new */
	int boot_cared;         /* boot entries and loader have been looked at in this start */
	size_t volume_count;
	struct volume_state volumes[MANIFEST_VOLUMES_MAX];
	uint64_t rolled_back_told; /* generation of the firmware when a roll-back was told */
	struct keyboard_conf keyboard; /* as it was when the rules were last settled */
	int tpm_asked, tpm_settled; /* tpm and tpm_error are there; what is sealed fits this start */
	int tpm_bound;           /* something is sealed to it */
	enum err tpm_error;
	enum err tpm_seal_error; /* the last time that everything had to be sealed anew */
	struct tpm_facts tpm;
	struct wrong_present wrong_presents[STORE_RECORDS_MAX]; /* present.c */
	char about[320];        /* what the last error was about, for people */
	char unsettled[320];    /* why the wanted state is not reached; "" */
	uint64_t unsettled_since;
	char told[160];         /* summary of the last status event */
};

/* Note what an error was about; gives e back, so that it can end a function. */
enum err volumed_about(struct volumed *v, enum err e, const char *what);

/* What v->about says is left to be done: STATUS shows it, and settling is tried each minute. */
void volumed_unsettled(struct volumed *v);

/* Seconds since 1970. */
uint64_t volumed_now(void);

/* 16 random bytes in hex. */
void volumed_id(char ret[static 33]);

/* One line to the journal. */
void volumed_log(const char *what, const char *detail);

#endif
