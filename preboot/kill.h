/* Kill: erases the laptop, by the rules that were told to pre-boot, or to finish what has begun. */
#ifndef HOLDFAST_KILL_H
#define HOLDFAST_KILL_H

#include <stdnoreturn.h>

#include "common/store.h"

/* Erase this laptop: a tombstone without a command, in a variable and on the ESP; then what kill_finish
 * does. Where neither takes it, and a volume is left, the store stays: nothing else would know of the volume
 * at the next start. No credential is needed: s is a hint. Says so, and switches off. The caller has wiped
 * what was typed. */
noreturn void kill_begin(const struct store *s);

/* Look for an erasure that has begun: a tombstone on the ESP, or the variable; either counts while the store
 * on the ESP is of the same device, or gone. One that says ERASED erases no volume again. With one, erases what is left, says so and switches
 * off: does not return. Without one, or with a tombstone that was torn when it was written and no
 * variable (nothing was erased then), returns. */
void kill_finish(void);

/* Is there a tombstone, even one that cannot be read? Without a store it means that the laptop was
 * erased: the power was cut while the tombstone's state was written. */
int kill_seen(void);

#endif
