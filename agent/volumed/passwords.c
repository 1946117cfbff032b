#include "agent/volumed/passwords.h"

#include <string.h>

#include "common/credential.h"
#include "common/text.h"

enum err passwords_check(const char **ret_why, const char *password)
{
	size_t len = strlen(password);

	*ret_why = "the password is empty";
	if (!len)
		return ERR_RANGE;
	*ret_why = "the password is longer than 256 bytes";
	if (len > PASSWORD_BYTES_MAX)
		return ERR_RANGE;
	*ret_why = "the password has characters that cannot be typed before the system starts: "
		   "use the letters, digits and signs of a US keyboard";
	for (size_t i = 0; i < len; i++)
		if (password[i] < ' ' || password[i] > '~')
			return ERR_RANGE;
	return OK;
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
