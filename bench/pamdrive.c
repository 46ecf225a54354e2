/*
 * pamdrive - drives a PAM service through many logins and reports latency,
 * throughput and every wrong verdict.
 *
 * One login = pam_start, pam_authenticate, pam_end. The conversation answers
 * prompts of either style with a code that the driver computes itself (RFC 4226
 * HOTP / RFC 6238 TOTP, HMAC-SHA1), or, with --maildir, with the code of the mail
 * that the login made: so any module that speaks OATH or mails a code can be
 * driven. Nothing here knows which module is behind the service.
 *
 * Mail. The code of USER is looked for in DIR/USER/new/: the newest message is
 * read, all are unlinked, and the digits after "Your login code is " are the code.
 * This happens inside the conversation, so its time is part of the login's; the
 * "mail" figures say how much it was.
 *
 * Keys. The key of a user is HMAC-SHA1("pamdrive", user name), 20 bytes; print
 * it with --print-key NAME. Enrol the peer with the same key and the driver and
 * the peer agree without any shared file.
 *
 * Build: cc -O2 -Wall -Wextra -o pamdrive pamdrive.c -lpam
 * Only libpam and libc are needed.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- SHA-1, HMAC, HOTP --------------------------------------------------- */

struct sha1 { uint32_t h[5]; uint64_t len; uint8_t buf[64]; };

static uint32_t rol(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }

static void sha1_block(struct sha1 *s, const uint8_t *p)
{
    uint32_t w[80], a, b, c, d, e;
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4*i] << 24 | (uint32_t)p[4*i+1] << 16 |
               (uint32_t)p[4*i+2] << 8 | p[4*i+3];
    for (int i = 16; i < 80; i++)
        w[i] = rol(w[i-3] ^ w[i-8] ^ w[i-14] ^ w[i-16], 1);
    a = s->h[0]; b = s->h[1]; c = s->h[2]; d = s->h[3]; e = s->h[4];
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20)      { f = (b & c) | (~b & d);          k = 0x5a827999; }
        else if (i < 40) { f = b ^ c ^ d;                   k = 0x6ed9eba1; }
        else if (i < 60) { f = (b & c) | (b & d) | (c & d); k = 0x8f1bbcdc; }
        else             { f = b ^ c ^ d;                   k = 0xca62c1d6; }
        uint32_t t = rol(a, 5) + f + e + k + w[i];
        e = d; d = c; c = rol(b, 30); b = a; a = t;
    }
    s->h[0] += a; s->h[1] += b; s->h[2] += c; s->h[3] += d; s->h[4] += e;
}

static void sha1_init(struct sha1 *s)
{
    static const uint32_t iv[5] =
        { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    memcpy(s->h, iv, sizeof iv);
    s->len = 0;
}

static void sha1_add(struct sha1 *s, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (; n; n--) {
        s->buf[s->len++ % 64] = *p++;
        if (s->len % 64 == 0)
            sha1_block(s, s->buf);
    }
}

static void sha1_end(struct sha1 *s, uint8_t out[20])
{
    uint64_t bits = s->len * 8;
    uint8_t lenbuf[8];
    for (int i = 0; i < 8; i++)
        lenbuf[i] = (uint8_t)(bits >> (56 - 8*i));
    sha1_add(s, "\x80", 1);
    while (s->len % 64 != 56)
        sha1_add(s, "", 1);
    sha1_add(s, lenbuf, 8);
    for (int i = 0; i < 20; i++)
        out[i] = (uint8_t)(s->h[i/4] >> (24 - 8*(i%4)));
}

static void hmac_sha1(const void *key, size_t keylen /* <= 64 */,
                      const void *msg, size_t msglen, uint8_t out[20])
{
    uint8_t pad[64];
    struct sha1 s;
    memset(pad, 0x36, 64);
    for (size_t i = 0; i < keylen; i++) pad[i] ^= ((const uint8_t *)key)[i];
    sha1_init(&s); sha1_add(&s, pad, 64); sha1_add(&s, msg, msglen); sha1_end(&s, out);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    sha1_init(&s); sha1_add(&s, pad, 64); sha1_add(&s, out, 20); sha1_end(&s, out);
}

static void hotp6(const uint8_t key[20], uint64_t counter, char out[7])
{
    uint8_t msg[8], mac[20];
    for (int i = 0; i < 8; i++) msg[i] = (uint8_t)(counter >> (56 - 8*i));
    hmac_sha1(key, 20, msg, 8, mac);
    int o = mac[19] & 15;
    uint32_t v = (uint32_t)(mac[o] & 0x7f) << 24 | (uint32_t)mac[o+1] << 16 |
                 (uint32_t)mac[o+2] << 8 | mac[o+3];
    snprintf(out, 7, "%06" PRIu32, v % 1000000);
}

static void user_key(const char *user, uint8_t key[20])
{
    hmac_sha1("pamdrive", 8, user, strlen(user), key);
}

static int selftest(void)                          /* RFC 4226, appendix D */
{
    static const char *want[] = { "755224", "287082", "359152", "969429",
        "338314", "254676", "287922", "162583", "399871", "520489" };
    char got[7];
    for (int i = 0; i < 10; i++) {
        hotp6((const uint8_t *)"12345678901234567890", (uint64_t)i, got);
        if (strcmp(got, want[i]) != 0) {
            fprintf(stderr, "selftest: counter %d: %s, not %s\n", i, got, want[i]);
            return 1;
        }
    }
    return 0;
}

/* ---- options and shared results ------------------------------------------ */

enum mode { SEQ, REPLAY, RACE };

static struct {
    const char *service, *confdir, *user_format, *maildir, *label;
    int first, step, users, procs, n, warmup;
    uint64_t counter;
    int pace_ms;
    bool totp, wrong, same_user, lockstep, recheck, rss;
    enum mode mode;
} opt = { .service = "perf-permit", .user_format = "u%06d", .label = "",
          .counter = 1,
          .step = 1, .users = 1, .procs = 1, .n = 1000, .warmup = 10 };

#define MAXRC 64
#define CODE 16                    /* bytes of a code, its NUL included */
struct tally {
    long ok, denied;           /* verdicts on the measured attempts */
    long replay_tried, replay_accepted;
    long no_mail;              /* prompts for which no mail with a code was found */
    long rc[MAXRC];            /* every return code of a measured attempt */
    double wall;               /* seconds this process spent in its loop */
    long rss_before, rss_open, rss_after; /* KiB: before any login, inside the first, after the last */
};

static struct tally *tally;        /* [procs], shared */
static int32_t *round_wins;        /* [n], shared: successes per round */
static char (*last_ok)[CODE];      /* [users], shared: the code each user last got in with */
static uint32_t *lat_all, *lat_auth, *lat_mail; /* [procs * n], shared, in 10 ns units */
static struct race { char code[CODE]; int posted, arrived; } *race; /* [warmup + n], shared: --race --maildir */
static pthread_barrier_t *barrier; /* shared */

static void *shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) { perror("mmap"); exit(2); }
    return p;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- one login ------------------------------------------------------------ */

/* What the conversation answers with, and what it met. */
enum source { COMPUTED, MAILED, OLD };
struct dialogue {
    const char *user;
    enum source source;
    char code[CODE];
    int prompts;
    uint64_t mail_ns;
    struct race *race;             /* with --race --maildir, else NULL */
    bool no_mail;
};

/* Copies the digits after "Your login code is " out of one message. */
static bool code_in_message(int dir, const char *name, char code[CODE])
{
    static const char mark[] = "Your login code is ";
    char text[16384];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0) return false;
    text[got] = 0;
    for (char *at = text; (at = strstr(at, mark));) {
        at += sizeof mark - 1;
        size_t digits = strspn(at, "0123456789");
        if (digits < 4 || digits >= CODE) continue;
        memcpy(code, at, digits);
        code[digits] = 0;
        return true;
    }
    return false;
}

/* Reads the newest message of a user and unlinks all of them. */
static bool take_mail(const char *user, char code[CODE])
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/new", opt.maildir, user);
    DIR *d = opendir(path);
    if (!d) return false;
    bool found = false;
    struct timespec newest = { 0, 0 };
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        char this[CODE];
        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, 0)) continue;
        bool later = st.st_mtim.tv_sec > newest.tv_sec ||
                     (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec >= newest.tv_nsec);
        if (later && code_in_message(dirfd(d), e->d_name, this)) {
            newest = st.st_mtim;
            memcpy(code, this, CODE);
            found = true;
        }
        unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    return found;
}

/* All racers share one mail: whoever finds it posts its code, and all answer together. */
static bool join_race(struct dialogue *talk)
{
    struct race *r = talk->race;
    uint64_t limit = now_ns() + 2000000000u;
    while (!__atomic_load_n(&r->posted, __ATOMIC_ACQUIRE)) {
        char code[CODE];
        if (take_mail(talk->user, code)) {
            memcpy(r->code, code, CODE);
            __atomic_store_n(&r->posted, 1, __ATOMIC_RELEASE);
        } else if (now_ns() > limit) {
            return false;
        } else {
            sched_yield();
        }
    }
    memcpy(talk->code, r->code, CODE);
    __atomic_add_fetch(&r->arrived, 1, __ATOMIC_SEQ_CST);
    limit = now_ns() + 500000000u;     /* a racer that was never asked does not come */
    while (__atomic_load_n(&r->arrived, __ATOMIC_SEQ_CST) < opt.procs && now_ns() < limit)
        sched_yield();
    return true;
}

/* Decides what is typed at a prompt; false hangs up. */
static bool answer(struct dialogue *talk)
{
    bool first = talk->prompts++ == 0;
    if (talk->prompts > 10) return false;          /* a service that asks for ever */
    if (!opt.maildir) return true;
    if (talk->source == OLD) {
        char fresh[CODE] = "";
        take_mail(talk->user, fresh);
        return strcmp(fresh, talk->code) != 0;     /* one time in a million the new code is the old one */
    }
    if (first) {
        uint64_t t = now_ns();
        bool found = talk->race ? join_race(talk) : take_mail(talk->user, talk->code);
        talk->mail_ns = now_ns() - t;
        talk->no_mail = !found;
        if (found && opt.wrong) talk->code[0] = (char)('0' + (talk->code[0] - '0' + 1) % 10);
        return found;
    }
    return opt.wrong && !talk->no_mail;            /* a right code that was refused is not typed again */
}

static int converse(int n, const struct pam_message **msg,
                    struct pam_response **resp, void *data)
{
    struct dialogue *talk = data;
    struct pam_response *r = calloc((size_t)n, sizeof *r);
    if (!r) return PAM_BUF_ERR;
    for (int i = 0; i < n; i++) {
        int style = msg[i]->msg_style;
        if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON) continue;
        if (!answer(talk)) {
            for (int k = 0; k < i; k++) free(r[k].resp);
            free(r);
            return PAM_CONV_ERR;
        }
        r[i].resp = strdup(talk->code);
    }
    *resp = r;
    return PAM_SUCCESS;
}

/* Replaces libpam's sleep after a denial: the sleep is policy, not work. */
static void no_delay(int rc, unsigned usec, void *data) { (void)rc; (void)usec; (void)data; }

static long rss_kib(void)
{
    long kib = 0;
    char line[256];
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Rss: %ld", &kib) == 1) break;
    if (f) fclose(f);
    return kib;
}

static long *rss_open;             /* where the next login notes its Rss, or NULL */

struct times { uint32_t all, auth, mail; }; /* 10 ns units */

static int login_once(struct dialogue *talk, struct times *times)
{
    struct pam_conv conv = { converse, talk };
    pam_handle_t *h = NULL;
    uint64_t t0 = now_ns();
    int rc = opt.confdir ? pam_start_confdir(opt.service, talk->user, &conv, opt.confdir, &h)
                         : pam_start(opt.service, talk->user, &conv, &h);
    if (rc != PAM_SUCCESS) {
        fprintf(stderr, "pam_start(%s): %d\n", opt.service, rc);
        exit(2);
    }
    pam_set_item(h, PAM_FAIL_DELAY, (const void *)no_delay);
    uint64_t t1 = now_ns();
    rc = pam_authenticate(h, 0);
    uint64_t t2 = now_ns();
    if (rss_open) { *rss_open = rss_kib(); rss_open = NULL; }
    pam_end(h, rc);
    uint64_t t3 = now_ns();
    *times = (struct times){ (uint32_t)((t3 - t0) / 10), (uint32_t)((t2 - t1) / 10),
                             (uint32_t)(talk->mail_ns / 10) };
    return rc;
}

/* ---- the loop of one process ---------------------------------------------- */

/* One time in a hundred thousand a code of another time is right by chance. */
static bool is_right(const uint8_t key[20], uint64_t counter, const char *code)
{
    char right[7];
    for (int64_t off = -5; off <= 5; off++) {
        hotp6(key, counter + (uint64_t)off, right);
        if (strcmp(right, code) == 0) return true;
    }
    return false;
}

static void code_for(const uint8_t key[20], uint64_t counter, char code[CODE])
{
    if (opt.totp) counter = (uint64_t)time(NULL) / 30;
    uint64_t away = opt.wrong ? 1000000 : 0;       /* outside every window */
    do hotp6(key, counter + away, code);
    while (opt.wrong && is_right(key, counter, code) && ++away);
}

/* Logs in with a code that was good before. */
static int replay(const char *user, const char code[CODE])
{
    struct dialogue talk = { .user = user, .source = OLD };
    struct times ignored;
    memcpy(talk.code, code, CODE);
    return login_once(&talk, &ignored);
}

static void run_process(int p)
{
    struct tally *t = &tally[p];
    /* This process's users: p, p+procs, ... of the list (all share in RACE and --same-user). */
    bool share = opt.mode == RACE || opt.same_user;
    int mine = share ? opt.users : (opt.users - p + opt.procs - 1) / opt.procs;
    if (mine < 1) { fprintf(stderr, "fewer users than processes\n"); exit(2); }
    char (*name)[64] = calloc((size_t)mine, sizeof *name);
    uint8_t (*key)[20] = calloc((size_t)mine, sizeof *key);
    uint64_t *ctr = calloc((size_t)mine, sizeof *ctr);
    for (int i = 0; i < mine; i++) {
        int k = share ? i : p + i * opt.procs;
        snprintf(name[i], sizeof *name, opt.user_format, opt.first + k * opt.step);
        user_key(name[i], key[i]);
        ctr[i] = opt.counter;
    }

    pthread_barrier_wait(barrier);
    srandom((unsigned)p + 1);
    if (opt.rss) { rss_kib(); t->rss_before = rss_kib(); rss_open = &t->rss_open; }
    uint64_t start = 0;
    for (int i = -opt.warmup; i < opt.n; i++) {
        int u = (i + opt.warmup) % mine;
        struct dialogue talk = { .user = name[u], .source = opt.maildir ? MAILED : COMPUTED };
        struct times times;
        if (i == 0) { pthread_barrier_wait(barrier); start = now_ns(); }
        if (opt.pace_ms) usleep((useconds_t)(random() % (2000 * opt.pace_ms)));
        if (opt.mode == RACE || opt.lockstep) pthread_barrier_wait(barrier);
        if (opt.maildir && opt.mode == RACE) talk.race = &race[i + opt.warmup];
        if (!opt.maildir) code_for(key[u], ctr[u]++, talk.code);
        int rc = login_once(&talk, &times);
        if (i >= 0) {
            size_t at = (size_t)p * (size_t)opt.n + (size_t)i;
            lat_all[at] = times.all;
            lat_auth[at] = times.auth;
            lat_mail[at] = times.mail;
            t->no_mail += talk.no_mail;
            t->rc[rc >= 0 && rc < MAXRC ? rc : MAXRC - 1]++;
            if (rc == PAM_SUCCESS) t->ok++; else t->denied++;
            if (rc == PAM_SUCCESS) {
                __atomic_add_fetch(&round_wins[i], 1, __ATOMIC_SEQ_CST);
                memcpy(last_ok[share ? u : p + u * opt.procs], talk.code, CODE);
            }
        }
        if (opt.mode == REPLAY && rc == PAM_SUCCESS) {
            int again = replay(name[u], talk.code);
            if (i >= 0) { t->replay_tried++; t->replay_accepted += again == PAM_SUCCESS; }
        }
        if (opt.mode == RACE || opt.lockstep) pthread_barrier_wait(barrier);
    }
    if (opt.rss) t->rss_after = rss_kib();
    t->wall = (double)(now_ns() - start) / 1e9;
    exit(0);
}

/* ---- report ---------------------------------------------------------------- */

static int cmp_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(const char *what, uint32_t *v, size_t n)
{
    static const double q[] = { 0.50, 0.95, 0.99 };
    qsort(v, n, sizeof *v, cmp_u32);
    for (int i = 0; i < 3; i++) {
        size_t at = (size_t)(q[i] * (double)n);
        printf(" %s_p%d_us=%.1f", what, (int)(q[i] * 100), v[at < n ? at : n - 1] / 100.0);
    }
    printf(" %s_max_us=%.1f", what, v[n - 1] / 100.0);
}

static void usage(void)
{
    puts("usage: pamdrive [options]\n"
         "  --service NAME     file in /etc/pam.d (perf-permit)\n"
         "  --confdir DIR      use DIR in place of /etc/pam.d (needs no root for its files)\n"
         "  --user-format FMT  printf format of user names (u%06d)\n"
         "  --first N --step N --users N   which users: first, first+step, ... (0, 1, 1)\n"
         "  --counter N        counter of every user's first code (1)\n"
         "  --procs N          processes, each with its own share of the users (1)\n"
         "  --n N --warmup N   logins per process, measured and before (1000, 10)\n"
         "  --maildir DIR      codes come by mail, in DIR/USER/new/\n"
         "  --totp             codes of the current 30 s step instead of a counter's\n"
         "  --wrong            codes that are never right\n"
         "  --same-user        every process drives all of the users\n"
         "  --replay           after each success try the same code again\n"
         "  --race             all processes send the same code at the same moment\n"
         "  --lockstep         the processes' logins (of different users) start together\n"
         "  --pace-ms N        a random pause of N ms on average before each login\n"
         "  --recheck          at the end, try every user's last accepted code again, one by one:\n"
         "                     each one accepted is an update that was lost\n"
         "  --rss              KiB that the host grew by: during the first login, after the last\n"
         "  --label TEXT       first word of the result line\n"
         "  --print-key NAME   print a user's key in hex, and exit\n"
         "  --print-code NAME COUNTER   print one code, and exit\n"
         "One line of key=value pairs is printed; times are microseconds.");
    exit(2);
}

int main(int argc, char **argv)
{
    enum { CONF = 255, MAIL, FMT, FIRST, STEP, USERS, CTR, PROCS, WARM, TOTP, WRONG, SAME, REPL, RC, LOCK, PACE, RECHECK, RSS, LABEL, PKEY, PCODE };
    static const struct option lo[] = {
        { "service", 1, 0, 's' }, { "confdir", 1, 0, CONF }, { "maildir", 1, 0, MAIL },
        { "user-format", 1, 0, FMT }, { "first", 1, 0, FIRST },
        { "step", 1, 0, STEP }, { "users", 1, 0, USERS }, { "counter", 1, 0, CTR },
        { "procs", 1, 0, PROCS }, { "n", 1, 0, 'n' }, { "warmup", 1, 0, WARM },
        { "totp", 0, 0, TOTP }, { "wrong", 0, 0, WRONG }, { "same-user", 0, 0, SAME },
        { "replay", 0, 0, REPL }, { "race", 0, 0, RC }, { "lockstep", 0, 0, LOCK },
        { "pace-ms", 1, 0, PACE }, { "recheck", 0, 0, RECHECK }, { "rss", 0, 0, RSS }, { "label", 1, 0, LABEL },
        { "print-key", 1, 0, PKEY }, { "print-code", 1, 0, PCODE }, { 0, 0, 0, 0 } };
    uint8_t key[20];
    char code[7];
    if (selftest()) return 2;
    for (int c; (c = getopt_long(argc, argv, "s:n:", lo, NULL)) != -1;)
        switch (c) {
        case 's': opt.service = optarg; break;
        case CONF: opt.confdir = optarg; break;
        case MAIL: opt.maildir = optarg; break;
        case FMT: opt.user_format = optarg; break;
        case FIRST: opt.first = atoi(optarg); break;
        case STEP: opt.step = atoi(optarg); break;
        case USERS: opt.users = atoi(optarg); break;
        case CTR: opt.counter = strtoull(optarg, NULL, 10); break;
        case PROCS: opt.procs = atoi(optarg); break;
        case 'n': opt.n = atoi(optarg); break;
        case WARM: opt.warmup = atoi(optarg); break;
        case TOTP: opt.totp = true; break;
        case WRONG: opt.wrong = true; break;
        case SAME: opt.same_user = true; break;
        case REPL: opt.mode = REPLAY; break;
        case RC: opt.mode = RACE; break;
        case LOCK: opt.lockstep = true; break;
        case PACE: opt.pace_ms = atoi(optarg); break;
        case RECHECK: opt.recheck = true; break;
        case RSS: opt.rss = true; break;
        case LABEL: opt.label = optarg; break;
        case PKEY:
            user_key(optarg, key);
            for (int i = 0; i < 20; i++) printf("%02x", key[i]);
            putchar('\n');
            return 0;
        case PCODE:
            if (optind >= argc) usage();
            user_key(optarg, key);
            hotp6(key, strtoull(argv[optind], NULL, 10), code);
            puts(code);
            return 0;
        default: usage();
        }
    if (optind != argc || opt.procs < 1 || opt.n < 1 || opt.users < 1) usage();

    size_t total = (size_t)opt.procs * (size_t)opt.n;
    tally = shared(sizeof *tally * (size_t)opt.procs);
    round_wins = shared(sizeof *round_wins * (size_t)opt.n);
    last_ok = shared(sizeof *last_ok * (size_t)opt.users);
    lat_all = shared(sizeof *lat_all * total);
    lat_auth = shared(sizeof *lat_auth * total);
    lat_mail = shared(sizeof *lat_mail * total);
    race = shared(sizeof *race * (size_t)(opt.warmup + opt.n));
    barrier = shared(sizeof *barrier);
    pthread_barrierattr_t ba;
    pthread_barrierattr_init(&ba);
    pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(barrier, &ba, (unsigned)opt.procs);

    for (int p = 0; p < opt.procs; p++) {
        pid_t pid = fork();
        if (pid < 0) { perror("fork"); return 2; }
        if (pid == 0) run_process(p);
    }
    int bad = 0, st;
    while (wait(&st) > 0)
        bad |= !WIFEXITED(st) || WEXITSTATUS(st) != 0;
    if (bad) { fprintf(stderr, "a process failed\n"); return 2; }

    struct tally sum = { 0 };
    for (int p = 0; p < opt.procs; p++) {
        sum.ok += tally[p].ok;
        sum.denied += tally[p].denied;
        sum.no_mail += tally[p].no_mail;
        sum.replay_tried += tally[p].replay_tried;
        sum.replay_accepted += tally[p].replay_accepted;
        for (int r = 0; r < MAXRC; r++) sum.rc[r] += tally[p].rc[r];
        if (tally[p].wall > sum.wall) sum.wall = tally[p].wall;
    }
    printf("%s service=%s procs=%d users=%d n=%zu ok=%ld denied=%ld", opt.label,
           opt.service, opt.procs, opt.users, total, sum.ok, sum.denied);
    print_latency("all", lat_all, total);
    print_latency("auth", lat_auth, total);
    if (opt.maildir) {
        print_latency("mail", lat_mail, total);
        printf(" no_mail=%ld", sum.no_mail);
    }
    printf(" per_s=%.0f ok_per_s=%.0f", (double)total / sum.wall, (double)sum.ok / sum.wall);
    if (opt.rss)
        printf(" rss_open_kib=%ld rss_left_kib=%ld", tally[0].rss_open - tally[0].rss_before,
               tally[0].rss_after - tally[0].rss_before);
    if (opt.lockstep) {
        int all = 0;
        for (int i = 0; i < opt.n; i++) all += round_wins[i] == opt.procs;
        printf(" rounds=%d rounds_all_in=%d", opt.n, all);
    }
    if (opt.recheck) {
        int tried = 0, got_in = 0;
        for (int k = 0; k < opt.users; k++) {
            char name[64];
            if (!last_ok[k][0]) continue;
            snprintf(name, sizeof name, opt.user_format, opt.first + k * opt.step);
            tried++;
            got_in += replay(name, last_ok[k]) == PAM_SUCCESS;
        }
        printf(" recheck_tried=%d recheck_accepted=%d", tried, got_in);
    }
    if (opt.mode == REPLAY)
        printf(" replay_tried=%ld replay_accepted=%ld", sum.replay_tried, sum.replay_accepted);
    if (opt.mode == RACE) {
        int none = 0, one = 0, many = 0;
        for (int i = 0; i < opt.n; i++)
            *(round_wins[i] == 0 ? &none : round_wins[i] == 1 ? &one : &many) += 1;
        printf(" rounds=%d rounds_nobody=%d rounds_one=%d rounds_many=%d", opt.n, none, one, many);
    }
    printf(" rc=");
    for (int r = 0, sep = 0; r < MAXRC; r++)
        if (sum.rc[r]) printf("%s%d:%ld", sep++ ? "," : "", r, sum.rc[r]);
    putchar('\n');
    return 0;
}
