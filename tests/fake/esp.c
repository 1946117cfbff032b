/* The EFI system partition: a FAT-like file system. Names are ASCII and know no case; writes are in
 * place and wait in a cache until Flush, of that file alone; so do a new file's entry and its size.
 * What Delete took away may be back after a power cut in the same run. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "heap_parts.h"
#include "inside.h"

/* One open file or folder. */
struct opened {
	EFI_FILE_PROTOCOL protocol; /* first */
	struct opened *next;
	struct fake_file *file; /* NULL: the root */
	uint64_t at;
	int may_write;
};

static const EFI_GUID files_guid = { 0x964E5B22, 0x6459, 0x11D2,
				     { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID info_guid = { 0x09576E92, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static struct opened *all_opened;

static struct fake_file *find(const struct fake *f, const char *path)
{
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++)
		if (f->inside->files[i].here && !strcasecmp(f->inside->files[i].path, path))
			return &f->inside->files[i];
	return NULL;
}

static struct fake_file *make(struct fake *f, const char *path, int is_folder)
{
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++) {
		struct fake_file *file = &f->inside->files[i];

		if (file->here || file->lasts || file->open)
			continue;
		if (strlen(path) >= FAKE_PATH_MAX)
			abort();
		strcpy(file->path, path);
		file->is_folder = is_folder;
		file->claimed = 0;
		file->medium.size = file->medium.lasting_size = 0;
		file->here = 1;
		return file;
	}
	return NULL;
}

/* Of a path like \EFI\boot\x, the folder \EFI\boot. */
static void folder_of(char ret[FAKE_PATH_MAX], const char *path)
{
	size_t len = (size_t)(strrchr(path, '\\') - path);

	memcpy(ret, path, len);
	ret[len] = 0;
}

static void make_folders(struct fake *f, const char *path)
{
	char folder[FAKE_PATH_MAX];

	folder_of(folder, path);
	if (!folder[0] || find(f, folder))
		return;
	make_folders(f, folder);
	make(f, folder, 1)->lasts = 1;
}

void fake_file_put(struct fake *f, const char *path, const void *bytes, size_t len)
{
	struct fake_file *file = find(f, path);

	make_folders(f, path);
	if (!file)
		file = make(f, path, 0);
	if (!file)
		abort();
	file->lasts = 1;
	file->medium.size = len;
	fake_medium_write(&file->medium, 0, bytes, len);
	fake_medium_flush(&file->medium);
}

const uint8_t *fake_file(const struct fake *f, const char *path, size_t *ret_len)
{
	const struct fake_file *file = find(f, path);

	if (!file || file->is_folder)
		return NULL;
	*ret_len = file->medium.size;
	return file->medium.bytes;
}

void fake_file_remove(struct fake *f, const char *path)
{
	struct fake_file *file = find(f, path);

	if (file)
		file->here = file->lasts = 0;
}

unsigned fake_open_files(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_FILES_MAX; i++)
		n += f->inside->files[i].open;
	return n;
}

void fake_file_claim(struct fake *f, const char *path, uint64_t size)
{
	find(f, path)->claimed = size;
}

static void file_settle(struct fake_file *file, int cut)
{
	if (cut || file->open)
		fake_medium_cut(&file->medium);
	else
		fake_medium_flush(&file->medium);
	if (file->here != file->lasts && (!cut || fake_roll(fake_now, 2)))
		file->lasts = file->here;
	file->here = file->lasts;
}

/* A file that came back beside one of the same name that was made since: the new one counts. */
static void drop_doubles(struct fake *f)
{
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++)
		for (unsigned k = 0; k < i; k++)
			if (f->inside->files[i].here && f->inside->files[k].here &&
			    !strcasecmp(f->inside->files[i].path, f->inside->files[k].path))
				f->inside->files[k].here = f->inside->files[k].lasts = 0;
}

void fake_disks_settle(struct fake *f, int cut)
{
	struct fake *before = fake_now;

	fake_now = f;
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++)
		if (f->inside->files[i].here || f->inside->files[i].lasts)
			file_settle(&f->inside->files[i], cut);
	drop_doubles(f);
	for (unsigned i = 0; i < FAKE_PARTITIONS_MAX; i++) {
		struct fake_partition *p = &f->inside->partitions[i];

		if (p->used && cut)
			fake_medium_cut(&p->medium);
		else if (p->used)
			fake_medium_flush(&p->medium);
	}
	fake_now = before;
}

static EFI_FILE_PROTOCOL *opened_new(struct fake_file *file, int may_write);

static const char *path_of(const struct opened *o)
{
	return o->file ? o->file->path : "";
}

/* A name from the caller, made a path from the root. 0 when it is none. */
static int resolve(char ret[FAKE_PATH_MAX], const struct opened *from, const CHAR16 *name)
{
	size_t n = 0;

	if (name[0] != '\\') {
		n = strlen(path_of(from));
		memcpy(ret, path_of(from), n);
		ret[n++] = '\\';
	}
	for (; *name; name++) {
		if (n + 1 >= FAKE_PATH_MAX || *name > 0x7e)
			return 0;
		ret[n++] = (char)*name;
	}
	ret[n] = 0;
	return n > 0;
}

static EFI_STATUS create(struct fake_file **ret, const char *path)
{
	char folder[FAKE_PATH_MAX];
	struct fake_file *file;

	folder_of(folder, path);
	if (folder[0] && (!find(fake_now, folder) || !find(fake_now, folder)->is_folder))
		return EFI_NOT_FOUND;
	if (fake_cut_due()) {
		if (fake_roll(fake_now, 2))
			make(fake_now, path, 0);
		fake_leave(FAKE_CUT);
	}
	file = make(fake_now, path, 0);
	if (!file)
		return EFI_VOLUME_FULL;
	*ret = file;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_open(EFI_FILE_PROTOCOL *self, EFI_FILE_PROTOCOL **ret, CHAR16 *name,
				   UINT64 mode, UINT64 attributes)
{
	EFI_STATUS s = fake_fault(FAKE_FILE_OPEN);
	struct opened *from = (struct opened *)self;
	struct fake_file *file;
	char path[FAKE_PATH_MAX];

	(void)attributes;
	if (s)
		return s;
	if (!resolve(path, from, name))
		return EFI_NOT_FOUND;
	file = find(fake_now, path);
	if (!file && !(mode & EFI_FILE_MODE_CREATE))
		return EFI_NOT_FOUND;
	if (!file)
		s = create(&file, path);
	if (s)
		return s;
	*ret = opened_new(file, (mode & EFI_FILE_MODE_WRITE) != 0);
	return EFI_SUCCESS;
}

static void opened_free(struct opened *o)
{
	struct opened **link = &all_opened;

	while (*link != o) {
		if (!*link)
			abort(); /* closed twice */
		link = &(*link)->next;
	}
	*link = o->next;
	if (o->file)
		o->file->open--;
	fake_libc_free(o);
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_PROTOCOL *self)
{
	opened_free((struct opened *)self);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_delete(EFI_FILE_PROTOCOL *self)
{
	struct opened *o = (struct opened *)self;
	EFI_STATUS s = fake_fault(FAKE_FILE_DELETE);

	/* Not every driver deletes a file that is open elsewhere as well. */
	if (s || !o->may_write || o->file->open > 1) {
		opened_free(o);
		return EFI_WARN_DELETE_FAILURE;
	}
	if (fake_cut_due()) {
		o->file->here = (int)fake_roll(fake_now, 2);
		fake_leave(FAKE_CUT);
	}
	o->file->here = 0;
	opened_free(o);
	return EFI_SUCCESS;
}

/* Is this directly in the folder? */
static int is_in(const struct fake_file *file, const char *folder)
{
	size_t len = strlen(folder);

	return file->here && !strncasecmp(file->path, folder, len) && file->path[len] == '\\' &&
	       !strchr(file->path + len + 1, '\\');
}

static EFI_STATUS info_put(UINTN *size, void *ret, const struct fake_file *file, const char *name)
{
	EFI_FILE_INFO *info = ret;
	size_t need = offsetof(EFI_FILE_INFO, FileName) + 2 * (strlen(name) + 1), room = *size;

	*size = need;
	if (room < need)
		return EFI_BUFFER_TOO_SMALL;
	memset(ret, 0, need);
	info->Size = need;
	info->FileSize = file->claimed ? file->claimed : file->medium.size;
	info->PhysicalSize = info->FileSize;
	info->Attribute = file->is_folder ? EFI_FILE_DIRECTORY : EFI_FILE_ARCHIVE;
	for (size_t i = 0; name[i]; i++)
		info->FileName[i] = (uint8_t)name[i];
	return EFI_SUCCESS;
}

/* Every folder but the root begins with these. */
static const char *const dots[] = { ".", ".." };

static EFI_STATUS next_entry(struct opened *o, UINTN *size, void *ret)
{
	EFI_STATUS s;
	uint64_t n = 0;

	if (o->file && o->at < 2) {
		s = info_put(size, ret, o->file, dots[o->at]);
		o->at += !s;
		return s;
	}
	n = o->file ? 2 : 0;
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++) {
		const struct fake_file *file = &INSIDE->files[i];

		if (!is_in(file, path_of(o)) || n++ != o->at)
			continue;
		s = info_put(size, ret, file, strrchr(file->path, '\\') + 1);
		o->at += !s;
		return s;
	}
	*size = 0;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE_PROTOCOL *self, UINTN *size, void *ret)
{
	struct opened *o = (struct opened *)self;
	EFI_STATUS s = fake_fault(FAKE_FILE_READ);
	const struct fake_medium *m;
	size_t n;

	if (s)
		return s;
	if (!o->file || o->file->is_folder)
		return next_entry(o, size, ret);
	m = &o->file->medium;
	if (!o->file->here || o->at > m->size)
		return EFI_DEVICE_ERROR;
	n = m->size - o->at < *size ? m->size - o->at : *size;
	memcpy(ret, m->bytes + o->at, n);
	o->at += n;
	*size = n;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_write(EFI_FILE_PROTOCOL *self, UINTN *size, void *bytes)
{
	struct opened *o = (struct opened *)self;
	EFI_STATUS s = fake_fault(FAKE_FILE_WRITE);

	if (s)
		return s;
	if (!o->may_write || !o->file || o->file->is_folder)
		return EFI_ACCESS_DENIED;
	if (o->at + *size > FAKE_MEDIUM_MAX)
		return EFI_VOLUME_FULL;
	if (fake_cut_due()) {
		fake_medium_write(&o->file->medium, o->at, bytes,
				  fake_roll(fake_now, (uint32_t)*size + 1));
		fake_leave(FAKE_CUT);
	}
	if (!fake_now->forgetful)
		fake_medium_write(&o->file->medium, o->at, bytes, *size);
	o->at += *size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE_PROTOCOL *self)
{
	struct opened *o = (struct opened *)self;
	EFI_STATUS s = fake_fault(FAKE_FILE_FLUSH);

	if (s)
		return s;
	if (fake_cut_due())
		fake_leave(FAKE_CUT);
	if (!o->file)
		return EFI_SUCCESS;
	fake_medium_flush(&o->file->medium);
	o->file->lasts = o->file->here;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_position(EFI_FILE_PROTOCOL *self, UINT64 *ret)
{
	*ret = ((struct opened *)self)->at;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_set_position(EFI_FILE_PROTOCOL *self, UINT64 at)
{
	struct opened *o = (struct opened *)self;

	o->at = at == UINT64_MAX ? o->file->medium.size : at;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_info(EFI_FILE_PROTOCOL *self, EFI_GUID *kind, UINTN *size,
				       void *ret)
{
	struct opened *o = (struct opened *)self;
	EFI_STATUS s = fake_fault(FAKE_FILE_INFO);

	if (s)
		return s;
	if (memcmp(kind, &info_guid, sizeof(info_guid)) != 0)
		return EFI_UNSUPPORTED;
	return info_put(size, ret, o->file, strrchr(o->file->path, '\\') + 1);
}

static EFI_FILE_PROTOCOL *opened_new(struct fake_file *file, int may_write)
{
	struct opened *o = fake_libc_calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->protocol = (EFI_FILE_PROTOCOL){
		.Revision = EFI_FILE_PROTOCOL_REVISION,
		.Open = file_open,
		.Close = file_close,
		.Delete = file_delete,
		.Read = file_read,
		.Write = file_write,
		.GetPosition = file_get_position,
		.SetPosition = file_set_position,
		.GetInfo = file_get_info,
		.Flush = file_flush,
	};
	o->file = file;
	o->may_write = may_write;
	o->next = all_opened;
	all_opened = o;
	if (file)
		file->open++;
	return &o->protocol;
}

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *self, EFI_FILE_HANDLE *ret)
{
	EFI_STATUS s = fake_fault(FAKE_OPEN_VOLUME);

	(void)self;
	if (s)
		return s;
	*ret = opened_new(NULL, 0);
	return EFI_SUCCESS;
}

/* A file path node, and the end. */
static EFI_DEVICE_PATH *program_path(const char *path)
{
	static uint8_t nodes[2 * FAKE_PATH_MAX + 8];
	size_t len = 4 + 2 * (strlen(path) + 1);

	if (len + 4 > sizeof(nodes))
		abort();
	memset(nodes, 0, sizeof(nodes));
	memcpy(nodes, (uint8_t[]){ MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, (uint8_t)len, (uint8_t)(len >> 8) }, 4);
	for (size_t i = 0; path[i]; i++)
		nodes[4 + 2 * i] = (uint8_t)path[i];
	memcpy(nodes + len, (uint8_t[]){ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 }, 4);
	return (EFI_DEVICE_PATH *)nodes;
}

void fake_esp_start(void)
{
	static EFI_FILE_IO_INTERFACE system = { .Revision = EFI_FILE_IO_INTERFACE_REVISION,
						.OpenVolume = open_volume };
	static EFI_LOADED_IMAGE image;
	/* A hard drive node of the first partition, and the end. */
	static uint8_t path[46] = {
		MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, 42, 0, 1,
		[24] = 'E', 'S', 'P',
		[40] = MBR_TYPE_EFI_PARTITION_TABLE_HEADER, SIGNATURE_TYPE_GUID,
		END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
	};
	EFI_HANDLE handle = fake_handle_new();

	while (all_opened) { /* of an earlier fake_here */
		struct opened *o = all_opened;

		all_opened = o->next;
		fake_libc_free(o);
	}
	for (unsigned i = 0; i < FAKE_FILES_MAX; i++)
		INSIDE->files[i].open = 0;
	fake_protocol_add(handle, &files_guid, &system);
	fake_protocol_add(handle, &path_guid, path);
	image = (EFI_LOADED_IMAGE){ .DeviceHandle = handle, .SystemTable = &fake_table };
	if (fake_now->started_from)
		image.FilePath = program_path(fake_now->started_from);
	fake_image = fake_handle_new();
	fake_protocol_add(fake_image, &image_guid, &image);
}
