#include "files.h"

#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "noise.h"
#include "phrase.h"

#define CHUNK ((size_t)1 << 20)
#define WHOLE_FILE_MAX ((size_t)16 << 20)

static EFI_HANDLE device;
static EFI_FILE_HANDLE root;

static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID files_guid = { 0x964E5B22, 0x6459, 0x11D2,
				     { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID info_guid = { 0x09576E92, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

union info {
	EFI_FILE_INFO info;
	uint8_t room[sizeof(EFI_FILE_INFO) + 2 * 256];
};

enum err files_start(void)
{
	EFI_LOADED_IMAGE *image = firmware_protocol(firmware_image, &image_guid);
	EFI_FILE_IO_INTERFACE *system;

	if (!image)
		return ERR_NOT_FOUND;
	device = image->DeviceHandle;
	system = firmware_protocol(device, &files_guid);
	if (!system)
		return ERR_NOT_FOUND;
	return firmware_err(system->OpenVolume(system, &root));
}

EFI_HANDLE files_device(void)
{
	return device;
}

static enum err open_path(EFI_FILE_HANDLE *ret, EFI_FILE_HANDLE from, const char *path, UINT64 mode)
{
	CHAR16 wide[FILES_PATH_MAX];
	size_t len = strlen(path);
	EFI_FILE_HANDLE file;
	enum err e;

	if (len >= FILES_PATH_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i <= len; i++)
		wide[i] = (uint8_t)path[i];
	e = firmware_err(from->Open(from, &file, wide, mode, 0));
	if (!e)
		*ret = file;
	return e;
}

static enum err file_size(uint64_t *ret, EFI_FILE_HANDLE file)
{
	EFI_GUID guid = info_guid;
	union info u;
	UINTN size = sizeof(u);

	if (EFI_ERROR(file->GetInfo(file, &guid, &size, &u)))
		return ERR_IO;
	if (u.info.Attribute & EFI_FILE_DIRECTORY)
		return ERR_NOT_FOUND;
	*ret = u.info.FileSize;
	return OK;
}

enum err files_open(EFI_FILE_HANDLE *ret, uint64_t *ret_size, const char *path)
{
	EFI_FILE_HANDLE file;
	enum err e = open_path(&file, root, path, EFI_FILE_MODE_READ);

	if (e)
		return e;
	e = file_size(ret_size, file);
	if (e)
		file->Close(file);
	else
		*ret = file;
	return e;
}

static enum err read_exactly(EFI_FILE_HANDLE file, uint8_t *to, size_t len)
{
	while (len) {
		UINTN n = len < CHUNK ? len : CHUNK;
		EFI_STATUS s = file->Read(file, &n, to);

		if (EFI_ERROR(s))
			return firmware_err(s);
		if (!n)
			return ERR_IO;
		to += n;
		len -= n;
	}
	return OK;
}

static enum err read_file(uint8_t **ret, size_t *ret_len, EFI_FILE_HANDLE file, uint64_t size, size_t max)
{
	uint8_t *bytes;
	enum err e;

	if (!size || size > max)
		return ERR_RANGE;
	bytes = malloc(size);
	if (!bytes)
		return ERR_MEMORY;
	e = read_exactly(file, bytes, size);
	if (e) {
		free(bytes);
		return e;
	}
	*ret = bytes;
	*ret_len = size;
	return OK;
}

enum err files_read(uint8_t **ret, size_t *ret_len, const char *path, size_t max)
{
	EFI_FILE_HANDLE file;
	uint64_t size;
	enum err e = files_open(&file, &size, path);

	if (e)
		return e;
	e = read_file(ret, ret_len, file, size, max);
	file->Close(file);
	return e;
}

static enum err write_all(EFI_FILE_HANDLE file, const uint8_t *bytes, size_t len)
{
	UINTN n = len;
	EFI_STATUS s = file->SetPosition(file, 0);

	if (!EFI_ERROR(s))
		s = file->Write(file, &n, (void *)(uintptr_t)bytes);
	if (!EFI_ERROR(s))
		s = file->Flush(file);
	if (EFI_ERROR(s))
		return firmware_err(s);
	return n == len ? OK : ERR_SPACE;
}

static enum err compare(const char *path, const uint8_t *bytes, size_t len)
{
	uint8_t *back;
	size_t back_len;
	enum err e = files_read(&back, &back_len, path, WHOLE_FILE_MAX);

	if (e)
		return e;
	if (back_len != len || memcmp(back, bytes, len) != 0)
		e = ERR_CHANGED;
	free(back);
	return e;
}

static enum err write_padded(EFI_FILE_HANDLE file, const char *path, const uint8_t *bytes, size_t len)
{
	uint64_t size;
	uint8_t *padded;
	enum err e = file_size(&size, file);

	if (e)
		return e;
	if (size < len || size > WHOLE_FILE_MAX)
		size = len;
	padded = calloc(1, size);
	if (!padded)
		return ERR_MEMORY;
	memcpy(padded, bytes, len);
	e = write_all(file, padded, size);
	if (!e)
		e = compare(path, padded, size);
	free(padded);
	return e;
}

enum err files_write(const char *path, const uint8_t *bytes, size_t len)
{
	EFI_FILE_HANDLE file;
	enum err e = open_path(&file, root, path,
			       EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE);

	if (e)
		return e;
	e = write_padded(file, path, bytes, len);
	file->Close(file);
	return e;
}

static enum err overwrite(EFI_FILE_HANDLE file)
{
	uint64_t size;
	uint8_t *bytes;
	enum err e = file_size(&size, file);

	if (e || !size)
		return e;
	if (size > WHOLE_FILE_MAX)
		size = WHOLE_FILE_MAX;
	bytes = malloc(size);
	if (!bytes)
		return ERR_MEMORY;
	noise_fill(bytes, size);
	e = write_all(file, bytes, size);
	free(bytes);
	return e;
}

static enum err destroy(EFI_FILE_HANDLE from, const char *path, int with_content)
{
	EFI_FILE_HANDLE file;
	enum err e = open_path(&file, from, path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE), deleted;

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e)
		return e;
	if (with_content)
		e = overwrite(file);
	deleted = firmware_err(file->Delete(file)); /* closes it in any case */
	return e ? e : deleted;
}

enum err files_destroy(const char *path)
{
	return destroy(root, path, 1);
}

enum err files_destroy_larger(const char *path, uint64_t max)
{
	EFI_FILE_HANDLE file;
	uint64_t size;
	enum err e = files_open(&file, &size, path);

	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	file->Close(file);
	return size > max ? files_destroy(path) : OK;
}

enum err files_delete(const char *path)
{
	return destroy(root, path, 0);
}

/* Name of the next entry of a folder; empty at the end. Names that are not ASCII, and dots, are
 * not ours and come back as "." */
static enum err next_name(char ret[FILES_PATH_MAX], int *ret_folder, EFI_FILE_HANDLE folder)
{
	union info u;
	const CHAR16 *name = u.info.FileName; /* declared with one element */
	UINTN size = sizeof(u);
	size_t i;

	if (EFI_ERROR(folder->Read(folder, &size, &u)))
		return ERR_IO;
	ret[0] = 0;
	*ret_folder = 0;
	if (!size)
		return OK;
	*ret_folder = (u.info.Attribute & EFI_FILE_DIRECTORY) != 0;
	for (i = 0; name[i]; i++) {
		if (name[i] > 0x7e || i + 1 >= FILES_PATH_MAX || name[0] == '.') {
			ret[0] = '.';
			ret[1] = 0;
			return OK;
		}
		ret[i] = (char)name[i];
	}
	ret[i] = 0;
	return OK;
}

static enum err delete_in(EFI_FILE_HANDLE folder)
{
	char name[FILES_PATH_MAX];
	enum err first = OK, e;
	int is_folder;

	for (;;) {
		e = next_name(name, &is_folder, folder);
		if (e || !name[0])
			return first ? first : e;
		if (is_folder || name[0] == '.')
			continue;
		e = destroy(folder, name, 0);
		if (e && !first)
			first = e;
		if (!e) /* deleting moves what follows: start again */
			folder->SetPosition(folder, 0);
	}
}

enum err files_delete_below(const char *path)
{
	EFI_FILE_HANDLE folder, below;
	char name[FILES_PATH_MAX];
	enum err e = open_path(&folder, root, path, EFI_FILE_MODE_READ), first = OK;
	int is_folder;

	if (e)
		return e == ERR_NOT_FOUND ? OK : e;
	for (;;) {
		e = next_name(name, &is_folder, folder);
		if (e || !name[0])
			break;
		if (!is_folder || name[0] == '.')
			continue;
		e = open_path(&below, folder, name, EFI_FILE_MODE_READ);
		if (!e) {
			e = delete_in(below);
			below->Close(below);
		}
		if (e && !first)
			first = e;
	}
	folder->Close(folder);
	return first ? first : e;
}
