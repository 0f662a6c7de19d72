/* A program that bears the marks of a runtime without being one: it is recognised, and nothing is read of it. */
#include <stdio.h>
#include <unistd.h>

#ifdef EXPORT
int EXPORT = 1;
#endif
#ifdef SECTION
__attribute__((section(SECTION), used)) static char section[4096] = "s";
#endif

int main(void) {
    puts("ready");
    fflush(stdout);
    pause();
}
