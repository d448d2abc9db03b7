/* vm/text: numbers against the C library's strtod, and rows that do not depend on how the text is cut. */
#include "text/delimited.h"

#include <math.h>

#include "check.h"

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* -- numbers ------------------------------------------------------------------------------------------------------- */

static void check_number(const char *text)
{
    ao_number number;
    const char *end = ao_number_read(text, '.', &number);
    CHECK(*end == 0, "\"%s\" is read to \"%s\"", text, end);
    if (number.kind != AO_ASK) {
        const double x = ao_number_double(&number), wanted = strtod(text, NULL);
        CHECK(bits_of(x) == bits_of(wanted), "\"%s\": %.17g, not %.17g", text, x, wanted);
    }
}

static void test_numbers(void)
{
    static const char *const texts[] = {"0", "-0", "1", "1.", ".5", "1e23", "8.41e21", "9007199254740993", "1e-400", "1e400",
                                        "2.2250738585072011e-308", "4.9406564584124654e-324", "18446744073709551615",
                                        "99999999999999999999999999999999999", "0.000000000000000000000000000000000000001",
                                        "1.7976931348623158e308", "1.7976931348623159e308", "123456789012345678901234567890e-50"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_number(texts[i]);
    }
    uint64_t seed = 18;
    size_t asked = 0;
    for (size_t i = 0; i < 200000; i++) {
        char text[64];
        double x;
        do {
            x = double_of(random_u64(&seed));
        } while (!isfinite(x));
        snprintf(text, sizeof text, "%.*e", (int)(i % 21), x);
        check_number(text);
        ao_number number;
        ao_number_read(text, '.', &number);
        asked += number.kind == AO_ASK;
        snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)random_u64(&seed) >> i % 60,
                 (unsigned long long)random_u64(&seed) >> i % 50, (int)(i % 660) - 340);
        check_number(text);
    }
    CHECK(asked < 100, "%zu numbers are left to others", asked);
}

static void test_no_numbers(void)
{
    static const char *const texts[] = {"", "-", "+", ".", "e5", "x", "-.", "--1", ",5"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ao_number number;
        CHECK(ao_number_read(texts[i], '.', &number) == texts[i], "\"%s\" is a number", texts[i]);
    }
    static const struct {
        const char *text;
        size_t taken;
    } parts[] = {{"1e", 1}, {"1e+", 1}, {"1.5e-x", 3}, {"1.2.3", 3}, {"12 ", 2}, {"7,5", 1}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        ao_number number;
        const size_t taken = (size_t)(ao_number_read(parts[i].text, '.', &number) - parts[i].text);
        CHECK(taken == parts[i].taken, "%zu bytes of \"%s\"", taken, parts[i].text);
    }
}

static void test_special(void)
{
    ao_number number;
    CHECK(ao_number_special("-Infinity", 9, &number) && number.real == -HUGE_VAL, "-Infinity");
    CHECK(ao_number_special("NaN", 3, &number) && number.real != number.real, "NaN");
    CHECK(!ao_number_special("na", 2, &number) && !ao_number_special("infinit", 7, &number), "parts of words");
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

enum { ROOM = 16, TEXT = 256 };

/* What is read of a text: rows, their lines, two columns, the fault. */
typedef struct {
    size_t rows, fault;
    int64_t lines[ROOM];
    ao_cell values[2][ROOM];
    uint8_t absent[2][ROOM];
} found;

/* Reads the text in pieces of so many bytes; the first ends at `first`. */
static found read_all(const char *text, size_t first, size_t step)
{
    found f = {0};
    ao_column columns[2] = {{.field = 0, .cells = AO_CELLS_INT, .turn = AO_TURN_NEVER},
                            {.field = 2, .cells = AO_CELLS_DOUBLE, .fill = {.kind = AO_REAL, .real = -1}}};
    ao_delimited d = {.delimiter = ',', .quote = '"', .comment = '#', .decimal = '.', .missing = AO_MISSING_FILL,
                      .columns = columns, .n_columns = 2};
    ao_delimited_start(&d);
    char buffer[TEXT + AO_TEXT_PADDING];
    const size_t n = strlen(text);
    size_t begin = 0, end = first < n ? first : n;
    for (int final = 0; !d.fault.kind;) {
        memset(buffer, 0, sizeof buffer);
        memcpy(buffer, text + begin, end - begin);
        ao_range rows[ROOM];
        for (int i = 0; i < 2; i++) {
            columns[i].values = f.values[i] + f.rows;
            columns[i].absent = f.absent[i] + f.rows;
        }
        size_t used;
        const size_t count = ao_delimited_rows(&d, buffer, end - begin, final, ROOM - f.rows, rows, f.lines + f.rows, &used);
        f.rows += count;
        begin += used;
        if (!count) {
            if (final) {
                break;
            }
            final = end == n;
            end = end + step < n ? end + step : n;
        }
    }
    f.fault = d.fault.kind;
    return f;
}

static void test_cuts(void)
{
    static const char *const texts[] = {
        "1,x,2.5\n3,\"y\ny\",\n\n# no row\n-4,\"a\"\"b\",1e3\r\n5,,6\r7,,8",
        ("\xef\xbb\xbf" "1,,2\r\n\r\n \"3\",,4\r\n"), /* cut, as \xbf1 would be one character */
        "1,\"\"\"\",2\n3,4\n5,6,7\n",
        "1,\"2,3\n",
        "1,\"2\"3,4\n",
    };
    static const size_t rows[] = {5, 1, 1, 0, 0}, faults[] = {0, AO_FAULT_NO_NUMBER, AO_FAULT_FIELDS, AO_FAULT_OPEN_QUOTE,
                                                            AO_FAULT_AFTER_QUOTE};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        const size_t n = strlen(texts[t]);
        const found whole = read_all(texts[t], n, n);
        CHECK(whole.rows == rows[t] && whole.fault == faults[t], "text %zu: %zu rows, fault %zu", t, whole.rows, whole.fault);
        for (size_t first = 0; first <= n; first++) {
            for (size_t step = 1; step < 5; step++) {
                const found cut = read_all(texts[t], first, step);
                const int same = cut.rows == whole.rows && cut.fault == whole.fault
                                 && !memcmp(cut.lines, whole.lines, whole.rows * sizeof *cut.lines)
                                 && !memcmp(cut.values[0], whole.values[0], whole.rows * sizeof(ao_cell))
                                 && !memcmp(cut.values[1], whole.values[1], whole.rows * sizeof(ao_cell));
                CHECK(same, "text %zu cut at %zu, then every %zu bytes", t, first, step);
            }
        }
    }
    const found f = read_all(texts[0], 7, 3);
    CHECK(f.lines[1] == 2 && f.lines[2] == 6 && f.lines[4] == 8, "lines %d %d %d", (int)f.lines[1], (int)f.lines[2],
          (int)f.lines[4]);
    CHECK(f.values[0][2].i == -4 && f.values[1][2].d == 1000 && f.values[1][1].d == -1 && f.absent[1][1] == 1, "values");
}

int main(void)
{
    test_numbers();
    test_no_numbers();
    test_special();
    test_cuts();
    return check_result("text");
}
