/*
 * The command line: words between spaces. Those that begin with "hatchery." are for these entries,
 * other words NAME=VALUE are configuration items, and what is neither is for somebody else.
 */
#include "boot.h"

static const char own_prefix[] = "hatchery.";

struct word {
    const char *start;
    size_t length;
};

/* Takes the next word off the line; false at its end. */
static int next_word(const char **line, struct word *word) {
    const char *at = *line;
    while (*at == ' ' || *at == '\t' || *at == '\n') {
        at++;
    }
    word->start = at;
    while (*at != 0 && *at != ' ' && *at != '\t' && *at != '\n') {
        at++;
    }
    word->length = (size_t)(at - word->start);
    *line = at;
    return word->length > 0;
}

/* Takes `prefix` off the word, if it begins so. */
static int take_prefix(struct word *word, const char *prefix) {
    const size_t length = text_length(prefix);
    if (word->length < length) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        if (word->start[i] != prefix[i]) {
            return 0;
        }
    }
    word->start += length;
    word->length -= length;
    return 1;
}

/* A decimal number, which is all of the word. */
static uint64_t number_of(struct word word) {
    uint64_t number = 0;
    for (size_t i = 0; i < word.length; i++) {
        const unsigned digit = (unsigned char)word.start[i] - '0';
        if (digit > 9 || number > UINT32_MAX) {
            give_up("hatchery.port and hatchery.mailbox are decimal numbers");
        }
        number = number * 10 + digit;
    }
    return number;
}

static void read_own(struct word word, struct parameters *parameters) {
    if (take_prefix(&word, "port=")) {
        parameters->port = (uint32_t)number_of(word);
    } else if (take_prefix(&word, "mailbox=")) {
        parameters->mailbox_page = number_of(word);
    } else if (take_prefix(&word, "exit") && word.length == 0) {
        parameters->exits = 1;
    } else {
        give_up(
            "the command line has a word hatchery.* that is none of port=NUMBER, "
            "mailbox=NUMBER, exit");
    }
}

/* Where the name of an item ends, or 0 if the word is none. */
static size_t name_bytes_of(struct word word) {
    for (size_t i = 0; i < word.length; i++) {
        if (word.start[i] == '=') {
            return i;
        }
    }
    return 0;
}

static size_t padding_of(size_t used) {
    return (8 - used % 8) % 8;
}

static size_t written_bytes;

static void count_only(const void *bytes, size_t count) {
    (void)bytes;
    written_bytes += count;
}

void parameters_items(const char *line, void (*write)(const void *bytes, size_t count)) {
    static const char nothing[8];
    for (struct word word; next_word(&line, &word);) {
        struct word rest = word;
        const size_t name_bytes = name_bytes_of(word);
        if (name_bytes == 0 || take_prefix(&rest, own_prefix)) {
            continue;
        }
        const struct hatchery_item item = {
            .name_bytes = (uint32_t)name_bytes,
            .value_bytes = (uint32_t)(word.length - name_bytes - 1),
        };
        write(&item, sizeof item);
        write(word.start, name_bytes);
        write(nothing, 1);
        write(word.start + name_bytes + 1, item.value_bytes);
        write(nothing, 1);
        write(nothing, padding_of(sizeof item + word.length + 1));
    }
}

void parameters_read(const char *command_line, struct parameters *parameters) {
    const char *line = command_line;
    for (struct word word; next_word(&line, &word);) {
        if (take_prefix(&word, own_prefix)) {
            read_own(word, parameters);
        }
    }
    parameters->has_host = parameters->port != 0 || parameters->mailbox_page != 0;
    if (parameters->has_host && (parameters->port == 0 || parameters->mailbox_page == 0)) {
        give_up("hatchery.port and hatchery.mailbox are of use together only");
    }
    written_bytes = 0;
    parameters_items(command_line, count_only);
    parameters->item_bytes = written_bytes;
}

int items_are_valid(const uint8_t *items, size_t count) {
    size_t at = 0;
    while (count - at >= sizeof(struct hatchery_item)) {
        struct hatchery_item item;
        copy_bytes(&item, items + at, sizeof item);
        const uint64_t used =
            sizeof item + (uint64_t)item.name_bytes + 1 + (uint64_t)item.value_bytes + 1;
        const uint64_t padded = used + padding_of(used);
        if (padded > count - at || items[at + sizeof item + item.name_bytes] != 0 ||
            items[at + used - 1] != 0) {
            return 0;
        }
        at += padded;
    }
    return at == count;
}
