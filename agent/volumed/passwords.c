#include "agent/volumed/passwords.h"

#include <stdio.h>
#include <string.h>

#include "agent/keyboard_conf.h"
#include "common/credential.h"
#include "common/layout.h"
#include "common/text.h"

static void layout_that_counts(struct layout *ret, const char *name)
{
	struct keyboard_conf own;

	if (!layouts_find(ret, NULL, layouts_builtin(), name))
		return;
	keyboard_conf_read(&own, KEYBOARD_CONF_ETC);
	if (layouts_find(ret, NULL, layouts_builtin(), own.layout))
		*ret = (struct layout){ 0 };
}

/* A key that not every firmware reports is good enough: the person has been warned, and may know the laptop. */
static int types(unsigned *ret_place, const struct layout *l, const char *password)
{
	return l->keys && layout_check(ret_place, layouts_builtin(), l, password, strlen(password)) != LAYOUT_NEVER;
}

static enum err typed_check(const char **ret_why, const char *password, const char *layout)
{
	static char why[160];
	struct layout here, us = { 0 };
	unsigned place = 1, ignored;

	layout_that_counts(&here, layout);
	if (types(&place, &here, password) || (!layouts_get(&us, layouts_builtin(), 0) && types(&ignored, &us, password)))
		return OK;
	(void)snprintf(why, sizeof(why), "character %u of the password cannot be typed before the system starts, "
		       "with the keyboard layout %s (%s)", place, here.name, here.title);
	*ret_why = why;
	return ERR_RANGE;
}

enum err passwords_check_typed(const char **ret_why, const char *password, const char *layout)
{
	size_t len = strlen(password);

	*ret_why = "the password is empty";
	if (!len)
		return ERR_RANGE;
	*ret_why = "the password is longer than 256 bytes";
	if (len > PASSWORD_BYTES_MAX)
		return ERR_RANGE;
	return typed_check(ret_why, password, layout);
}

enum err passwords_check(const char **ret_why, const char *password)
{
	return passwords_check_typed(ret_why, password, "");
}

enum err passwords_check_user(const char **ret_why, const char *user)
{
	uint8_t field[USER_NAME_MAX + 1] = { 0 };
	size_t len = strlen(user);

	*ret_why = "a user name has 1 to 63 bytes";
	if (!len || len > USER_NAME_MAX)
		return ERR_RANGE;
	memcpy(field, user, len);
	*ret_why = "the user name has characters that cannot be shown";
	if (!text_valid(field, sizeof(field)))
		return ERR_RANGE;
	*ret_why = "a user name has no '/' and no blank at its ends";
	if (strchr(user, '/') || user[0] == ' ' || user[len - 1] == ' ')
		return ERR_RANGE;
	return OK;
}
