/* Runs on several threads: the results of one, chunks with marks left to the caller, and with AO_KEEP nothing touched
 * behind the first of them. Also to be run with -Db_sanitize=thread. */
#include "build_program.h"
#include "parallel.h"

enum { N = 30 * AO_CHUNK + 77 };
static builder b;
static double x[N], out[N];
static uint8_t left[64];

/* out = x * x / x, which marks zeros */
static ao_program *load(void)
{
    const char *why = NULL;
    long where = -1;
    build_start(&b, AO_TYPE_f64);
    build_input(&b, AO_TYPE_f64);
    b.header.temps = 1;
    in_body(&b, AO_OP_MUL_f64, 1, 0, 0, AO_NO_REG);
    in_body(&b, AO_OP_DIV_CHECKED_f64, 2, 1, 0, AO_NO_REG);
    ao_program *program = build_load(&b, &why, &where);
    CHECK(program, "%s", why ? why : "?");
    return program;
}

/* Zeros at from, from + step, ...: the elements that are marked. */
static void fill(size_t from, size_t step)
{
    for (size_t i = 0; i < N; i++)
        x[i] = (double)(i + 1), out[i] = -1;
    for (size_t i = from; i < N; i += step)
        x[i] = 0;
}

static void check(size_t from, size_t step, int keep, unsigned threads)
{
    const size_t chunks = ao_chunks(N);
    int behind = 0;
    for (size_t c = 0; c < chunks; c++) {
        const size_t end = (c + 1) * AO_CHUNK < N ? (c + 1) * AO_CHUNK : N;
        int marked = 0, wrong = 0, touched = 0;
        for (size_t i = c * AO_CHUNK; i < end; i++) {
            marked |= i >= from && (i - from) % step == 0;
            wrong |= out[i] != (double)(i + 1);
            touched |= out[i] != -1;
        }
        behind |= keep && marked;
        CHECK(left[c] == (marked || behind), "chunk %zu left %d, %u threads", c, left[c], threads);
        CHECK(left[c] || !wrong, "chunk %zu is wrong, %u threads", c, threads);
        CHECK(!behind || !touched, "chunk %zu touched, %u threads", c, threads);
    }
}

static int count_polls(void *context)
{
    ++*(int *)context;
    return 0;
}

static int stop_at_once(void *context)
{
    (void)context;
    return 1;
}

int main(void)
{
    static const size_t places[][2] = {{N, N}, {0, N}, {N / 2, N}, {N - 1, N}, {3 * AO_CHUNK + 5, 50000}, {1, 2}};
    ao_program *program = load();
    const void *inputs[] = {x};
    ao_job job = {.isa = ao_isa_find(NULL), .inputs = inputs, .out = out, .count = N};
    int polls = 0;
    const ao_poll poll = {count_polls, &polls, 1}, stop = {stop_at_once, NULL, 1};
    CHECK(ao_chunks(0) == 0 && ao_chunks(1) == 1 && ao_chunks(AO_CHUNK) == 1 && ao_chunks(AO_CHUNK + 1) == 2, "chunks");
    CHECK(!ao_is_long(program, AO_CHUNK) && ao_is_long(program, (size_t)1 << 24), "what is long");
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (int keep = 0; keep < 2; keep++)
            for (unsigned threads = 1; threads < 6; threads++) {
                fill(places[p][0], places[p][1]);
                job.flags = keep ? AO_KEEP : 0;
                ao_run_parallel(program, &job, threads, &poll, left);
                check(places[p][0], places[p][1], keep, threads);
            }
    CHECK(polls > 0, "never polled");
    fill(N, N);
    ao_run_parallel(program, &job, 1, &stop, left);
    CHECK(!left[0] && left[1] && out[AO_CHUNK] == -1, "it did not stop");
    ao_program_free(program);
    return check_result("test_parallel");
}
