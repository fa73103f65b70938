/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked as to kicks and calls, and what cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/eventfd/options.h"

#include "lib/util/util.h"

/* Return what @notify means as text: "kc 0,2-3 7" is kicks and calls of these vrings of session 7.
 */
static const char *shown(const struct vhu_eventfd_options *notify)
{
	static char text[512];
	size_t at = 0;

	for (enum vhu_vring_role role = VHU_KICK; role < VHU_VRING_ROLES; role++)
		if (notify->role[role])
			text[at++] = "kce"[role];
	text[at++] = ' ';
	for (unsigned i = 0; i < VHU_EVENTFD_VRINGS; i++) {
		unsigned last = i;

		if (!notify->vring[i])
			continue;
		while (last + 1 < VHU_EVENTFD_VRINGS && notify->vring[last + 1])
			last++;
		at += (size_t)sprintf(text + at, last > i ? "%u-%u," : "%u,", i, last);
		i = last;
	}
	sprintf(text + at - 1, " %u", (unsigned)notify->session);
	return text;
}

static void words_name_what_is_meant(void **state)
{
	static const struct {
		const char *text, *means;
	} row[] = {
	    {NULL, "kce 0-255 0"},
	    {"", "kce 0-255 0"},
	    {"all", "kce 0-255 0"},
	    {"kick", "k 0-255 0"},
	    {"call,err", "ce 0-255 0"},
	    {"vring=0", "kce 0 0"},
	    {"vring=0,2-3,call", "c 0,2-3 0"},
	    {"vring=0,1 session=2", "kce 0-1 2"},
	    {" session=18446744073709551615\\tvring=255 ", NULL},
	    {"session=7 vring=4 vring=6", "kce 4,6 7"},
	    {"vring=0-255", "kce 0-255 0"},
	    {"vring=256", NULL},
	    {"vring=", NULL},
	    {"vring=3-1", NULL},
	    {"vring=1-", NULL},
	    {"vring=1x", NULL},
	    {"vring=-1", NULL},
	    {"vring", NULL},
	    {"1", NULL},
	    {"session=0", NULL},
	    {"session=18446744073709551616", NULL},
	    {"session=2,3", NULL},
	    {"kicks", NULL},
	    {"kic", NULL},
	    {"kick,,call", "kc 0-255 0"},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		/* What an earlier option asked for does not add to it. */
		struct vhu_eventfd_options notify = {
		    .session = 99, .vring[9] = true, .record = true};
		char error[200] = "";

		if (row[i].means) {
			assert_int_equal(
			    vhu_eventfd_options_parse(&notify, row[i].text, error, sizeof(error)),
			    0);
			assert_string_equal(shown(&notify), row[i].means);
			assert_true(notify.record);
		} else {
			assert_int_not_equal(
			    vhu_eventfd_options_parse(&notify, row[i].text, error, sizeof(error)),
			    0);
			assert_non_null(strstr(error, "cannot be interposed"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_name_what_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
