/* Bytes behind a write cache. What was not flushed when the power is cut is lost in part, and the
 * sector that was being written may be torn. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

static void touch(struct fake_medium *m, size_t sector)
{
	if (m->dirty_from >= m->dirty_to) {
		m->dirty_from = sector;
		m->dirty_to = sector + 1;
	}
	if (sector < m->dirty_from)
		m->dirty_from = sector;
	if (sector >= m->dirty_to)
		m->dirty_to = sector + 1;
	m->dirty[sector] = 1;
}

void fake_medium_write(struct fake_medium *m, size_t at, const uint8_t *bytes, size_t len)
{
	if (at > FAKE_MEDIUM_MAX || len > FAKE_MEDIUM_MAX - at)
		abort();
	memcpy(m->bytes + at, bytes, len);
	if (at + len > m->size)
		m->size = at + len;
	for (size_t s = at / FAKE_SECTOR; len && s <= (at + len - 1) / FAKE_SECTOR; s++)
		touch(m, s);
}

static void sector_last(struct fake_medium *m, size_t sector, size_t len)
{
	memcpy(m->lasting + sector * FAKE_SECTOR, m->bytes + sector * FAKE_SECTOR, len);
}

void fake_medium_flush(struct fake_medium *m)
{
	for (size_t s = m->dirty_from; s < m->dirty_to; s++) {
		if (m->dirty[s])
			sector_last(m, s, FAKE_SECTOR);
		m->dirty[s] = 0;
	}
	m->dirty_from = m->dirty_to = 0;
	m->lasting_size = m->size;
}

/* Which of the dirty sectors got to the disk? None, all, those before a place, or any. */
void fake_medium_cut(struct fake_medium *m)
{
	uint32_t luck = fake_roll(fake_now, 4);
	uint32_t span = (uint32_t)(m->dirty_to - m->dirty_from);
	size_t until = m->dirty_from + (span ? fake_roll(fake_now, span + 1) : 0);

	for (size_t s = m->dirty_from; s < m->dirty_to; s++) {
		if (!m->dirty[s])
			continue;
		if (luck == 1 || (luck == 2 && s < until) || (luck == 3 && fake_roll(fake_now, 2)))
			sector_last(m, s, FAKE_SECTOR);
		else if (luck == 2 && s == until && fake_roll(fake_now, 2))
			sector_last(m, s, fake_roll(fake_now, FAKE_SECTOR));
		/* What is lost is not there any more, also for whoever looks into the fake. */
		memcpy(m->bytes + s * FAKE_SECTOR, m->lasting + s * FAKE_SECTOR, FAKE_SECTOR);
		m->dirty[s] = 0;
	}
	m->dirty_from = m->dirty_to = 0;
	if (m->size != m->lasting_size && fake_roll(fake_now, 2))
		m->lasting_size = m->size;
	m->size = m->lasting_size;
}
