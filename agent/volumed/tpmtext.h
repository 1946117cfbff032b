/* What STATUS and events say of TPM and firmware. */
#ifndef HOLDFAST_TPMTEXT_H
#define HOLDFAST_TPMTEXT_H

#include "agent/volumed/volumed.h"

/* "tpm" of STATUS: {"present","why" (why nothing can be bound now) or null,"maker","bound","self_help",
 * "pcr7":"as sealed|changed|unknown|nothing sealed","lockout":{"tries","tries_max","recovery_s","locked",
 * "password":"ours|not ours|none"} or null}. New reference. */
json_t *tpmtext_tpm(const struct volumed *v, const struct store *s);

/* "firmware" of STATUS: what pre-boot saw, {"secure_boot","tpm","capped","vouched","pcr7" (hex) or null}, all null
 * without a hand-off; "mor": the memory overwrite request is set, null where firmware has none. New reference. */
json_t *tpmtext_firmware(const struct volumed *v);

/* State of the setting `credential`. */
const char *tpmtext_kind_state(const struct volumed *v, const struct store *s);

/* Lines of STATUS' "waiting". */
void tpmtext_wait(json_t *list, const struct volumed *v, const struct store *s);

/* A word that changes when people should look. */
const char *tpmtext_summary(const struct volumed *v, const struct store *s);

#endif
