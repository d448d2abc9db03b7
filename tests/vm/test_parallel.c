/* Runs on several threads: the results of one, chunks with marks left to the caller, and with AO_KEEP nothing touched
 * behind the first of them. Also to be run with -Db_sanitize=thread. */
#include "build_program.h"
#include "parallel.h"

#include <stdatomic.h>

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

/* Without memory for the threads' frames nothing is done, and everything is left. */
static void test_no_memory(void)
{
    static const ao_poll none = {NULL, NULL, 1};
    counting c = {.fail_at = -1};
    const ao_allocator allocator = {counting_call, &c};
    const void *inputs[] = {x};
    size_t size;
    void *bytes = build_bytes(&b, &size);
    ao_program *program;
    CHECK(ao_program_load(bytes, size, &allocator, &program, NULL, NULL) == AO_OK, "load");
    ao_job job = {.isa = ao_isa_find(NULL), .inputs = inputs, .out = out, .count = N};
    fill(N, N);
    c.fail_at = c.calls;
    ao_run_parallel(program, &job, 3, &none, left);
    for (size_t k = 0; k < ao_chunks(N); k++)
        CHECK(left[k], "chunk %zu", k);
    CHECK(out[0] == -1, "touched");
    c.fail_at = -1;
    ao_run_parallel(program, &job, AO_MAX_THREADS + 5, &none, left); /* more than there are chunks, and than may be */
    check(N, N, 0, AO_MAX_THREADS + 5);
    ao_program_free(program);
    CHECK(c.outstanding == 0, "%zu bytes lost", c.outstanding);
    free(bytes);
}

static atomic_size_t taken, parts_run;

static void take_part(void *context, unsigned part, size_t first, size_t end)
{
    CHECK(context == &taken && part < AO_MAX_THREADS && first < end, "part %u", part);
    atomic_fetch_add(&taken, end - first);
    atomic_fetch_add(&parts_run, 1);
}

/* Every element in exactly one part, whatever the numbers. */
static void test_parts(void)
{
    static const size_t counts[] = {0, 1, AO_CHUNK, AO_CHUNK + 1, 5 * AO_CHUNK - 1, 100 * AO_CHUNK};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        for (unsigned parts = 1; parts <= AO_MAX_THREADS + 1; parts += 1 + parts / 2) {
            atomic_store(&taken, 0), atomic_store(&parts_run, 0);
            ao_in_parts(counts[k], parts, take_part, &taken);
            CHECK(atomic_load(&taken) == counts[k], "%zu of %zu in %u parts", atomic_load(&taken), counts[k], parts);
            CHECK(atomic_load(&parts_run) <= parts, "%zu parts", atomic_load(&parts_run));
        }
}

int main(void)
{
    static const size_t places[][2] = {{N, N}, {0, N}, {N / 2, N}, {N - 1, N}, {3 * AO_CHUNK + 5, 50000}, {1, 2}};
    ao_program *program = load();
    const void *inputs[] = {x};
    ao_job job = {.isa = ao_isa_find(NULL), .inputs = inputs, .out = out, .count = N};
    int polls = 0;
    const ao_poll poll = {count_polls, &polls, 1}, stop = {stop_at_once, NULL, 1}, rare = {count_polls, &polls, 8};
    CHECK(ao_chunks(0) == 0 && ao_chunks(1) == 1 && ao_chunks(AO_CHUNK) == 1 && ao_chunks(AO_CHUNK + 1) == 2, "chunks");
    CHECK(!ao_is_long(program, AO_CHUNK) && ao_is_long(program, (size_t)1 << 24), "what is long");
    CHECK(!ao_is_long(program, AO_CHUNK + 1) && ao_is_worth_threads((size_t)1 << 30, AO_CHUNK + 1), "what is worth it");
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
    polls = 0;
    ao_run_parallel(program, &job, 1, &rare, left);
    CHECK(polls == (int)(ao_chunks(N) / 8), "polled %d times", polls);
    ao_program_free(program);
    test_no_memory();
    test_parts();
    return check_result("test_parallel");
}
