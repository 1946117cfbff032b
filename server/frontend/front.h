/* Frontend: the process on the network. It holds sessions' symmetric keys and what an administrator
 * sees in lists, and nothing that signs or opens: that is the vault's, which it asks. */
#ifndef HOLDFAST_FRONTEND_H
#define HOLDFAST_FRONTEND_H

#include "common/command_host.h"
#include "limit.h"
#include "request.h"
#include "server/audit.h"
#include "server/db.h"
#include "server/sidmap.h"
#include "server/vaultmsg.h"

struct front_session {
	struct sidmap_entry entry;
	struct session session;
	enum scope scope;      /* DEVICE, USER, OFFICER or APPOINTER */
	int recovered;         /* USER by code or recovery key */
	char token[KID_BYTES]; /* "" until confirmed */
	uint64_t token_policy; /* version that the token is bound to */
	uint64_t seconds;      /* how long it lasts */
	char device[ID_TEXT];  /* one of the two */
	char officer[NAME_MAX_BYTES + 1];
	char permissions[256];
};

struct front {
	struct db *db;
	int vault;  /* socket */
	int broken; /* the vault is gone: stop */
	const char *url;
	char enterprise[ID_TEXT]; /* "" until claimed */
	struct {
		uint64_t version;
		char *jws;
		json_t *certs, *settings;
	} policy;
	struct sidmap sessions;
	struct limit limit;
	uint64_t checkpoint_n; /* last entry of the audit log that the vault has signed */
	char *checkpoint;
	void (*tell)(char what);
	struct http *http;
};

#define FRONT_READY 'r'   /* listening: main says so */
#define FRONT_CLAIMED 'c' /* main removes the claim file */

struct front_options {
	const char *dir; /* holdfast.db, tls.key, tls.crt */
	const char *url;
	int listen_fd, vault_fd;
	void (*tell)(char what); /* tells main FRONT_READY, FRONT_CLAIMED */
};

MUST_CHECK enum err front_open(struct front *ret, const struct front_options *o);
void front_close(struct front *f);
/* Until SIGTERM or SIGINT (OK), or until the vault is gone (ERR_NETWORK). */
MUST_CHECK enum err front_run(struct front *f, const struct front_options *o);

/* Ask the vault; sets r->fault. */
MUST_CHECK enum err front_ask(struct vaultmsg *ret, struct front *f, struct request *r,
			      const struct vaultmsg *ask);
/* Take over the newest policy: version, JWS, certs, settings from value[at]. */
MUST_CHECK enum err front_policy_take(struct front *f, const struct vaultmsg *m, unsigned at);

/* From a complete request to its answer; again after a wait. Afterwards r->wait_until_ms is set, or
 * *ret_text is the answer's body with r->status (malloc'ed; type by r->jose / r->sealed). */
void front_handle(char **ret_text, struct front *f, struct request *r, const char *authorization);
struct front_session *front_session_of(struct front *f, const struct request *r);

/* Append to the audit log; a failure is logged and gives an error, so that nothing happens
 * unaudited. */
MUST_CHECK enum err front_audit(struct front *f, const char *actor, const char *action,
				const char *object, const char *outcome, const char *detail);
/* Have the vault sign the log's head, when it has grown. */
void front_checkpoint(struct front *f);

/* Wake requests that wait for news about this device (both kinds), or all of them (NULL). */
void front_wake(struct front *f, const char *device);

/* Device by id, tag or name. Errors: ERR_NOT_FOUND, ERR_EXISTS (ambiguous), with a fault. */
struct front_device {
	char id[ID_TEXT], name[NAME_MAX_BYTES + 1], enrolment[ID_TEXT], state[16], scope[12];
	uint64_t enrolled, last_contact, policy_version;
};
MUST_CHECK enum err front_device_find(struct front_device *ret, struct front *f, struct request *r,
				      const char *text);
/* Remember that the device was heard of; at most every half minute. */
void front_device_seen(struct front *f, const char *device);

uint64_t front_now(void);    /* s, wall clock */
uint64_t front_now_ms(void); /* monotonic */

#endif
