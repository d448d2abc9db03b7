/* What a disassembler reads in the words of every instruction of AArch64 that native code is made of.
 *
 * Each form of a64.def is encoded for each of its sizes, with low and with high registers; and so are loads, stores and the
 * instructions of general registers. objdump must read each as the one that was meant. Where no objdump knows AArch64 the test
 * is skipped.
 *
 *   test_a64_encoder dump     the lines it expects, to be looked at
 */
#define _DEFAULT_SOURCE /* popen */
#include "check.h"
#include "native/a64_encoder.h"

#if defined __unix__ || defined __APPLE__

enum { SIZE = 1 << 18, LINES = SIZE / 4, SKIPPED = 77, TEXT = 128 };

static uint8_t bytes[SIZE];
static a64_code code = {.bytes = bytes, .size = SIZE};
static char expected[LINES][TEXT];
static size_t count;

/* The next word is to be read as this. */
#define EXPECT(...)                                       \
    do {                                                  \
        if (count >= LINES)                               \
            abort();                                      \
        snprintf(expected[count++], TEXT, __VA_ARGS__);   \
    } while (0)

/* ---- the forms ---- */

static const char *arrangement(char kind, unsigned size)
{
    static const char *const whole[] = {"16b", "8h", "4s", "2d"}, *const half[] = {"8b", "4h", "2s", "1d"};
    const unsigned log2 = size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
    return kind == 'W' ? whole[log2 + 1] : kind == 'H' ? half[log2] : whole[log2];
}

/* Names have _0 for a comparison with zero and _2d where the pair is meant; of shifts by nothing there is another name. */
static void write_form(char *to, enum a64_form form, unsigned size, unsigned d, unsigned n, unsigned m)
{
    const a64_form_info *f = &a64_forms[form];
    const char *lengthened = f->name[0] == 's' ? "sxtl" : "uxtl", *name = f->name;
    const int shift = strchr(f->operands, 'i') != NULL, is_float = f->name[0] == 'f';
    if (shift && m == 0 && strchr(f->operands, 'W'))
        name = lengthened;
    to += sprintf(to, "%.*s", (int)strcspn(name, "_"), name);
    char separator = ' ';
    for (const char *at = f->operands; *at; at += strcspn(at, ","), at += *at == ',') {
        if (*at == 'i' && name == lengthened)
            continue;
        *to++ = separator;
        separator = ',';
        if (*at == 'i')
            to += sprintf(to, "#%u", m);
        else if (*at == '0')
            to += sprintf(to, is_float ? "#0.0" : "#0");
        else if (at[1] == 'E')
            to += sprintf(to, "%c%u", "bhsd"[size == 8 ? 3 : size / 2], d);
        else
            to += sprintf(to, "v%u.%s", *at == 'd' ? d : *at == 'n' ? n : m, arrangement(at[1], size));
    }
}

static void add_form(enum a64_form form)
{
    const a64_form_info *f = &a64_forms[form];
    const int to_left = f->encoding == 'L', to_right = f->encoding == 'R', third = strstr(f->operands, ",m") != NULL;
    for (unsigned size = 1; size <= 8; size *= 2)
        for (unsigned k = 0; k < 8 && f->sizes & size; k++) {
            const unsigned d = (k * 9 + 2) % 32, n = (k * 13 + 5) % 32, most = 8 * size;
            const unsigned m = to_left ? k * most / 8 : to_right ? (k + 1) * most / 8 : third ? (k * 11 + 31) % 32 : 0;
            EXPECT("%s", "");
            write_form(expected[count - 1], form, size, d, n, m);
            a64_emit(&code, form, size, d, n, m);
        }
}

/* ---- the rest ---- */

static void add_memory(void)
{
    static const char letters[] = "bhsdq";
    for (unsigned k = 0; k < 5; k++)
        for (unsigned reg = 3; reg < 32; reg += 7) {
            char scale[16] = "";
            if (k)
                sprintf(scale, ",lsl#%u", k);
            EXPECT("ldr %c%u,[x%u,x%u%s]", letters[k], reg, reg / 2, reg % 8 + 9, k ? scale : ",lsl#0");
            a64_load_vector(&code, 1u << k, reg, reg / 2, reg % 8 + 9);
            EXPECT("str %c%u,[x%u,x%u%s]", letters[k], reg, reg / 2, reg % 8 + 9, k ? scale : ",lsl#0");
            a64_store_vector(&code, 1u << k, reg, reg / 2, reg % 8 + 9);
        }
    for (unsigned k = 0; k < 4; k++) {
        EXPECT("ld1r {v%u.%s},[x%u]", 29 - k, arrangement('V', 1u << k), k + 12);
        a64_load_all(&code, 1u << k, 29 - k, k + 12);
        EXPECT("%s x%u,v%u.%c[0]", k == 3 ? "mov" : "smov", k, 30 - k, letters[k]);
        a64_move_lowest(&code, 1u << k, k, 30 - k);
        EXPECT("movi v%u.2d,#0x0", 8 * k + 1);
        a64_clear_vector(&code, 8 * k + 1);
        EXPECT("ldr q%u,0x%x", 8 * k, 16 * k);
        a64_load_literal(&code, 8 * k, 16 * k);
    }
    EXPECT("ldr x16,[x1]");
    a64_load(&code, 16, 1, 0);
    EXPECT("ldr x7,[x1,#32760]");
    a64_load(&code, 7, 1, 8 * 4095);
    EXPECT("add x7,x1,#0x8,lsl#12");
    EXPECT("ldr x7,[x7]");
    a64_load(&code, 7, 1, 8 * 4096);
    EXPECT("str x6,[x2]");
    a64_store(&code, 6, 2);
}

static void add_general(void)
{
    EXPECT("mov x0,x16");
    a64_move(&code, 0, 16);
    EXPECT("mov x3,xzr");
    a64_clear(&code, 3);
    EXPECT("add x17,x3,x30");
    a64_add(&code, 17, 3, 30);
    EXPECT("sub x6,x7,x16");
    a64_subtract(&code, 6, 7, 16);
    EXPECT("add x3,x4,#0xfff");
    a64_add_number(&code, 3, 4, 4095);
    EXPECT("add x3,x4,#0x0");
    a64_add_number(&code, 3, 4, 0);
    EXPECT("add x3,x4,#0x123,lsl#12");
    EXPECT("add x3,x3,#0x456");
    a64_add_number(&code, 3, 4, 0x123456);
    EXPECT("cmp x3,x4");
    a64_compare(&code, 3, 4);
    for (unsigned k = 1; k < 64; k += 31) {
        EXPECT("lsl x9,x10,#%u", k);
        a64_shift_left(&code, 9, 10, k);
        EXPECT("lsr x9,x10,#%u", k);
        a64_shift_right(&code, 9, 10, k);
    }
    EXPECT("ret");
    a64_return(&code);
    const size_t back = code.at;
    EXPECT("b.cs 0x%zx", back + 8);
    EXPECT("b.cc 0x%zx", back);
    EXPECT("cbnz x16,0x%zx", back);
    const size_t forward = a64_jump(&code, A64_ABOVE_EQUAL);
    a64_bind(&code, a64_jump(&code, A64_BELOW), back);
    a64_bind(&code, forward, code.at);
    a64_bind(&code, a64_jump_not_zero(&code, 16), back);
    const size_t nops = (64 - code.at % 64) / 4;
    for (size_t k = 0; k < nops; k++)
        EXPECT("nop");
    a64_align(&code, 64);
}

/* ---- what objdump reads ---- */

/* The text of one line, behind its address and its word: without blanks but the one behind the name, and without notes. */
static int read_line(const char *line, char *text)
{
    char *end;
    strtoull(line, &end, 16);
    if (end == line || *end != ':')
        return 0;
    const char *at = strchr(end, '\t');
    at = at ? strchr(at + 1, '\t') : NULL;
    if (!at)
        return 0;
    char *to = text;
    int named = 0;
    for (at++; *at && *at != '\n' && *at != '/' && !(*at == ' ' && at[1] == '<'); at++) {
        if (*at == '\t' || *at == ' ') {
            if (!named)
                *to++ = ' ';
            named = 1;
        } else {
            *to++ = *at;
        }
    }
    *to = 0;
    char *notes = strstr(text, "  ");
    if (notes)
        *notes = 0;
    return 1;
}

static void compare(FILE *pipe)
{
    static char line[4096], text[4096];
    size_t k = 0;
    while (k < count && fgets(line, sizeof line, pipe)) {
        if (!read_line(line, text))
            continue;
        CHECK(strcmp(expected[k], text) == 0, "instruction %zu: '%s', read as '%s'", k, expected[k], text);
        k++;
    }
    CHECK(k == count, "%zu of %zu instructions read", k, count);
}

/* One that knows AArch64, or NULL. */
static const char *find_objdump(void)
{
    static const char *const names[] = {"aarch64-linux-gnu-objdump", "objdump", "gobjdump"};
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++) {
        char command[128];
        sprintf(command, "%s --help 2> /dev/null | grep -q aarch64", names[k]);
        if (system(command) == 0)
            return names[k];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const char *objdump = find_objdump();
    if (!objdump) {
        puts("test_a64_encoder: skipped, no objdump knows AArch64");
        return SKIPPED;
    }
    for (unsigned form = 0; form < A64_FORMS; form++)
        add_form(form);
    add_memory();
    add_general();
    if (argc > 1 && strcmp(argv[1], "dump") == 0)
        for (size_t k = 0; k < count; k++)
            printf("%zx: %s\n", 4 * k, expected[k]);
    CHECK(!code.full && code.at == 4 * count, "the buffer is too small");
    char name[] = "/tmp/test_a64_encoder.XXXXXX", command[256];
    const int file = mkstemp(name);
    FILE *to = file >= 0 ? fdopen(file, "wb") : NULL;
    if (!to || fwrite(bytes, 1, code.at, to) != code.at || fclose(to))
        abort();
    sprintf(command, "%s -D -z -b binary -m aarch64 %s", objdump, name);
    FILE *pipe = popen(command, "r");
    if (pipe) {
        compare(pipe);
        pclose(pipe);
    }
    remove(name);
    printf("%zu instructions\n", count);
    return check_result("test_a64_encoder");
}

#else

int main(void)
{
    return 77;
}

#endif
