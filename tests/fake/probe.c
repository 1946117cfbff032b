#include "probe.h"

#include "preboot/block.h"

unsigned fake_probe_partitions(const uint8_t guid[16])
{
	struct block b;
	unsigned n = 0;

	while (!block_find(&b, guid, n))
		n++;
	return n;
}
