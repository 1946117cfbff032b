/* Sender: empties the queue: posts batches, has receipts proven, tells volumed, removes. */
#ifndef HOLDFAST_SENDER_H
#define HOLDFAST_SENDER_H

#include "channel.h"

/* Until the queue is empty or something fails; channel.problem then says what. Items that the server
 * rejects for good are set aside (queue_refuse) and reported.
 * Errors: as channel_call and queue_receipt; ERR_NETWORK for an answer that means "later". */
MUST_CHECK enum err sender_run(struct channel *c);

#endif
