/* What a disassembler reads in the bytes of every instruction that native code is made of.
 *
 * Each form of x86_64.def is encoded for each of its encodings and lengths, with low and with high registers, from memory
 * in every way that x86_64.c addresses it, with and without a mask; and so are the instructions of general registers.
 * objdump must read each as one instruction, the one that was meant. Without objdump the test is skipped.
 *
 *   test_encoder dump     the lines it expects, to be looked at
 */
#define _DEFAULT_SOURCE /* popen */
#include "check.h"
#include "native/encoder.h"

#if defined __unix__ || defined __APPLE__

enum { SIZE = 1 << 21, LINES = 1 << 17, SKIPPED = 77 };

static uint8_t bytes[SIZE];
static x86_code code = {.bytes = bytes, .size = SIZE};
static char *expected[LINES];
static size_t starts[LINES], count;

static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

static const char *const lower[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
                                    "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};

static void expect(size_t start, const char *text)
{
    if (count >= LINES)
        abort();
    expected[count] = malloc(strlen(text) + 1);
    strcpy(expected[count], text);
    starts[count++] = start;
}

/* ---- the text that is expected ---- */

/* The mnemonic: stores have the name of their load, and comparisons one of their condition. */
static void write_name(char *to, const x86_vector *v)
{
    static const struct {
        const char *ours, *theirs;
    } names[] = {
        {"store_dqu8", "vmovdqu8"}, {"store_dqu16", "vmovdqu16"}, {"store_dqu32", "vmovdqu32"}, {"store_dqu64", "vmovdqu64"},
        {"store_dqu", "vmovdqu"}, {"store_q", "vmovq"}, {"store_d", "vmovd"}, {"vcmppd_mask", "vcmpeqpd"},
        {"vcmppd", "vcmpeqpd"}, {"vpcmpb", "vpcmpeqb"}, {"vpcmpub", "vpcmpequb"}, {"vpcmpw", "vpcmpeqw"},
        {"vpcmpuw", "vpcmpequw"}, {"vpcmpd", "vpcmpeqd"}, {"vpcmpud", "vpcmpequd"}, {"vpcmpq", "vpcmpeqq"},
        {"vpcmpuq", "vpcmpequq"}, {"kmovq_from", "kmovq"}, {"vmovq_to", "vmovq"},
        {"vmovq_from", "vmovq"}, {"kmovq_to", "kmovq"}, {"vcmpsd", "vcmpeqsd"},
        {"vcmpps_mask", "vcmpeqps"}, {"vcmpps", "vcmpeqps"},
        {"vpsllw_by", "vpsllw"}, {"vpsraw_by", "vpsraw"}, {"vpsrlw_by", "vpsrlw"},
    };
    strcpy(to, x86_forms[v->form].name);
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        if (strcmp(to, names[k].ours) == 0) {
            strcpy(to, names[k].theirs);
            return;
        }
}

static int is_comparison(const x86_form_info *f)
{
    return strstr(f->name, "cmp") && strchr(f->operands, 'i');
}

/* Of the place of memory and the kind of an operand: its size. */
static const char *size_name(const x86_vector *v, char kind)
{
    static const char *const names[] = {"WORD", "DWORD", "QWORD", "XMMWORD", "YMMWORD", "ZMMWORD"};
    static const char *const broadcast[] = {"BYTE", "WORD", "DWORD", "QWORD"};
    const char *name = x86_forms[v->form].name;
    if (strncmp(name, "vpbroadcast", 11) == 0)
        return broadcast[strchr("bwdq", name[11]) - "bwdq"];
    if (kind == 'C')
        return "XMMWORD";
    if (kind == 'X')
        return strchr(name, 'q') || (strstr(name, "sd") && !strstr(name, "ss2")) || strstr(name, "sd2") ? "QWORD" : "DWORD";
    return names[3 + v->length - (kind == 'H') - 2u * (kind == 'Q') - 3u * (kind == 'E')];
}

static size_t write_memory(char *to, const x86_vector *v, char kind)
{
    const x86_rm *rm = &v->rm;
    size_t n = (size_t)sprintf(to, v->broadcast ? "QWORD BCST [" : "%s PTR [", size_name(v, kind));
    if (rm->base == RIP)
        return n + (size_t)sprintf(to + n, "rip+0x%x]", (unsigned)rm->disp);
    n += (size_t)sprintf(to + n, "%s", general[rm->base]);
    if (rm->index != NO_INDEX)
        n += (size_t)sprintf(to + n, "+%s*%u", general[rm->index], 1u << rm->scale);
    return n + (size_t)sprintf(to + n, "+0x%x]", (unsigned)rm->disp);
}

static size_t write_register(char *to, const x86_vector *v, unsigned reg, char kind)
{
    const char *classes = "xyz";
    unsigned length = v->length;
    if (kind == 'K')
        return (size_t)sprintf(to, "k%u", reg);
    if (kind == 'G')
        return (size_t)sprintf(to, "%s", general[reg]);
    if (kind == 'g')
        return (size_t)sprintf(to, "%s", lower[reg]);
    const unsigned less = kind == 'H' ? 1 : kind == 'Q' ? 2 : kind == 'E' ? 3 : kind == 'X' || kind == 'C' ? 2 : 0;
    length = length > less ? length - less : 0;
    return (size_t)sprintf(to, "%cmm%u", classes[length], reg);
}

static void write_text(char *to, const x86_vector *v)
{
    const x86_form_info *f = &x86_forms[v->form];
    write_name(to, v);
    char separator = ' ';
    for (const char *at = f->operands; *at; at++) {
        if (*at == ',' || *at < 'A')
            continue;
        char *end = to + strlen(to);
        const char place = *at, kind = at[1];
        if (place == 'R' || place == 'S') {
            if (code.quiet)
                strcpy(end, place == 'R' ? "{rn-sae}" : "{sae}");
            continue;
        }
        if (place == 'i') {
            if (!is_comparison(f))
                sprintf(end, ",0x%x", (unsigned)v->imm);
            continue;
        }
        *end++ = separator;
        if (place == 'm' && v->rm.in_memory)
            end += write_memory(end, v, kind);
        else
            end += write_register(end, v, place == 'r' ? v->reg : place == 'v' ? v->vvvv : place == 's' ? (unsigned)v->imm >> 4
                                  : v->rm.reg, kind);
        if (separator == ' ' && v->mask)
            end += sprintf(end, "{k%u}", v->mask);
        if (separator == ' ' && v->zeroing)
            end += sprintf(end, "{z}");
        *end = 0;
        separator = ',';
        at += at[2] == 'M' ? 2 : 1;
    }
}

/* ---- all forms ---- */

static void add(x86_vector v)
{
    char text[256];
    const size_t start = code.at;
    x86_emit(&code, v);
    write_text(text, &v);
    expect(start, text);
}

static int has(const x86_vector *v, const char *operand)
{
    return strstr(x86_forms[v->form].operands, operand) != NULL;
}

static void add_places(x86_vector v, unsigned registers)
{
    const int masks = has(&v, "mK"), only_memory = strchr(x86_forms[v.form].operands, 'M') != NULL;
    const unsigned few = masks ? 8 : has(&v, "mG") ? 16 : registers;
    for (unsigned k = 0; k < 4 && !only_memory; k++) {
        v.rm = x86_reg((k * 11 + 3) % few);
        add(v);
    }
    if (code.quiet || masks || x86_forms[v.form].operands[0] < 'A' || has(&v, "mG") || has(&v, "rg")
        || (has(&v, "mH,r") && !only_memory) || has(&v, "mQ,r") || has(&v, "mE,r"))
        return;
    static const uint8_t bases[] = {R9, R10, R11, RBX, RBP, R12, R13, R14, R15, RAX};
    for (unsigned k = 0; k < sizeof bases; k++) {
        v.rm = x86_at(bases[k], RCX, k % 4, k % 2 ? 0 : 64 * (int32_t)k);
        add(v);
    }
    v.rm = x86_at(RDX, NO_INDEX, 0, 8 * 20);
    add(v);
    v.rm = x86_at(RDX, NO_INDEX, 0, 0);
    add(v);
    v.rm = x86_at(RIP, NO_INDEX, 0, 16);
    add(v);
}

static void add_registers(x86_vector v, unsigned registers)
{
    const unsigned few = has(&v, "rK") ? 8 : registers;
    const int compared = is_comparison(&x86_forms[v.form]), any_imm = has(&v, "i"), is4 = has(&v, "sV");
    for (unsigned k = 0; k < 4; k++) {
        v.reg = (k * 9 + 2) % few;
        v.vvvv = has(&v, ",v") ? (k * 13 + 5) % (has(&v, "vK") ? 8 : registers) : 0;
        v.imm = compared ? 0 : any_imm ? 0x42 : is4 ? (int)(k * 3) << 4 : X86_NO_IMM;
        add_places(v, registers);
    }
}

static void add_form(enum x86_form form, int evex)
{
    const x86_form_info *f = &x86_forms[form];
    const int masks = strncmp(f->name, "k", 1) == 0, narrow = strchr(f->operands, 'X') && f->operands[1] == 'X';
    const int one = strstr(f->name, "sd") != NULL && f->encodings == 'V'; /* double, of vectors that have more */
    const int fixed = masks || narrow || one || strcmp(f->name, "store_q") == 0 || strcmp(f->name, "store_d") == 0
                      || strcmp(f->name, "vmovq_to") == 0;
    const unsigned most = fixed ? 0 : evex ? 2 : 1;
    code.evex = evex;
    for (unsigned length = 0; length <= most; length++) {
        x86_vector v = {.form = form, .length = length};
        if (masks)
            v.length = has(&v, "vK") ? 1 : 0;
        if ((strcmp(f->name, "vextracti128") == 0 || strncmp(f->name, "vperm", 5) == 0) && length == 0)
            continue;
        add_registers(v, evex ? 32 : 16);
        if (!evex || fixed || f->encodings == 'V' || strncmp(f->name, "vpmovm2", 7) == 0 || strstr(f->name, "2m"))
            continue;
        v.mask = 7;
        v.zeroing = f->operands[0] == 'r' && f->operands[1] != 'K';
        add_registers(v, 32);
        code.quiet = length == 2 && strpbrk(f->operands, "RS") != NULL;
        if (code.quiet) {
            add_registers(v, 32);
            add_registers((x86_vector){.form = form, .length = length}, 32);
        }
        code.quiet = 0;
    }
}

/* Where an instruction cannot be told to set no flag, that is noted. */
static void check_loud(void)
{
    const x86_vector sum = {.form = X86_vaddpd, .length = 2, .rm = x86_reg(3), .imm = X86_NO_IMM};
    const x86_rm memory = x86_at(RDX, NO_INDEX, 0, 8);
    const struct {
        x86_vector v;
        int loud;
    } cases[] = {{sum, 0}, {{.form = X86_vaddpd, .length = 1, .imm = X86_NO_IMM}, 1},
                 {{.form = X86_vaddpd, .length = 2, .rm = memory, .imm = X86_NO_IMM}, 1},
                 {{.form = X86_vpxorq, .length = 1, .rm = memory, .imm = X86_NO_IMM}, 0},
                 {{.form = X86_vmovdqu64, .length = 2, .rm = memory, .imm = X86_NO_IMM}, 0}};
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int quiet = 0; quiet < 2; quiet++) {
            uint8_t room[16];
            x86_code c = {.bytes = room, .size = sizeof room, .evex = 1, .quiet = quiet};
            x86_emit(&c, cases[k].v);
            CHECK(c.loud == (quiet && cases[k].loud), "case %u, quiet %d: loud %d", k, quiet, c.loud);
        }
}

static void add_broadcasts(void)
{
    static const enum x86_form forms[] = {X86_vpxorq, X86_vpandq, X86_vaddpd};
    code.evex = 1;
    for (unsigned k = 0; k < 3; k++)
        for (unsigned length = 2; length < 3; length++)
            add((x86_vector){.form = forms[k], .length = length, .reg = 17, .vvvv = 30, .rm = x86_at(RIP, NO_INDEX, 0, 24),
                             .broadcast = 1, .imm = X86_NO_IMM});
}

#define GENERAL(text, ...)            \
    do {                              \
        const size_t at = code.at;    \
        __VA_ARGS__;                  \
        expect(at, text);             \
    } while (0)

/* A general register, or a part of it: r by `wide`, b, w, d, q. */
static const char *name_of(unsigned reg, char kind, int wide)
{
    static char names[4][8];
    static const char *const bytes_of[] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    static unsigned next;
    char *name = names[next++ % 4];
    if (kind == 'q' || (kind == 'r' && wide))
        return general[reg];
    if (reg >= R8)
        sprintf(name, "%s%c", general[reg], kind == 'b' ? 'b' : kind == 'w' ? 'w' : 'd');
    else if (kind == 'b')
        strcpy(name, bytes_of[reg]);
    else
        sprintf(name, "%s%s", kind == 'w' ? "" : "e", general[reg] + 1);
    return name;
}

static void add_general(void)
{
    char text[128];
    static const struct {
        unsigned op;
        const char *name;
        char kinds[3]; /* of both operands: r by width, b a byte, w a word, d 32 bits; q 64 bits, of both and always */
    } binary[] = {{X86_ADD, "add", "rr"}, {X86_OR, "or", "rr"}, {X86_AND, "and", "rr"}, {X86_SUB, "sub", "rr"},
                  {X86_XOR, "xor", "rr"},
                  {X86_CMP, "cmp", "rr"}, {X86_MOV, "mov", "rr"}, {X86_IMUL, "imul", "rr"}, {X86_POPCNT, "popcnt", "rr"},
                  {X86_LZCNT, "lzcnt", "rr"}, {X86_CMOV | X86_GREATER, "cmovg", "rr"},
                  {X86_CMOV | X86_NO_OVERFLOW, "cmovno", "rr"},
                  {X86_MOVZX_8, "movzx", "rb"}, {X86_MOVSX_8, "movsx", "rb"}, {X86_MOVZX_16, "movzx", "rw"},
                  {X86_MOVSX_16, "movsx", "rw"}, {X86_MOVSXD, "movsxd", "qd"}};
    static const struct {
        unsigned op;
        const char *name, *memory;
        char kind;
    } moves[] = {{X86_MOV, "mov", "", 'r'}, {X86_MOVZX_8, "movzx", "BYTE", 'r'}, {X86_MOVZX_16, "movzx", "WORD", 'r'},
                 {X86_STORE, "mov", "", 's'}, {X86_STORE_8, "mov", "BYTE", 'b'}, {X86_STORE_16, "mov", "WORD", 'w'},
                 {X86_LEA, "lea", "LEA", 'r'}};
    static const char *const immediates[] = {"add", "or", "", "", "and", "sub", "xor", "cmp"};
    static const char *const unary[] = {"", "", "not", "neg", "mul", "", "div", "idiv"};
    static const struct {
        unsigned op;
        const char *name;
    } shifts[] = {{X86_SHL_IMM, "shl"}, {X86_SHR_IMM, "shr"}, {X86_SAR_IMM, "sar"}},
      bits[] = {{X86_BZHI, "bzhi"}, {X86_SHLX, "shlx"}, {X86_SARX, "sarx"}, {X86_SHRX, "shrx"}};
    for (unsigned k = 0; k < 32; k++) {
        const unsigned to = k % 16, from = 15 - to;
        const int wide = k >= 16;
        for (unsigned b = 0; b < sizeof binary / sizeof *binary; b++) {
            const char *kinds = binary[b].kinds;
            if (kinds[0] == 'q' && !wide)
                continue;
            sprintf(text, "%s %s,%s", binary[b].name, name_of(to, kinds[0], wide), name_of(from, kinds[1], wide));
            GENERAL(text, x86_registers(&code, binary[b].op, wide, to, from));
        }
        sprintf(text, "test %s,%s", name_of(from, 'r', wide), name_of(to, 'r', wide));
        GENERAL(text, x86_registers(&code, X86_TEST, wide, to, from));
        for (unsigned m = 0; m < sizeof moves / sizeof *moves; m++) {
            const char *size = *moves[m].memory ? moves[m].memory : wide ? "QWORD" : "DWORD";
            const unsigned base = (k + 9) % 16 == RSP ? RBX : (k + 9) % 16;
            char memory[64];
            if (wide && (moves[m].kind == 'b' || moves[m].kind == 'w'))
                continue;
            sprintf(memory, strcmp(size, "LEA") ? "%s PTR [%s+%s*%u+0x40]" : "[%.0s%s+%s*%u+0x40]", size, general[base],
                    general[R8], 1u << k % 4);
            if (strchr("sbw", moves[m].kind))
                sprintf(text, "%s %s,%s", moves[m].name, memory, name_of(to, moves[m].kind == 's' ? 'r' : moves[m].kind, wide));
            else
                sprintf(text, "%s %s,%s", moves[m].name, name_of(to, 'r', wide), memory);
            GENERAL(text, x86_general(&code, moves[m].op, wide, to, x86_at(base, R8, k % 4, 0x40)));
        }
        for (unsigned b = 0; b < 4; b++) {
            sprintf(text, "%s %s,%s,%s", bits[b].name, name_of(to, 'r', wide), name_of(from, 'r', wide),
                    name_of((k + 3) % 16, 'r', wide));
            GENERAL(text, x86_bits(&code, bits[b].op, wide, to, from, (k + 3) % 16));
        }
        for (unsigned b = 0; b < 3; b++) {
            sprintf(text, "%s %s,0x11", shifts[b].name, name_of(to, 'r', wide));
            GENERAL(text, x86_shift(&code, shifts[b].op, wide, to, 0x11));
        }
        for (unsigned b = 0; b < 8; b++) {
            sprintf(text, "%s %s", unary[b], name_of(to, 'r', wide));
            if (*unary[b])
                GENERAL(text, x86_unary(&code, b, wide, to));
            sprintf(text, wide ? "%s %s,0xffffffffffffff80" : "%s %s,0xffffff80", immediates[b], name_of(to, 'r', wide));
            if (*immediates[b] && to) /* rax has a short form, which nobody needs */
                GENERAL(text, x86_immediate(&code, b, wide, to, -128));
        }
        sprintf(text, "imul %s,%s,0x1234567", name_of(to, 'r', wide), name_of(from, 'r', wide));
        GENERAL(text, x86_imul_imm(&code, wide, to, from, 0x1234567));
        sprintf(text, "setg %s", name_of(to, 'b', 0));
        GENERAL(text, x86_set(&code, X86_GREATER, to));
        sprintf(text, "xor %s,%s", name_of(to, 'd', 0), name_of(to, 'd', 0));
        GENERAL(text, x86_clear(&code, to));
        sprintf(text, "push %s", general[to]);
        GENERAL(text, x86_push(&code, to));
        sprintf(text, "pop %s", general[to]);
        GENERAL(text, x86_pop(&code, to));
        sprintf(text, "movabs %s,0x123456789abcdef0", general[to]);
        GENERAL(text, x86_mov_imm(&code, to, UINT64_C(0x123456789abcdef0)));
        sprintf(text, "mov %s,QWORD PTR [rsi+0x80]", general[to]);
        GENERAL(text, x86_load(&code, to, RSI, 0x80));
        sprintf(text, "lea %s,[rip+0x10]", general[to]);
        GENERAL(text, x86_general(&code, X86_LEA, 1, to, x86_at(RIP, NO_INDEX, 0, 16)));
    }
    GENERAL("cdq", x86_sign_to_rdx(&code, 0));
    GENERAL("cqo", x86_sign_to_rdx(&code, 1));
    GENERAL("endbr64", x86_begin(&code));
    GENERAL("vzeroupper", x86_return(&code));
    expect(code.at - 1, "ret");
    const size_t target = code.at;
    size_t jump;
    static const struct {
        enum x86_condition condition;
        const char *name;
    } jumps[] = {{X86_BELOW, "jb"}, {X86_ABOVE_EQUAL, "jae"}, {X86_ZERO, "je"}, {X86_NOT_ZERO, "jne"}, {X86_NOT_NEGATIVE, "jns"},
                 {X86_OVERFLOW, "jo"}, {X86_NO_OVERFLOW, "jno"}, {X86_ABOVE, "ja"}, {X86_BELOW_EQUAL, "jbe"}};
    for (unsigned k = 0; k < sizeof jumps / sizeof *jumps; k++) {
        sprintf(text, "%s 0x%zx", jumps[k].name, target);
        GENERAL(text, jump = x86_jump(&code, jumps[k].condition));
        x86_bind(&code, jump, target);
    }
}

/* ---- what objdump reads ---- */

/* One line of it: where, and the text without blanks, comments and the note which encoding it is. For an address relative to
 * rip, where it is. */
static int read_line(char *line, size_t *start, char *text)
{
    char *end;
    *start = (size_t)strtoull(line, &end, 16);
    if (end == line || *end != ':')
        return 0;
    char *at = strchr(end, '\t');
    at = at ? strchr(at + 1, '\t') : NULL;
    if (!at)
        return 0;
    at += strncmp(at + 1, "{evex} ", 7) == 0 ? 8 : strncmp(at + 1, "{vex} ", 6) == 0 ? 7 : 1;
    char *to = text;
    for (; *at && *at != '#' && *at != '\n' && *at != '<'; at++)
        if (!(*at == ' ' && (to == text || to[-1] == ' ')))
            *to++ = *at;
    while (to > text && to[-1] == ' ')
        to--;
    *to = 0;
    char *rip = strstr(text, "[rip"), after[256];
    if (rip && *at == '#') {
        snprintf(after, sizeof after, "%s", strchr(rip, ']'));
        sprintf(rip + 4, "+0x%llx%s", strtoull(at + 1, NULL, 16), after);
    }
    return 1;
}

/* objdump says {1to8} of a broadcast, and nothing where memory has no displacement; some put a comma before {sae}. */
static int agrees(const char *ours, char *theirs)
{
    char *comma = strstr(theirs, ",{");
    if (comma)
        memmove(comma, comma + 1, strlen(comma));
    char *to8 = strstr(theirs, "{1to8}");
    if (to8)
        *to8 = 0;
    if (strcmp(ours, theirs) == 0)
        return 1;
    char *with = strstr(ours, "+0x0]");
    if (!with)
        return 0;
    char short_one[256];
    sprintf(short_one, "%.*s]", (int)(with - ours), ours);
    char *rest = strchr(with, ']') + 1;
    strcat(short_one, rest);
    return strcmp(short_one, theirs) == 0;
}

static void compare(FILE *pipe)
{
    static char line[4096], text[4096];
    size_t start, k = 0;
    while (fgets(line, sizeof line, pipe)) {
        if (!read_line(line, &start, text))
            continue;
        if (k >= count)
            break;
        CHECK(start == starts[k], "instruction %zu (%s) begins at %zx, not at %zx: %s", k, expected[k], start, starts[k], text);
        if (start != starts[k])
            return;
        CHECK(agrees(expected[k], text), "instruction %zu: '%s', read as '%s'", k, expected[k], text);
        k++;
    }
    CHECK(k == count, "%zu of %zu instructions read", k, count);
}

int main(int argc, char **argv)
{
    if (system("objdump --version > /dev/null 2>&1") != 0) {
        puts("test_encoder: skipped, there is no objdump");
        return SKIPPED;
    }
    for (unsigned form = 0; form < X86_FORMS; form++) {
        if (x86_forms[form].encodings != 'E')
            add_form(form, 0);
        if (x86_forms[form].encodings != 'V')
            add_form(form, 1);
    }
    add_broadcasts();
    add_general();
    check_loud();
    if (argc > 1 && strcmp(argv[1], "dump") == 0)
        for (size_t k = 0; k < count; k++)
            printf("%zx: %s\n", starts[k], expected[k]);
    CHECK(!code.full, "the buffer is too small");
    char name[] = "/tmp/test_encoder.XXXXXX", command[256];
    const int file = mkstemp(name);
    FILE *to = file >= 0 ? fdopen(file, "wb") : NULL;
    if (!to || fwrite(bytes, 1, code.at, to) != code.at || fclose(to))
        abort();
    sprintf(command, "objdump -D -w -M intel -b binary -mi386:x86-64 %s", name);
    FILE *pipe = popen(command, "r");
    if (pipe) {
        compare(pipe);
        pclose(pipe);
    }
    remove(name);
    printf("%zu instructions\n", count);
    return check_result("test_encoder");
}

#else

int main(void)
{
    return 77;
}

#endif
