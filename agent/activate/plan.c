#include "agent/activate/plan.h"

#include <blkid/blkid.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/credential.h"
#include "common/json_host.h"
#include "common/store.h"
#include "common/text.h"

static const char usage[] =
	"usage: holdfast-activate --volume NAME=DEVICE[:PARTUUID]... [OPTIONS]\n"
	"Takes LUKS2 volumes under management: keyslots, credential store, boot files.\n"
	"The password of --user is read as one line from standard input.\n"
	"\n"
	"  --volume NAME=DEVICE[:PARTUUID]  name in crypttab, device or image file; can be repeated\n"
	"  --key-file FILE       existing passphrase of the volumes, the file's bytes\n"
	"  --format              make new LUKS2 volumes instead, on empty devices\n"
	"  --remove-other-keyslots  destroy every keyslot that is not ours, at the end\n"
	"  --esp DIR             root of the EFI system partition (/boot/efi)\n"
	"  --efivars DIR         firmware variables; '' for none (/sys/firmware/efi/efivars)\n"
	"  --kernel FILE --initrd FILE --cmdline TEXT   what shall be started\n"
	"  --efi FILE            holdfast.efi, copied to EFI/holdfast/ and EFI/BOOT/BOOTX64.EFI\n"
	"  --name LAPTOP         name of the laptop\n"
	"  --user NAME           first user\n"
	"  --password-fd N       read the password from this descriptor instead\n"
	"  --kdf-memory-kib N --kdf-passes N   cost of the password (65536, 4)\n"
	"  --boot-files          on a laptop under management: kernel, initrd and command line become the\n"
	"                        boot target 'current', the present ones 'previous'\n"
	"  --handoff FILE        with --boot-files: take the keys from this hand-off, and strip it\n"
	"  --loader FILE         on a laptop under management: another holdfast.efi, which is tried once at the next\n"
	"                        start, and stays if the system comes up with it\n"
	"  --self-test           try the hardware at the next start, before the laptop is put under management; --efi\n"
	"                        may say with which holdfast.efi (/usr/lib/holdfast/holdfast.efi)\n"
	"  --show                with --self-test: show the report instead\n"
	"  --help\n"
	"\n"
	"Prints 'recovery key: ...' once. Until the laptop is enrolled nobody else has it: write it down.\n";

enum { OPT_VOLUME = 1, OPT_KEY_FILE, OPT_FORMAT, OPT_REMOVE, OPT_ESP, OPT_EFIVARS, OPT_KERNEL,
       OPT_INITRD, OPT_CMDLINE, OPT_EFI, OPT_NAME, OPT_USER, OPT_PASSWORD_FD, OPT_MEMORY, OPT_PASSES,
       OPT_BOOT_FILES, OPT_HANDOFF, OPT_LOADER, OPT_SELF_TEST, OPT_SHOW, OPT_HELP };

static const struct option long_options[] = {
	{ "volume", required_argument, NULL, OPT_VOLUME },
	{ "key-file", required_argument, NULL, OPT_KEY_FILE },
	{ "format", no_argument, NULL, OPT_FORMAT },
	{ "remove-other-keyslots", no_argument, NULL, OPT_REMOVE },
	{ "esp", required_argument, NULL, OPT_ESP },
	{ "efivars", required_argument, NULL, OPT_EFIVARS },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "cmdline", required_argument, NULL, OPT_CMDLINE },
	{ "efi", required_argument, NULL, OPT_EFI },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "user", required_argument, NULL, OPT_USER },
	{ "password-fd", required_argument, NULL, OPT_PASSWORD_FD },
	{ "kdf-memory-kib", required_argument, NULL, OPT_MEMORY },
	{ "kdf-passes", required_argument, NULL, OPT_PASSES },
	{ "boot-files", no_argument, NULL, OPT_BOOT_FILES },
	{ "handoff", required_argument, NULL, OPT_HANDOFF },
	{ "loader", required_argument, NULL, OPT_LOADER },
	{ "self-test", no_argument, NULL, OPT_SELF_TEST },
	{ "show", no_argument, NULL, OPT_SHOW },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int guid_read(uint8_t ret[static 16], const char *text)
{
	char hex[33];
	size_t n = 0;

	if (strlen(text) != 36)
		return -1;
	for (; *text; text++)
		if (*text != '-' && n < 32)
			hex[n++] = (char)(*text >= 'A' && *text <= 'F' ? *text + 32 : *text);
	hex[n] = '\0';
	return n != 32 || hex_decode(ret, 16, hex) ? -1 : 0;
}

static void partition_find(struct plan_volume *v)
{
	char *guid = blkid_get_tag_value(NULL, "PARTUUID", v->device);

	if (guid && guid_read(v->partition, guid))
		memset(v->partition, 0, sizeof(v->partition));
	free(guid);
}

static int volume_read(struct plan *p, const char *text)
{
	struct plan_volume *v = &p->volumes[p->volume_count];
	const char *equals = strchr(text, '='), *colon = strrchr(text, ':');

	if (p->volume_count == MANIFEST_VOLUMES_MAX || !equals ||
	    (size_t)(equals - text) >= sizeof(v->name) || strlen(equals + 1) >= sizeof(v->device))
		return -1;
	memcpy(v->name, text, (size_t)(equals - text));
	if (!text_is_name((const uint8_t *)v->name, sizeof(v->name)))
		return -1;
	strcpy(v->device, equals + 1);
	if (colon > equals && !guid_read(v->partition, colon + 1))
		v->device[colon - equals - 1] = '\0';
	else
		partition_find(v);
	p->volume_count++;
	return 0;
}

static int number_read(uint32_t *ret, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n < min || n > max)
		return -1;
	*ret = (uint32_t)n;
	return 0;
}

static int option_take(struct plan *p, int option, const char *arg)
{
	uint32_t fd;

	switch (option) {
	case OPT_VOLUME: return volume_read(p, arg);
	case OPT_KEY_FILE: p->key_file = arg; return 0;
	case OPT_FORMAT: p->format = 1; return 0;
	case OPT_REMOVE: p->remove_others = 1; return 0;
	case OPT_ESP: p->esp = arg; return 0;
	case OPT_EFIVARS: p->efivars = arg; return 0;
	case OPT_KERNEL: p->kernel = arg; return 0;
	case OPT_INITRD: p->initrd = arg; return 0;
	case OPT_CMDLINE: p->cmdline = arg; return 0;
	case OPT_EFI: p->efi = arg; return 0;
	case OPT_NAME: p->name = arg; return 0;
	case OPT_USER: p->user = arg; return 0;
	case OPT_BOOT_FILES: p->boot_files_only = 1; return 0;
	case OPT_HANDOFF: p->handoff = arg; return 0;
	case OPT_LOADER: p->loader = arg; return 0;
	case OPT_SELF_TEST: p->self_test = 1; return 0;
	case OPT_SHOW: p->show = 1; return 0;
	case OPT_PASSWORD_FD:
		if (number_read(&fd, arg, 0, 1023))
			return -1;
		p->password_fd = (int)fd;
		return 0;
	case OPT_MEMORY:
		return number_read(&p->kdf_memory_kib, arg, KDF_PASSWORD_MEMORY_KIB_MIN,
				   KDF_MEMORY_KIB_MAX);
	default:
		return number_read(&p->kdf_passes, arg, KDF_PASSES_MIN, KDF_PASSES_MAX);
	}
}

static int missing(const char *what)
{
	fprintf(stderr, "holdfast-activate: %s (see --help)\n", what);
	return -1;
}

static int plan_complete(const struct plan *p)
{
	if (p->show && !p->self_test)
		return missing("--show is for --self-test");
	if (p->loader || p->self_test)
		return p->loader && p->self_test ? missing("--loader or --self-test, not both") : 0;
	if (!p->kernel || !p->initrd || !p->cmdline)
		return missing("--kernel, --initrd and --cmdline are needed");
	if (p->boot_files_only)
		return 0;
	if (!p->volume_count)
		return missing("no --volume was given");
	if (!p->format == !p->key_file)
		return missing("give --key-file for volumes that exist, or --format for new ones");
	if (!p->name || !*p->name || strlen(p->name) > STORE_NAME_MAX)
		return missing("--name is needed, 1 to 55 bytes");
	if (!p->user)
		return missing("--user is needed");
	return 0;
}

int plan_read(struct plan *ret, int argc, char **argv)
{
	struct plan p = { .esp = "/boot/efi", .efivars = "/sys/firmware/efi/efivars",
			  .password_fd = STDIN_FILENO, .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB,
			  .kdf_passes = KDF_PASSWORD_PASSES };
	int c, index = 0;

	while ((c = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (c == OPT_HELP) {
			fputs(usage, stdout);
			return 1;
		}
		if (c == '?')
			return missing("wrong options");
		if (option_take(&p, c, optarg)) {
			fprintf(stderr, "holdfast-activate: --%s: '%s' cannot be used (see --help)\n",
				long_options[index].name, optarg);
			return -1;
		}
	}
	if (optind < argc)
		return missing("only options are understood");
	if (plan_complete(&p))
		return -1;
	*ret = p;
	return 0;
}
