/* A program whose heaps hold chunks of all kinds: small and large, used and free, in fast bins and with mappings of
 * their own, in the main arena and, with an argument, in as many threads. It prints what malloc counts, and waits. */
#include <gnu/libc-version.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 60000

static pthread_barrier_t filled;

/* Seeded, so that every run is the same. */
static unsigned next(unsigned *state) { return (*state = *state * 1103515245 + 12345) >> 8; }

static void *fill(void *seed) {
    unsigned state = (unsigned)(size_t)seed;
    void **chunks = malloc(COUNT * sizeof *chunks);
    for (int i = 0; i < COUNT; i++) {
        size_t size = i % 100 == 0 ? 20000 + next(&state) % 90000 : 1 + next(&state) % 1500;
        chunks[i] = malloc(size);
        memset(chunks[i], 'x', size);
    }
    for (int i = 0; i < COUNT; i++)
        if (next(&state) % 3 == 0) free(chunks[i]);
    /* More small ones than a thread's cache holds: they stay in fast bins. */
    for (int i = 0; i < 4000; i++) chunks[i] = malloc(40);
    for (int i = 0; i < 4000; i += 2) free(chunks[i]);
    pthread_barrier_wait(&filled);
    if (seed) pause();
    return NULL;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 0;
    pthread_barrier_init(&filled, NULL, threads + 1);
    for (size_t i = 1; i <= (size_t)threads; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, fill, (void *)i);
    }
    void *page;
    for (int i = 0; i < 20; i++) memset(malloc((1 << 20) + i * 70000), 'm', (1 << 20) + i * 70000);
    if (posix_memalign(&page, 4096, 3 << 20) == 0) memset(page, 'p', 3 << 20);
    /* Moved by mremap. */
    page = malloc(2 << 20);
    for (int i = 1; i < 9; i++) page = realloc(page, (2 + i) << 20);
    memset(page, 'r', 10 << 20);
    fill(NULL);
    setvbuf(stdout, NULL, _IONBF, 0);
    /* Of releases before 2.33 there is only mallinfo, of the main arena and up to 2 GiB. */
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 sums = mallinfo2();
#else
    struct mallinfo sums = mallinfo();
#endif
    printf("glibc=%s used=%zu free=%zu mapped=%zu\n", gnu_get_libc_version(), (size_t)sums.uordblks, (size_t)sums.fordblks, (size_t)sums.hblkhd);
    pause();
}
