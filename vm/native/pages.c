/* Memory that can be executed. It is never writable at the same time: filled first, then protected, and never opened again.
 * Processors whose caches of instructions do not see what is written are told before.
 *
 * Each program has pages of its own, so that none is touched while another thread executes it. Side by side they are one
 * mapping to the system. Systems may refuse (SELinux, hardened kernels), and Windows is not asked: its calls pass arguments
 * otherwise than x86_64.c takes them.
 */
#define _DEFAULT_SOURCE /* mmap's MAP_ANONYMOUS */
#define _DARWIN_C_SOURCE
#include "plan.h"

#if AO_NATIVE_X86_64 || AO_NATIVE_AARCH64

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *ao_pages_make(const void *code, size_t size, size_t *bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *bytes = (size + page - 1) / page * page;
    void *pages = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    memcpy(pages, code, size);
    __builtin___clear_cache((char *)pages, (char *)pages + size);
    if (mprotect(pages, *bytes, PROT_READ | PROT_EXEC) == 0)
        return pages;
    munmap(pages, *bytes);
    return NULL;
}

void ao_pages_free(void *pages, size_t bytes)
{
    munmap(pages, bytes);
}

#else

void *ao_pages_make(const void *code, size_t size, size_t *bytes)
{
    (void)code, (void)size, (void)bytes;
    return NULL;
}

void ao_pages_free(void *pages, size_t bytes)
{
    (void)pages, (void)bytes;
}

#endif
