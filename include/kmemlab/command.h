/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The grammar that all devices share: one command a write,
 *
 *	verb [SIZE|NAME] [key=value]...
 *
 * split at blanks, the newline optional. What is wrong with a command is said
 * in words: in the log, and in a verdict that stays readable.
 */
#ifndef _KMEMLAB_COMMAND_H
#define _KMEMLAB_COMMAND_H

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/parser.h>
#include <linux/ratelimit.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define KML_LINE_MAX	256	/* bytes of a command, without its newline */
#define KML_NAME_MAX	31	/* bytes of a name, without its NUL */
#define KML_WORDS_MAX	16

/**
 * struct kml_verdict - the last failure in words
 * @lock: protects @text
 * @text: one line, empty until something fails
 */
struct kml_verdict {
	struct mutex lock;	/* protects text */
	char text[256];
};

#define KML_VERDICT_INIT(name) { .lock = __MUTEX_INITIALIZER((name).lock) }

/**
 * kml_fail - say why a command is refused
 * @verdict: where the words stay readable
 * @err: negative errno
 * @fmt: the reason, one line without a newline
 *
 * Context: process; may sleep.
 * Return: @err, so that a refusal is one statement.
 */
static inline __printf(3, 4) int
kml_fail(struct kml_verdict *verdict, int err, const char *fmt, ...)
{
	va_list args;

	mutex_lock(&verdict->lock);
	va_start(args, fmt);
	vscnprintf(verdict->text, sizeof(verdict->text), fmt, args);
	va_end(args);
	pr_info_ratelimited("%s (%pe)\n", verdict->text, ERR_PTR(err));
	mutex_unlock(&verdict->lock);
	return err;
}

/**
 * kml_say - answer a command where failures are explained too
 * @verdict: where the words stay readable
 * @fmt: the answer, one line without a newline
 *
 * Context: process; may sleep.
 */
static inline __printf(2, 3) void
kml_say(struct kml_verdict *verdict, const char *fmt, ...)
{
	va_list args;

	mutex_lock(&verdict->lock);
	va_start(args, fmt);
	vscnprintf(verdict->text, sizeof(verdict->text), fmt, args);
	va_end(args);
	mutex_unlock(&verdict->lock);
}

/**
 * struct kml_command - a command, split into words
 * @line: what was written; the words point into it
 * @argc: number of words, 0 for an empty line
 * @argv: the words; @argv[0] is the verb
 * @verdict: where refusals are explained
 */
struct kml_command {
	char line[KML_LINE_MAX + 1];
	int argc;
	char *argv[KML_WORDS_MAX];
	struct kml_verdict *verdict;
};

/**
 * struct kml_verb - one verb of a device
 * @name: the word; NULL in the last entry of a table
 * @usage: arguments and meaning, for the help verb
 * @run: carry it out: 0, or a negative errno explained with kml_fail(). In the
 *	 last entry it takes what no verb matches (numbers, empty lines) or is
 *	 NULL
 */
struct kml_verb {
	const char *name;
	const char *usage;
	int (*run)(struct kml_command *cmd);
};

/* Copy a write(2) from user space into @cmd and split it. */
static inline int kml_command_get(struct kml_command *cmd,
				  const char __user *buf, size_t len)
{
	char *rest = cmd->line, *word;

	if (len > KML_LINE_MAX + 1)
		goto too_long;
	if (copy_from_user(cmd->line, buf, min_t(size_t, len, KML_LINE_MAX)))
		return -EFAULT;
	if (len > KML_LINE_MAX) {
		char last;

		if (get_user(last, buf + KML_LINE_MAX))
			return -EFAULT;
		if (last != '\n')
			goto too_long;
		len = KML_LINE_MAX;
	} else if (len && cmd->line[len - 1] == '\n') {
		len--;
	}
	cmd->line[len] = '\0';
	if (strlen(cmd->line) != len || strchr(cmd->line, '\n'))
		return kml_fail(cmd->verdict, -EINVAL,
				"a NUL or a second line in a command");

	cmd->argc = 0;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (cmd->argc == KML_WORDS_MAX)
			return kml_fail(cmd->verdict, -EINVAL,
					"more than %d words", KML_WORDS_MAX);
		cmd->argv[cmd->argc++] = word;
	}
	return 0;

too_long:
	return kml_fail(cmd->verdict, -EINVAL,
			"a command of %zu bytes; at most %d", len, KML_LINE_MAX);
}

/**
 * kml_command_options - take the key=value words of a command
 * @cmd: the command
 * @first: index of the first such word
 * @table: match_token() patterns "key=%s", or "flag"; tokens count from 0
 * @value: one slot a token, all NULL on entry; set to the value (to the word
 *	   itself for a flag) where the key is given
 *
 * Return: 0; -EINVAL for an unknown key, an empty value or a key given twice.
 */
static inline int kml_command_options(struct kml_command *cmd, int first,
				      const match_table_t table,
				      const char **value)
{
	substring_t args[MAX_OPT_ARGS];
	int i, token;

	for (i = first; i < cmd->argc; i++) {
		args[0].from = cmd->argv[i];
		token = match_token(cmd->argv[i], table, args);
		if (token < 0)
			return kml_fail(cmd->verdict, -EINVAL,
					"%s: unknown or empty argument '%s'",
					cmd->argv[0], cmd->argv[i]);
		if (value[token])
			return kml_fail(cmd->verdict, -EINVAL,
					"%s: '%s' is given twice",
					cmd->argv[0], cmd->argv[i]);
		value[token] = args[0].from;
	}
	return 0;
}

/**
 * kml_parse_size - a whole word as memparse() reads it, nothing less
 * @word: digits (decimal, 0x, 0) and at most one of K M G T P E
 * @size: bytes
 *
 * memparse() itself stops at what it does not understand and wraps silently.
 *
 * Return: 0; -EINVAL for anything that is not a size, -ERANGE for 2^64 and
 * beyond.
 */
static inline int kml_parse_size(const char *word, u64 *size)
{
	static const char suffixes[] = "KMGTPE";
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	size_t len = strlen(word);
	const char *suffix;
	char digits[32];
	unsigned int shift = 0;
	u64 base;
	char *end;
	int err;

	if (!isdigit(word[0]))
		return -EINVAL;
	if (len >= sizeof(digits))
		return -ERANGE;
	*size = memparse(word, &end);
	if (*end)
		return -EINVAL;

	memcpy(digits, word, len + 1);
	suffix = strchr(suffixes, toupper(word[len - 1]));
	/* the E of 0x1E is a digit, for memparse() too */
	if (suffix && !(hex && isxdigit(*suffix))) {
		digits[len - 1] = '\0';
		shift = 10 * (suffix - suffixes + 1);
	}
	err = kstrtoull(digits, 0, &base);
	if (err)
		return err;
	return *size >> shift == base ? 0 : -ERANGE;
}

/**
 * kml_command_size - parse a size and explain what is wrong with it
 * @cmd: the command that holds @word
 * @word: the size
 * @size: bytes, at least 1
 *
 * Return: 0, -EINVAL (malformed or zero), -ERANGE (2^64 and beyond).
 */
static inline int kml_command_size(struct kml_command *cmd, const char *word,
				   u64 *size)
{
	int err = kml_parse_size(word, size);

	if (err)
		return kml_fail(cmd->verdict, err,
				err == -ERANGE ? "size '%s' does not fit in 64 bits" :
				"'%s' is not a size: digits and K, M, G, T, P or E",
				word);
	if (!*size)
		return kml_fail(cmd->verdict, -EINVAL, "a size of zero");
	return 0;
}

/* Whether a word may be a name: [A-Za-z0-9_.-]{1,31}. */
static inline bool kml_valid_name(const char *word)
{
	size_t len = strlen(word), i;

	for (i = 0; i < len; i++)
		if (!(isascii(word[i]) && isalnum(word[i])) &&
		    !strchr("_.-", word[i]))
			return false;
	return len && len <= KML_NAME_MAX;
}

/**
 * kml_command_name - check that a word may be a name
 * @cmd: the command that holds @word
 * @word: the name
 *
 * Return: 0, or -EINVAL for anything but [A-Za-z0-9_.-]{1,31}.
 */
static inline int kml_command_name(struct kml_command *cmd, const char *word)
{
	if (kml_valid_name(word))
		return 0;
	return kml_fail(cmd->verdict, -EINVAL,
			"'%s' is not a name: [A-Za-z0-9_.-]{1,%d}", word,
			KML_NAME_MAX);
}

/**
 * kml_device_write - the write method of every device
 * @buf: what the user wrote
 * @len: its length
 * @verbs: the device's verbs, see &struct kml_verb
 * @verdict: where refusals are explained
 *
 * Context: process; may sleep.
 * Return: @len, or a negative errno with nothing changed.
 */
static inline ssize_t kml_device_write(const char __user *buf, size_t len,
				       const struct kml_verb *verbs,
				       struct kml_verdict *verdict)
{
	const struct kml_verb *verb;
	struct kml_command *cmd;
	int err;

	cmd = kmalloc(sizeof(*cmd), GFP_KERNEL);
	if (!cmd)
		return -ENOMEM;
	cmd->verdict = verdict;
	err = kml_command_get(cmd, buf, len);
	if (err)
		goto free_cmd;

	if (cmd->argc == 1 && !strcmp(cmd->argv[0], "help")) {
		for (verb = verbs; verb->name; verb++)
			pr_info("%s %s\n", verb->name, verb->usage);
		goto free_cmd;
	}
	for (verb = verbs; verb->name; verb++)
		if (cmd->argc && !strcmp(cmd->argv[0], verb->name))
			break;
	if (verb->run)
		err = verb->run(cmd);
	else if (cmd->argc)
		err = kml_fail(verdict, -EINVAL, "unknown verb '%s'; try 'help'",
			       cmd->argv[0]);
	else
		err = kml_fail(verdict, -EINVAL, "an empty command");

free_cmd:
	kfree(cmd);
	return err ? err : len;
}

/**
 * kml_verdict_show - print the last failure
 * @verdict: the verdict
 * @m: where to
 */
static inline void kml_verdict_show(struct kml_verdict *verdict,
				    struct seq_file *m)
{
	mutex_lock(&verdict->lock);
	if (verdict->text[0])
		seq_printf(m, "%s\n", verdict->text);
	mutex_unlock(&verdict->lock);
}

#endif /* _KMEMLAB_COMMAND_H */
