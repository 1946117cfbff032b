#include "loader.h"

#include <string.h>

#include "files.h"
#include "firmware.h"

#define NODES_MAX 64
#define NODE_HEAD 4

static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static char lower(CHAR16 c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Add one node's text; 0 when it is too long, or not ASCII. One separator where two meet. */
static int node_add(char path[FILES_PATH_MAX], size_t *len, const uint8_t *text, size_t bytes)
{
	for (size_t i = 0; i + 1 < bytes; i += 2) {
		CHAR16 c = (CHAR16)(text[i] | text[i + 1] << 8);

		if (!c)
			break;
		if (c > 0x7e || *len + 2 >= FILES_PATH_MAX)
			return 0;
		if (c == '/')
			c = '\\';
		if (c != '\\' && !*len)
			path[(*len)++] = '\\';
		if (c != '\\' || !*len || path[*len - 1] != '\\')
			path[(*len)++] = lower(c);
	}
	path[*len] = 0;
	return 1;
}

/* The path of the loaded image, in small letters, from the root of its partition. It may lie in several
 * nodes. */
static int path_read(char path[FILES_PATH_MAX], const EFI_LOADED_IMAGE *image)
{
	const uint8_t *node = (const uint8_t *)image->FilePath;
	size_t len = 0;

	path[0] = 0;
	for (int i = 0; node && i < NODES_MAX && node[0] != END_DEVICE_PATH_TYPE; i++) {
		size_t bytes = (size_t)node[2] | (size_t)node[3] << 8;

		if (bytes < NODE_HEAD)
			return 0;
		if (node[0] == MEDIA_DEVICE_PATH && node[1] == MEDIA_FILEPATH_DP) {
			if (len && path[len - 1] != '\\' && len + 2 < FILES_PATH_MAX) {
				path[len++] = '\\';
				path[len] = 0;
			}
			if (!node_add(path, &len, node + NODE_HEAD, bytes - NODE_HEAD))
				return 0;
		}
		node += bytes;
	}
	return len != 0;
}

/* shim gives its own image another path and enters us: the firmware has started shim, whatever the path says. While
 * it runs there is its protocol. */
static int is_under_shim(void)
{
	static EFI_GUID guid = { 0x605DAB50, 0xE046, 0x4300, { 0xAB, 0xB6, 0x3D, 0xD8, 0x10, 0xDD, 0x8B, 0x23 } };
	void *found = NULL;

	return !EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, &found));
}

enum handoff_loader loader_kind(void)
{
	static const struct {
		const char *path;
		enum handoff_loader kind;
	} known[] = {
		{ "\\efi\\holdfast\\holdfast.efi", HANDOFF_LOADER_CURRENT },
		{ "\\efi\\holdfast\\next.efi", HANDOFF_LOADER_NEXT },
		{ "\\efi\\holdfast\\previous.efi", HANDOFF_LOADER_PREVIOUS },
		{ "\\efi\\boot\\bootx64.efi", HANDOFF_LOADER_REMOVABLE },
	};
	const EFI_LOADED_IMAGE *image = firmware_protocol(firmware_image, &image_guid);
	char path[FILES_PATH_MAX];

	if (is_under_shim() || !image || !path_read(path, image))
		return HANDOFF_LOADER_UNKNOWN;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(path, known[i].path))
			return known[i].kind;
	return HANDOFF_LOADER_UNKNOWN;
}

int loader_was_told(const char *text)
{
	const EFI_LOADED_IMAGE *image = firmware_protocol(firmware_image, &image_guid);
	const uint8_t *told = image ? image->LoadOptions : NULL;
	size_t len = strlen(text);

	/* With its end, or without. */
	if (!told || image->LoadOptionsSize < 2 * len ||
	    (image->LoadOptionsSize >= 2 * (len + 1) && (told[2 * len] || told[2 * len + 1])))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (told[2 * i] != (uint8_t)text[i] || told[2 * i + 1])
			return 0;
	return 1;
}
