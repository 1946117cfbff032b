/* Errors: the one list of them, used by UEFI, laptop and server code alike.
 * Edges translate: EFI status in preboot/, errno in the token plugin, exit codes in the command
 * lines, HTTP status in the server. */
#ifndef HOLDFAST_ERR_H
#define HOLDFAST_ERR_H

#define ERR_LIST(X)                                                                   \
	X(ERR_FORMAT, "the bytes do not follow the format")                           \
	X(ERR_VERSION, "written by a newer version of this program")                  \
	X(ERR_CHECKSUM, "damaged or half written: the checksum does not match")       \
	X(ERR_AUTH, "wrong password, key or code")                                    \
	X(ERR_DURESS, "the duress password")                                          \
	X(ERR_SIGNATURE, "the signature does not match: changed by somebody else")    \
	X(ERR_NOT_FOUND, "not found")                                                 \
	X(ERR_EXISTS, "exists already")                                               \
	X(ERR_RANGE, "a value is outside its bounds")                                 \
	X(ERR_MEMORY, "not enough memory")                                            \
	X(ERR_SPACE, "not enough space")                                              \
	X(ERR_IO, "reading or writing failed")                                        \
	X(ERR_ROLLBACK, "older than what was seen before")                            \
	X(ERR_CHANGED, "differs from what was vouched for")                           \
	X(ERR_LOCKED, "locked: a one-time code is needed")                            \
	X(ERR_LOCKED_OUT, "locked out: the TPM takes no more tries for now")          \
	X(ERR_EXPIRED, "expired")                                                     \
	X(ERR_REPLAY, "seen before, or out of order")                                 \
	X(ERR_MISDIRECTED, "meant for another device or enrolment")                   \
	X(ERR_DENIED, "not allowed")                                                  \
	X(ERR_STATE, "not possible in the present state")                             \
	X(ERR_BUSY, "busy: try again later")                                          \
	X(ERR_NETWORK, "the other side cannot be reached")                            \
	X(ERR_UNSUPPORTED, "not supported here")                                      \
	X(ERR_INTERNAL, "unexpected: please report this")

enum err {
	OK = 0,
#define X(name, text) name,
	ERR_LIST(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Text of an error, a static string; "ok" for OK. */
const char *err_text(enum err e);

/* Name of an error, such as "ERR_FORMAT", for machines: a static string; "OK" for OK. */
const char *err_name(enum err e);

#endif
