/* A PAM module that answers what it is told to, and leaves word that it was called. The number of the directory that it lies
   in tells it from its copies. Answers: PAM environment A<number> for pam_authenticate, C<number> for pam_setcred. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_modules.h>

static int answer(pam_handle_t *pamh, char call, int argc, const char **argv)
{
    Dl_info where;
    char name[32], trace[16384];
    const char *end, *number, *told;
    int i;

    if (!dladdr((void *)answer, &where) || !(end = strrchr(where.dli_fname, '/')))
        return PAM_SYSTEM_ERR;
    for (number = end; number > where.dli_fname && number[-1] != '/'; --number)
        ;
    snprintf(name, sizeof name, "%c%d", call, atoi(number));
    told = pam_getenv(pamh, "TRACE");
    snprintf(trace, sizeof trace, "TRACE=%s%s", told ? told : "", name);
    for (i = 0; i < argc; ++i) {
        strncat(trace, "\x1f", sizeof trace - strlen(trace) - 1);
        strncat(trace, argv[i], sizeof trace - strlen(trace) - 1);
    }
    strncat(trace, "\x1e", sizeof trace - strlen(trace) - 1);
    pam_putenv(pamh, trace);
    told = pam_getenv(pamh, name);
    return told ? atoi(told) : PAM_SUCCESS;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return answer(pamh, 'A', argc, argv);
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return answer(pamh, 'C', argc, argv);
}
