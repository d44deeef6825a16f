// SPDX-License-Identifier: GPL-2.0
/* Exits 0 if standard input is one JSON value (RFC 8259) and nothing else. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int c;	/* the character that is next */

static void next(void)
{
	c = getchar();
}

static void fail(const char *why)
{
	fprintf(stderr, "JSON: %s before byte %ld\n", why, ftell(stdin));
	exit(1);
}

static void space(void)
{
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		next();
}

static void expect(int want)
{
	if (c != want)
		fail("unexpected character");
	next();
}

static void string(void)
{
	int i;

	expect('"');
	while (c != '"') {
		if (c == EOF || c < ' ')
			fail("a bare control character");
		if (c == '\\') {
			next();
			if (c == 'u')
				for (i = 0; i < 4; i++) {
					next();
					if (!isxdigit(c))
						fail("a bad \\u");
				}
			else if (c == EOF || !strchr("\"\\/bfnrt", c))
				fail("a bad escape");
		}
		next();
	}
	next();
}

static void digits(void)
{
	if (!isdigit(c))
		fail("no digit");
	while (isdigit(c))
		next();
}

static void number(void)
{
	if (c == '-')
		next();
	if (c == '0')
		next();
	else
		digits();
	if (c == '.') {
		next();
		digits();
	}
	if (c == 'e' || c == 'E') {
		next();
		if (c == '+' || c == '-')
			next();
		digits();
	}
}

static void value(int depth);

static void list(int close, int keys, int depth)
{
	next();
	space();
	if (c == close) {
		next();
		return;
	}
	for (;;) {
		if (keys) {
			space();
			string();
			space();
			expect(':');
		}
		value(depth + 1);
		if (c != ',')
			break;
		next();
	}
	expect(close);
}

static void value(int depth)
{
	const char *word = NULL;

	if (depth > 64)
		fail("too deep");
	space();
	if (c == '{')
		list('}', 1, depth);
	else if (c == '[')
		list(']', 0, depth);
	else if (c == '"')
		string();
	else if (c == 't')
		word = "true";
	else if (c == 'f')
		word = "false";
	else if (c == 'n')
		word = "null";
	else
		number();
	for (; word && *word; word++)
		expect(*word);
	space();
}

int main(void)
{
	next();
	value(0);
	if (c != EOF)
		fail("something more");
	return 0;
}
