/* Kill: finishes the erasure that a tombstone says has begun. */
#ifndef HOLDFAST_KILL_H
#define HOLDFAST_KILL_H

/* Look for a tombstone. With one, erases what is left, says so and switches off: does not return.
 * Without one, or with one that was torn when it was written (nothing was erased then), returns. */
void kill_finish(void);

/* Is there a tombstone, even one that cannot be read? Without a store it means that the laptop was
 * erased: the power was cut while the tombstone's state was written. */
int kill_seen(void);

#endif
