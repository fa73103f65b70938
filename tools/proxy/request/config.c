/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file of vhu proxy. */
#include "tools/proxy/request/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"

/* Where in a file we are. */
struct config {
	const struct vhu_command *command;
	struct vhu_proxy_request *request;
	const char *path;
	unsigned line;
};

/* Say what is wrong with the line, made as printf makes it. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) static int config_wrong(const struct config *config,
							      char *error, const char *format, ...)
{
	char what[VHU_REQUEST_ERROR];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return vhu_request_wrong(error, "%s:%u: %s", config->path, config->line, what);
}

/* Take the value of "pair": FRONT and BACK, blanks between. Returns as vhu_proxy_config_take does.
 */
static int config_pair(const struct config *config, char *value, char *error)
{
	const size_t size = strlen(config->path) + sizeof(":4294967295");
	char *word[2], *where;
	int code;

	if (vhu_proxy_words(value, BLANKS, word, 2) != 2)
		return config_wrong(config, error,
				    "a pair is FRONT and BACK: write \\ before blanks in a path");
	code = vhu_proxy_request_pair(config->request, word[0], word[1], error);
	where = code ? NULL : vhu_proxy_request_keep(config->request, size);
	if (!where)
		return code ? code : config_wrong(config, error, "out of memory");
	snprintf(where, size, "%s:%u", config->path, config->line);
	config->request->pair[config->request->pairs - 1].where = where;
	return 0;
}

/* Take one line, which has something on it. Returns as vhu_proxy_config_take does. */
static int config_line(const struct config *config, char *line, char *error)
{
	char *value = line + strcspn(line, BLANKS), what[VHU_REQUEST_ERROR];
	const struct vhu_option *option;
	int code;

	if (*value)
		*value++ = '\0';
	value += strspn(value, BLANKS);
	option = vhu_option_find(config->command, line);
	if (!option || option->key == VHU_PROXY_CONFIG || option->key == VHU_PROXY_CHECK_CONFIG)
		return config_wrong(config, error, "%s: no such option, or not one for here", line);
	if (!*value && !vhu_option_may_lack_argument(option))
		return config_wrong(config, error, "%s: wants a value: %s", line, option->argument);
	if (*value && !option->argument)
		return config_wrong(config, error, "%s: takes no value", line);
	if (option->key == VHU_PROXY_PAIR)
		return config_pair(config, value, error);
	code = vhu_proxy_request_take(config->request, option->key, *value ? value : NULL, what);
	if (code)
		config_wrong(config, error, "%s: %s", line, what);
	return code;
}

/* Take all lines of @text. Returns as vhu_proxy_config_take does. */
static int config_lines(struct config *config, char *text, char *error)
{
	char *line, *end;
	int code;

	while ((line = strsep(&text, "\n"))) {
		config->line++;
		line += strspn(line, BLANKS);
		for (end = line + strlen(line); end > line && strchr(BLANKS, end[-1]);)
			*--end = '\0';
		if (!*line || *line == '#')
			continue;
		code = config_line(config, line, error);
		if (code)
			return code;
	}
	return 0;
}

/* Read the file at @path. Returns its text, which the request owns; NULL with a line in @error. */
static char *config_read(struct vhu_proxy_request *request, const char *path, char *error)
{
	FILE *file;
	char *text = NULL;
	size_t size;

	if (!vhu_proxy_request_may_read(request, path, error))
		return NULL;
	errno = 0;
	file = fopen(path, "re");
	if (file)
		text = vhu_proxy_request_keep(request, VHU_PROXY_CONFIG_MAX + 1);
	if (!text) {
		vhu_request_wrong(error, "%s: %s", path, strerror(errno));
		goto out;
	}
	size = fread(text, 1, VHU_PROXY_CONFIG_MAX + 1, file);
	if (ferror(file)) {
		vhu_request_wrong(error, "%s: cannot be read: %s", path, strerror(errno));
		text = NULL;
	} else if (size > VHU_PROXY_CONFIG_MAX || memchr(text, '\0', size)) {
		vhu_request_wrong(error, "%s: not a configuration: %s", path,
				  size > VHU_PROXY_CONFIG_MAX ? "more than 1 MiB"
							      : "it has a zero byte");
		text = NULL;
	}
out:
	if (file)
		fclose(file);
	return text;
}

int vhu_proxy_config_take(const struct vhu_command *command, struct vhu_proxy_request *request,
			  const char *path, char error[VHU_REQUEST_ERROR])
{
	struct config config = {.command = command, .request = request, .path = path};
	char *text = config_read(request, path, error);

	return text ? config_lines(&config, text, error) : -EINVAL;
}
