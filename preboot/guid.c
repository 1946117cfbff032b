#include "guid.h"

void guid_text_order(uint8_t ret[static 16], const uint8_t mixed[static 16])
{
	static const uint8_t from[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (int i = 0; i < 16; i++)
		ret[i] = mixed[from[i]];
}
