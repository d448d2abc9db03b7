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

/* Registers of 64 bits, of 32, and doubles: x, w and d by width; the others always. */
static const char *name_of(char kind, unsigned reg, int wide)
{
    static char names[4][8];
    static unsigned next;
    char *name = names[next++ % 4];
    const char letter = kind == 'r' ? (wide ? 'x' : 'w') : kind;
    if (reg == A64_ZERO && (letter == 'x' || letter == 'w'))
        sprintf(name, "%czr", letter);
    else
        sprintf(name, "%c%u", letter, reg);
    return name;
}

static const struct {
    uint32_t operation;
    const char *name, *operands; /* d, n, m; r: by width */
    int widths;                  /* 1: 32 bits, 2: 64 bits */
} operations[] = {
    {A64_ADD, "add", "rrr", 3}, {A64_ADDS, "adds", "rrr", 3}, {A64_SUB, "sub", "rrr", 3}, {A64_SUBS, "subs", "rrr", 3},
    {A64_AND, "and", "rrr", 3}, {A64_ORR, "orr", "rrr", 3}, {A64_EOR, "eor", "rrr", 3}, {A64_MUL, "mul", "rrr", 3},
    {A64_LSLV, "lsl", "rrr", 3}, {A64_LSRV, "lsr", "rrr", 3}, {A64_ASRV, "asr", "rrr", 3}, {A64_SDIV, "sdiv", "rrr", 3},
    {A64_UDIV, "udiv", "rrr", 3}, {A64_SMULH, "smulh", "rrr", 2}, {A64_UMULH, "umulh", "rrr", 2}, {A64_SMULL, "smull", "xww", 2},
    {A64_CLZ, "clz", "rr", 3}, {A64_FADD, "fadd", "ddd", 1}, {A64_FSUB, "fsub", "ddd", 1},
    {A64_FMUL, "fmul", "ddd", 1}, {A64_FDIV, "fdiv", "ddd", 1}, {A64_FSQRT, "fsqrt", "dd", 1}, {A64_FNEG, "fneg", "dd", 1},
    {A64_FABS, "fabs", "dd", 1}, {A64_FMOV, "fmov", "dd", 1}, {A64_FRINTM, "frintm", "dd", 1}, {A64_FRINTP, "frintp", "dd", 1},
    {A64_FRINTZ, "frintz", "dd", 1}, {A64_FRINTX, "frintx", "dd", 1}, {A64_FCVT_SD, "fcvt", "ds", 1}, {A64_FCVT_DS, "fcvt", "sd", 1},
    {A64_FCMP, "fcmp", "_dd", 1}, {A64_FCMP_0, "fcmp", "_d0", 1}, {A64_SCVTF, "scvtf", "dx", 2}, {A64_UCVTF, "ucvtf", "dx", 2},
    {A64_FCVTZS, "fcvtzs", "xd", 2}, {A64_FMOV_TO, "fmov", "xd", 2}, {A64_FMOV_FROM, "fmov", "dx", 2},
};

static void add_operation(unsigned k, int wide, unsigned turn)
{
    const unsigned numbers[3] = {(turn * 7 + 3) % 31, (turn * 11 + 16) % 31, (turn * 5 + 29) % 31};
    const char *operands = operations[k].operands;
    unsigned given[3] = {0};
    char text[TEXT], separator = ' ', *to = text + sprintf(text, "%s", operations[k].name);
    for (unsigned o = 0; operands[o]; o++) {
        if (operands[o] == '_')
            continue;
        if (operands[o] == '0') {
            to += sprintf(to, ",#0.0");
            continue;
        }
        given[o] = numbers[o];
        to += sprintf(to, "%c%s", separator, name_of(operands[o], given[o], wide));
        separator = ',';
    }
    EXPECT("%s", text);
    a64_general(&code, operations[k].operation, wide, given[0], given[1], given[2]);
}

static void add_operations(void)
{
    for (unsigned k = 0; k < sizeof operations / sizeof *operations; k++)
        for (unsigned turn = 0; turn < 12; turn++)
            if (operations[k].widths >> turn % 2 & 1)
                add_operation(k, turn % 2, turn);
}

static void add_choices(int wide)
{
    static const char *const conditions[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"};
    static const struct {
        enum a64_choice choice;
        const char *name;
        char kind;
    } choices[] = {{A64_CSEL, "csel", 'r'}, {A64_CSINC, "csinc", 'r'}, {A64_CSNEG, "csneg", 'r'}, {A64_FCSEL, "fcsel", 'd'}};
    for (unsigned k = 0; k < 4; k++)
        for (unsigned condition = 0; condition < 14; condition++) {
            if (wide && choices[k].kind == 'd')
                continue;
            EXPECT("%s %s,%s,%s,%s", choices[k].name, name_of(choices[k].kind, condition + 1, wide),
                   name_of(choices[k].kind, 30 - condition, wide), name_of(choices[k].kind, condition + 9, wide),
                   conditions[condition]);
            a64_choose(&code, choices[k].choice, wide, condition, condition + 1, 30 - condition, condition + 9);
        }
}

static void add_shifts(int wide)
{
    static const char *const names[] = {"lsl", "lsr", "asr"};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned by = 1; by < (wide ? 64u : 32u); by += 6) {
            EXPECT("%s %s,%s,#%u", names[k], name_of('r', 9, wide), name_of('r', by % 31, wide), by);
            a64_shift(&code, k, wide, 9, by % 31, by);
        }
    EXPECT("add %s,%s,%s,lsl#5", name_of('r', 7, wide), name_of('r', 8, wide), name_of('r', 30, wide));
    a64_add_shifted(&code, wide, 7, 8, 30, 5);
}

static void add_numbers(int wide)
{
    static const struct {
        enum a64_numbered operation;
        const char *name;
    } numbered[] = {{A64_ADD_NUMBER, "add"}, {A64_ADDS_NUMBER, "adds"}, {A64_SUB_NUMBER, "sub"}, {A64_SUBS_NUMBER, "subs"}};
    for (unsigned size = 1; size < 4; size *= 2) {
        EXPECT("sxt%c %s,%s", size == 1 ? 'b' : 'h', name_of('r', 20, wide), name_of('w', 21, wide));
        a64_extend(&code, 1, size, wide, 20, 21);
        EXPECT("uxt%c w20,w21", size == 1 ? 'b' : 'h');
        a64_extend(&code, 0, size, 0, 20, 21);
    }
    EXPECT("sxtw x3,w4");
    a64_extend(&code, 1, 4, 1, 3, 4);
    for (unsigned k = 0; k < 4; k++) {
        EXPECT("%s %s,%s,#0xabc", numbered[k].name, name_of('r', 3 + k, wide), name_of('r', 29 - k, wide));
        a64_number(&code, numbered[k].operation, wide, 3 + k, 29 - k, 0xABC);
    }
}

static void add_constants(void)
{
    EXPECT("mov x5,#0x0");
    a64_move_number(&code, 5, 0);
    EXPECT("mov x5,#0xffffffffffffffff");
    a64_move_number(&code, 5, UINT64_MAX);
    EXPECT("mov x6,#0xffffffffffffff85");
    a64_move_number(&code, 6, (uint64_t)-123);
    EXPECT("mov x7,#0x7ff0000000000000");
    a64_move_number(&code, 7, UINT64_C(0x7FF0000000000000));
    EXPECT("mov x8,#0xdef0");
    EXPECT("movk x8,#0x9abc,lsl#16");
    EXPECT("movk x8,#0x5678,lsl#32");
    EXPECT("movk x8,#0x1234,lsl#48");
    a64_move_number(&code, 8, UINT64_C(0x123456789ABCDEF0));
    EXPECT("mov x9,#0xffffffff5678ffff");
    EXPECT("movk x9,#0x1234,lsl#32");
    a64_move_number(&code, 9, UINT64_C(0xFFFF12345678FFFF));
}

static void add_elements(void)
{
    static const char *const loads[] = {"ldrb", "ldrh", "ldr", "ldr"}, *const stores[] = {"strb", "strh", "str", "str"};
    static const char *const scales[] = {",lsl#0", ",lsl#1", ",lsl#2", ",lsl#3"};
    for (unsigned k = 0; k < 4; k++) {
        const char *reg = name_of('r', k + 5, k == 3), vector = "bhsd"[k];
        EXPECT("%s %s,[x%u,x2%s]", loads[k], reg, k + 9, scales[k]);
        a64_load_indexed(&code, 1u << k, k + 5, k + 9, 2);
        EXPECT("%s %s,[x%u,x2%s]", stores[k], reg, k + 9, scales[k]);
        a64_store_indexed(&code, 1u << k, k + 5, k + 9, 2);
        EXPECT("%s %s,[x16]", loads[k], reg);
        a64_load_at(&code, 1u << k, 0, k + 5, 16);
        EXPECT("%s %s,[x16]", stores[k], reg);
        a64_store_at(&code, 1u << k, 0, k + 5, 16);
        EXPECT("ldr %c%u,[x16]", vector, k + 20);
        a64_load_at(&code, 1u << k, 1, k + 20, 16);
        EXPECT("str %c%u,[x16]", vector, k + 20);
        a64_store_at(&code, 1u << k, 1, k + 20, 16);
    }
}

static void add_general(void)
{
    EXPECT("mov x0,x16");
    a64_move(&code, 0, 16);
    EXPECT("mov x3,xzr");
    a64_clear(&code, 3);
    EXPECT("eor w8,w9,#0x1");
    a64_flip_lowest(&code, 8, 9);
    EXPECT("add x3,x4,#0xfff");
    a64_add_number(&code, 3, 4, 4095);
    EXPECT("add x3,x4,#0x0");
    a64_add_number(&code, 3, 4, 0);
    EXPECT("add x3,x4,#0x123,lsl#12");
    EXPECT("add x3,x3,#0x456");
    a64_add_number(&code, 3, 4, 0x123456);
    EXPECT("cmp x3,x4");
    a64_compare(&code, 1, 3, 4);
    EXPECT("cmp w30,w4");
    a64_compare(&code, 0, 30, 4);
    add_operations();
    add_constants();
    add_elements();
    for (int wide = 0; wide < 2; wide++) {
        add_choices(wide);
        add_shifts(wide);
        add_numbers(wide);
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
