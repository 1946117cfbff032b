/* Page: the JSON of STATUS as a page for people: first whether the laptop is protected, then what is waited
 * for, since when, and what to do. */
#ifndef HOLDFAST_PAGE_H
#define HOLDFAST_PAGE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* now: s since 1970. Members that are missing are left out. */
void page_print(FILE *to, const json_t *status, uint64_t now);

/* One line, such as "PROTECTED: policy version 3 is enforced". */
void page_headline(char *ret, size_t len, const json_t *status);

/* Does the policy hold in full? */
int page_is_enforced(const json_t *status);

#endif
