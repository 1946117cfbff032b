/* Inside of the fake: what its parts share. */
#ifndef HOLDFAST_FAKE_INSIDE_H
#define HOLDFAST_FAKE_INSIDE_H

#include <efi.h>

#include "fake.h"

#define FAKE_SECTOR 512u
#define FAKE_MEDIUM_MAX FAKE_PARTITION_MAX
#define FAKE_FILES_MAX 40
#define FAKE_PARTITIONS_MAX 6
#define FAKE_VARIABLES_MAX 32
#define FAKE_PATH_MAX 160
#define FAKE_KEYS_MAX 131072
#define FAKE_TEXT_MAX ((size_t)1 << 20)
#define FAKE_PIXELS_MAX ((size_t)3840 * 2160)
#define FAKE_SECRETS_MAX 16

/* Bytes behind a write cache: a file's, or a partition's. */
struct fake_medium {
	size_t size, lasting_size;
	uint8_t dirty[FAKE_MEDIUM_MAX / FAKE_SECTOR];
	size_t dirty_from, dirty_to; /* sectors between which there may be dirty ones */
	uint8_t bytes[FAKE_MEDIUM_MAX];
	uint8_t lasting[FAKE_MEDIUM_MAX];
};

struct fake_file {
	char path[FAKE_PATH_MAX];
	int is_folder;
	int here, lasts; /* in the folder as the firmware sees it; on the disk */
	unsigned open;
	uint64_t claimed; /* 0: the truth */
	struct fake_medium medium;
};

struct fake_partition {
	int used, pulled;
	uint32_t sector;
	uint64_t bad_from, bad_to;
	size_t path_len;
	uint8_t path[256];
	struct fake_medium medium;
};

struct fake_variable {
	int used;
	CHAR16 name[64];
	EFI_GUID vendor;
	UINT32 attributes;
	size_t len;
	uint8_t bytes[1024];
};

enum fake_step_kind { FAKE_STEP_KEY, FAKE_STEP_AWAIT, FAKE_STEP_PAUSE };
struct fake_step {
	enum fake_step_kind kind;
	enum fake_device device;
	uint16_t scan, unicode;
	uint32_t shift;
	uint8_t toggle;
	uint32_t value; /* seconds, or place in texts */
};

struct fake_log {
	size_t len;
	char text[FAKE_TEXT_MAX];
};

struct fake_secret {
	char name[32];
	uint8_t bytes[256];
	size_t len;
};

struct fake_inside {
	uint64_t dice;
	enum fake_end end;
	uint64_t now_100ns, last_key_100ns;

	struct {
		unsigned first, times;
		UINT64 status;
	} faults[FAKE_SERVICE_COUNT];

	struct fake_step steps[FAKE_KEYS_MAX];
	size_t step_count, step;
	int script_quiet;
	char texts[65536];
	size_t texts_len;

	struct fake_log screen, serial;
	unsigned width, height;
	uint32_t pixels[FAKE_PIXELS_MAX];

	struct fake_variable variables[FAKE_VARIABLES_MAX];
	struct fake_secret secrets[FAKE_SECRETS_MAX];
	unsigned secret_count;

	struct fake_file files[FAKE_FILES_MAX];
	struct fake_partition partitions[FAKE_PARTITIONS_MAX];
};

/* The laptop that is running; the firmware's tables. */
extern struct fake *fake_now;
#define INSIDE (fake_now->inside)
extern EFI_SYSTEM_TABLE fake_table;
extern EFI_BOOT_SERVICES fake_boot;
extern EFI_RUNTIME_SERVICES fake_runtime;
extern EFI_HANDLE fake_image;

/* Fill in tables and protocols, one part each. */
void fake_tables_start(void);
void fake_memory_start(void);
void fake_events_start(void);
void fake_handles_start(void);
void fake_variables_start(void);
void fake_esp_start(void);
void fake_partitions_start(void);
void fake_output_start(void);
void fake_input_start(void);
void fake_graphics_start(void);
void fake_kernel_start(void);
void fake_clock_start(void);

/* The run is over: what was not written by then is lost or not, and the process ends. */
_Noreturn void fake_leave(enum fake_end end);
/* In the parent, or when the process of the run is not to end. */
void fake_disks_settle(struct fake *f, int cut);
/* A write that lasts begins: is the power to be cut in the midst of it? Then do a part, and
 * fake_leave. */
int fake_cut_due(void);

/* Count a call; nonzero when it is to fail. */
EFI_STATUS fake_fault(enum fake_service service);

/* Media. */
void fake_medium_write(struct fake_medium *m, size_t at, const uint8_t *bytes, size_t len);
void fake_medium_flush(struct fake_medium *m);
void fake_medium_cut(struct fake_medium *m);

/* Protocols. */
EFI_HANDLE fake_handle_new(void);
void fake_protocol_add(EFI_HANDLE handle, const EFI_GUID *guid, void *interface);
void *fake_protocol(EFI_HANDLE handle, const EFI_GUID *guid);
EFI_HANDLE fake_locate(const EFI_GUID *guid, const void *path, size_t path_len);

/* Time. */
uint64_t fake_time_100ns(void);
void fake_time_pass(uint64_t d_100ns);
/* An event that is signalled while ready(context) is true. */
EFI_EVENT fake_event_ready(int (*ready)(void *context), void *context);
void fake_exit_events(void);

/* Keys: is the next one ready for this device (FAKE_DEVICES: any)? Take it. */
int fake_key_ready(enum fake_device device);
int fake_key_take(struct fake_step *ret, enum fake_device device);
/* Nobody types any more, and pre-boot has asked for long enough. */
void fake_bored(void);

void fake_log_add(struct fake_log *log, const char *text, size_t len);
void fake_log_char(struct fake_log *log, uint32_t c);

/* Secrets: what is still there is noted as a leak. */
void fake_search(const char *when);
void fake_search_block(const char *when, const void *bytes, size_t len);
/* Every block that pre-boot has not given back. */
void fake_memory_each(void (*visit)(const char *when, const void *bytes, size_t len),
		      const char *when);
/* From here on / no more, pre-boot allocates. */
void fake_heap_on(int is_on);
/* What the firmware keeps of the keys that were typed: memory of boot services. */
uint8_t *fake_ring(size_t *ret_len);
void fake_ring_add(const void *bytes, size_t len);
/* The stack that the run has. */
extern uint8_t *fake_stack;
extern size_t fake_stack_len;

void fake_coverage_keep(void);
void fake_coverage_take(void);

extern const EFI_GUID fake_holdfast_guid;

#endif
