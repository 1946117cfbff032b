/* GUIDs: firmware and partition tables keep the first three fields little-endian; our formats keep
 * all 16 bytes in the order of the text. */
#ifndef HOLDFAST_GUID_H
#define HOLDFAST_GUID_H

#include <stdint.h>

void guid_text_order(uint8_t ret[static 16], const uint8_t mixed[static 16]);

#endif
