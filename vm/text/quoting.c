/* A cell goes byte by byte: what is written is rarely more than twice what is read, and cells are short. */
#include "quoting.h"

static int needs_quotes(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r') {
            return 1;
        }
    }
    return n && (text[0] == ' ' || text[n - 1] == ' ');
}

size_t ao_quoted_csv(const char *text, size_t n, char doubled, char *out)
{
    const int quotes = needs_quotes(text, n);
    char *p = out;
    if (quotes) {
        *p++ = '"';
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"') {
            *p++ = '"';
        }
        *p++ = text[i];
        i += doubled && text[i] == doubled; /* the second of two */
    }
    if (quotes) {
        *p++ = '"';
    }
    return (size_t)(p - out);
}

/* What stands behind the backslash for a control character, or 0. */
static char short_escape(char c)
{
    switch (c) {
    case '\b': return 'b';
    case '\t': return 't';
    case '\n': return 'n';
    case '\f': return 'f';
    case '\r': return 'r';
    case '"':
    case '\\': return c;
    default: return 0;
    }
}

size_t ao_quoted_json(const char *text, size_t n, char doubled, char *out)
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    *p++ = '"';
    for (size_t i = 0; i < n; i++) {
        const char c = text[i], escape = short_escape(c);
        if (escape) {
            *p++ = '\\';
            *p++ = escape;
        } else if ((unsigned char)c < 0x20) {
            const char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            for (size_t j = 0; j < sizeof code; j++) {
                *p++ = code[j];
            }
        } else {
            *p++ = c;
        }
        i += doubled && c == doubled;
    }
    *p++ = '"';
    return (size_t)(p - out);
}

static size_t skip_digits(const char *text, size_t n, size_t i)
{
    while (i < n && text[i] >= '0' && text[i] <= '9') {
        i++;
    }
    return i;
}

int ao_is_json_number(const char *text, size_t n)
{
    const size_t first = n && text[0] == '-';
    size_t i = skip_digits(text, n, first);
    if (i == first || (text[first] == '0' && i > first + 1)) {
        return 0;
    }
    if (i < n && text[i] == '.') {
        const size_t point = i + 1;
        i = skip_digits(text, n, point);
        if (i == point) {
            return 0;
        }
    }
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        i += i < n && (text[i] == '-' || text[i] == '+');
        const size_t digits = i;
        i = skip_digits(text, n, digits);
        if (i == digits) {
            return 0;
        }
    }
    return i == n;
}
