/* Fake: a small firmware, so that pre-boot's modules run as a Linux program, under the sanitizers,
 * with faults and power cuts on demand.
 *
 *     struct fake *f = fake_new(1);                an empty laptop; the seed of its accidents
 *     fake_file_put(f, "\\EFI\\holdfast\\store.0", bytes, len);
 *     fake_await(f, "User");                       a person who reads ...
 *     fake_type(f, "anna\r");                      ... and types
 *     assert_int_equal(fake_run(f), FAKE_KERNEL);  power on: efi_main in a process of its own
 *     assert_true(fake_said(f, "Unlock this laptop"));
 *     fake_free(f);
 *
 * Disks, variables and everything in struct fake outlive a run; pre-boot's own variables do not.
 * fake_call runs a function of the test's in the same way; fake_here sets the firmware up in the
 * test's own process, for modules that are called one by one. Whatever is not faked ends the run
 * with its name. No types of EFI's in here. */
#ifndef HOLDFAST_FAKE_H
#define HOLDFAST_FAKE_H

#include <stddef.h>
#include <stdint.h>

enum fake_end {
	FAKE_KERNEL = 1, /* the kernel has taken over */
	FAKE_RESTART,
	FAKE_POWER_OFF,
	FAKE_CUT,        /* the power was cut (cut_after) */
	FAKE_WAITING,    /* everything is typed, and nothing happens any more */
	FAKE_RETURNED,   /* the function of fake_call is through */
	FAKE_DIED,       /* crash, sanitizer, failed assertion, endless loop: see the output */
};
const char *fake_end_text(enum fake_end end);

/* Services that fail on demand, and that are counted. */
#define FAKE_SERVICES(X)                                                                     \
	X(ALLOCATE_POOL) X(ALLOCATE_PAGES) X(GET_MEMORY_MAP) X(CREATE_EVENT) X(SET_TIMER)    \
	X(HANDLE_PROTOCOL) X(LOCATE_HANDLES) X(INSTALL_PROTOCOLS) X(LOAD_IMAGE)              \
	X(START_IMAGE) X(GET_VARIABLE) X(SET_VARIABLE) X(GET_TIME) X(OPEN_VOLUME)            \
	X(FILE_OPEN) X(FILE_READ) X(FILE_WRITE) X(FILE_FLUSH) X(FILE_DELETE) X(FILE_INFO)    \
	X(BLOCK_READ) X(BLOCK_WRITE) X(BLOCK_FLUSH) X(TEXT_OUT) X(SERIAL_WRITE) X(BLT)       \
	X(SET_MODE)
enum fake_service {
#define X(name) FAKE_##name,
	FAKE_SERVICES(X)
#undef X
	FAKE_SERVICE_COUNT
};

/* Status codes of the firmware, for fake_fail. */
#define FAKE_ERROR(n) (0x8000000000000000u | (n))
#define FAKE_UNSUPPORTED FAKE_ERROR(3)
#define FAKE_DEVICE_ERROR FAKE_ERROR(7)
#define FAKE_WRITE_PROTECTED FAKE_ERROR(8)
#define FAKE_OUT_OF_RESOURCES FAKE_ERROR(9)
#define FAKE_VOLUME_FULL FAKE_ERROR(11)
#define FAKE_NOT_FOUND FAKE_ERROR(14)
#define FAKE_ACCESS_DENIED FAKE_ERROR(15)
#define FAKE_SECURITY_VIOLATION FAKE_ERROR(26)

enum fake_device { FAKE_KEYBOARD, FAKE_KEYBOARD_2, FAKE_TERMINAL, FAKE_DEVICES };

enum fake_kernel_habit {
	FAKE_LINUX,     /* fetches its initrd, leaves boot services */
	FAKE_QUITTER,   /* gives up at once */
	FAKE_LATE_QUITTER, /* fetches its initrd, then gives up */
	FAKE_GREEDY,    /* asks for the initrd a second time */
	FAKE_NO_INITRD, /* leaves boot services without asking */
};

#define FAKE_LEAK_MAX 4096
#define FAKE_INITRD_MAX ((size_t)4 << 20)

struct fake {
	/* To be set before a run. */
	long cut_after;      /* the power fails at this write of the run; 0: never */
	uint64_t cut_at_ms;  /* ... at this simulated time; 0: never */
	int64_t rtc;         /* seconds since 1970 at power on; FAKE_NO_CLOCK: GetTime fails */
	size_t fail_larger;  /* allocations larger than that fail; 0: none */
	unsigned fail_kdfs;  /* so many KDFs find no memory (cheap_kdf.h) */
	uint32_t free_mib;   /* that the memory map shows as free, above 4 GiB */
	unsigned panel_width, panel_height; /* of the graphics output; 0: there is none */
	int no_keyboard_handles;            /* only the merged console input */
	int no_serial;
	int console_on_serial;              /* the firmware mirrors its console there */
	unsigned patience_s; /* simulated, after the last key, before it counts as FAKE_WAITING */
	int forgetful;       /* writes to files and partitions succeed and change nothing */
	int measure_stack;   /* for stack_bytes */
	int search_waiting;  /* look for planted secrets when a run ends as FAKE_WAITING, too */
	enum fake_kernel_habit kernel;
	const char *started_from; /* the program's path on its partition; NULL: none is told */

	/* To be looked at after a run. */
	long writes;         /* points at which the power could have been cut */
	unsigned calls[FAKE_SERVICE_COUNT];
	size_t peak_bytes;   /* memory taken from the firmware at once */
	size_t stack_bytes;  /* deepest use of the stack before it is wiped, with measure_stack */
	uint64_t ran_ms;     /* simulated */
	unsigned kdfs;       /* and what the last one asked for (cheap_kdf.h) */
	size_t kdf_bytes;
	unsigned heap_wipes; /* calls of heap_wipe */
	unsigned sounds;     /* bit 1 << enum sound for each that was played */
	char leaks[FAKE_LEAK_MAX]; /* where planted secrets were found that had to be gone; "" */
	uint8_t initrd[FAKE_INITRD_MAX]; /* what the kernel got */
	size_t initrd_len;
	char cmdline[4096];

	struct fake_inside *inside;
};
#define FAKE_NO_CLOCK INT64_MIN

struct fake *fake_new(uint64_t seed);
void fake_free(struct fake *f);
/* A number below bound from the laptop's own dice. */
uint32_t fake_roll(struct fake *f, uint32_t bound);

/* Runs. Everything but the script is as it was left by the run before; the text of it is gone. */
enum fake_end fake_run(struct fake *f);
enum fake_end fake_call(struct fake *f, void (*function)(void *), void *argument);
/* The firmware in this process, until the next run or fake_free: firmware_start has been called.
 * Statics of pre-boot's modules stay as they are. Nothing may end the run. */
void fake_here(struct fake *f);

/* Call number `first` of the run (from 1) and the `times` - 1 after it fail. times 0: none. */
void fake_fail(struct fake *f, enum fake_service service, unsigned first, unsigned times,
	       uint64_t status);
void fake_fail_nothing(struct fake *f);

/* The person. UTF-8; "\r" is Enter. Keys come one by one, as soon as pre-boot asks, but for those
 * behind an unfulfilled fake_await (a text that is yet to be written, on screen or serial line) or
 * fake_pause. */
void fake_type(struct fake *f, const char *text);
void fake_type_on(struct fake *f, enum fake_device device, const char *text);
/* shift and toggle: KeyShiftState and KeyToggleState without their valid bits. */
void fake_press(struct fake *f, enum fake_device device, uint16_t scan, uint16_t unicode,
		uint32_t shift, uint8_t toggle);
void fake_await(struct fake *f, const char *text);
void fake_pause(struct fake *f, unsigned seconds);
/* That what has been typed so far may be left over (or waited for in vain) is no news. */
void fake_script_quiet(struct fake *f);
/* Forget what was not typed; how much that is. */
void fake_script_clear(struct fake *f);
size_t fake_script_left(const struct fake *f);

/* What stood on the screen and on the serial line since power on. */
const char *fake_screen(const struct fake *f);
const char *fake_serial(const struct fake *f);
int fake_said(const struct fake *f, const char *text);
/* The panel: width * height pixels, 0x00RRGGBB; NULL without one. */
const uint32_t *fake_pixels(const struct fake *f, unsigned *ret_width, unsigned *ret_height);

/* The EFI system partition. Folders come by themselves. */
void fake_file_put(struct fake *f, const char *path, const void *bytes, size_t len);
/* NULL when there is none. */
const uint8_t *fake_file(const struct fake *f, const char *path, size_t *ret_len);
void fake_file_remove(struct fake *f, const char *path);
/* Files that pre-boot has opened and not closed; the root is none. */
unsigned fake_open_files(const struct fake *f);
/* The size that the file system claims. */
void fake_file_claim(struct fake *f, const char *path, uint64_t size);

/* Partitions of the disk, found by their GUID in the order of its text. Returns its number. */
#define FAKE_PARTITION_MAX ((size_t)2 << 20)
unsigned fake_partition(struct fake *f, const uint8_t guid[16], size_t bytes,
			uint32_t sector_bytes);
uint8_t *fake_partition_bytes(const struct fake *f, unsigned n);
/* Of len bytes from the start, onto the disk itself. */
void fake_partition_put(struct fake *f, unsigned n, const void *bytes, size_t len);
/* Sectors that can neither be read nor written. */
void fake_partition_bad(struct fake *f, unsigned n, uint64_t first_byte, uint64_t bytes);
void fake_partition_pull(struct fake *f, unsigned n, int pulled);
/* A device path of the test's own instead of the right one. */
void fake_partition_path(struct fake *f, unsigned n, const void *path, size_t len);

/* Pre-boot computes for so long: timers go off meanwhile. For test doubles that are too quick. */
void fake_work(unsigned ms);
/* Would a KDF find that memory (fail_larger, fail_kdfs)? Yes where no laptop is running. */
int fake_kdf_fits(size_t bytes);

/* Variables of Holdfast's. Returns the length, -1 when there is none. */
int fake_variable(const struct fake *f, const char *name, void *ret, size_t size,
		  uint32_t *ret_attributes);
void fake_variable_put(struct fake *f, const char *name, uint32_t attributes, const void *bytes,
		       size_t len);
void fake_variable_remove(struct fake *f, const char *name);
void fake_variables_clear(struct fake *f);

/* Secrets that must not be left in the memory of pre-boot when the kernel has its keys, leaves boot
 * services, or the machine restarts; heap, stack, variables, the firmware's keyboard buffers, and
 * memory that was given back. Of heap.h's heap, not of the C library's. */
void fake_plant(struct fake *f, const char *name, const void *bytes, size_t len);

#endif
