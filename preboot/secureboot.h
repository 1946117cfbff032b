/* Secure Boot: does the firmware check what it starts? */
#ifndef HOLDFAST_SECUREBOOT_H
#define HOLDFAST_SECUREBOOT_H

/* On, and not in set-up mode, in which anybody may put in keys. The firmware's own word: without a TPM
 * nothing confirms it. Source: UEFI, "Globally Defined Variables". */
int secureboot_is_on(void);

#endif
