/* race SERVICE USER COUNT: COUNT processes log the same user in through libpam at the same moment.
 *
 * Each goes as far as its first prompt and waits there. Once all have been asked (or have ended), "asked N" is printed
 * and one line of answers is read: process i answers its k-th prompt with the (i + k)-th word, starting over at the
 * end; with a single word it answers once and then hangs up. At the end there is one JSON object a process.
 * A line of answers may be given as the fourth argument; then nobody waits for anybody. */
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 256, LENGTH = 64, PROCESSES = 256 };

struct outcome { int code, prompts, wrong; };

static struct stage {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int arrived;
    bool open;
    int words;
    char word[WORDS][LENGTH];
    struct outcome outcome[PROCESSES];
} *stage;

static void arrive(void)
{
    pthread_mutex_lock(&stage->lock);
    stage->arrived++;
    pthread_cond_broadcast(&stage->changed);
    while (!stage->open)
        pthread_cond_wait(&stage->changed, &stage->lock);
    pthread_mutex_unlock(&stage->lock);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **replies, void *data)
{
    int me = *(int *)data;
    struct outcome *mine = &stage->outcome[me];
    struct pam_response *reply = calloc((size_t)count, sizeof *reply);
    if (!reply)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        if (strstr(messages[i]->msg, "Wrong code"))
            mine->wrong++;
        if (messages[i]->msg_style != PAM_PROMPT_ECHO_ON && messages[i]->msg_style != PAM_PROMPT_ECHO_OFF)
            continue;
        if (mine->prompts == 0)
            arrive();
        if (mine->prompts > 0 && stage->words == 1) {
            free(reply);
            return PAM_CONV_ERR;
        }
        reply[i].resp = strdup(stage->word[(me + mine->prompts) % stage->words]);
        mine->prompts++;
    }
    *replies = reply;
    return PAM_SUCCESS;
}

static void no_delay(int code, unsigned microseconds, void *data)
{
    (void)code, (void)microseconds, (void)data;
}

static void run(int me, const char *service, const char *user)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pam_conv conversation = { converse, &me };
    pam_handle_t *handle = NULL;
    int code = pam_start(service, user, &conversation, &handle);
    if (code == PAM_SUCCESS) {
        pam_set_item(handle, PAM_TTY, "pts/0");
        pam_set_item(handle, PAM_FAIL_DELAY, (const void *)no_delay);
        code = pam_authenticate(handle, 0);
        pam_end(handle, code);
    }
    stage->outcome[me].code = code;
    if (stage->outcome[me].prompts == 0)
        arrive();
    _exit(0);
}

static void read_words(char *line)
{
    for (char *word = strtok(line, " \n"); word && stage->words < WORDS; word = strtok(NULL, " \n"))
        snprintf(stage->word[stage->words++], LENGTH, "%s", word);
    if (stage->words == 0)
        stage->words = 1; /* an empty answer */
}

static void create_stage(void)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stage == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    pthread_mutexattr_t mutex;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&stage->lock, &mutex);
    pthread_condattr_t condition;
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&stage->changed, &condition);
}

static void let_them_answer(int count)
{
    pthread_mutex_lock(&stage->lock);
    while (stage->arrived < count)
        pthread_cond_wait(&stage->changed, &stage->lock);
    int asked = 0;
    for (int i = 0; i < count; i++)
        asked += stage->outcome[i].code == 0;
    printf("asked %d\n", asked);
    fflush(stdout);
    char line[WORDS * LENGTH];
    if (!fgets(line, sizeof line, stdin))
        exit(2);
    read_words(line);
    stage->open = true;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[3]) : 0;
    if (count < 1 || count > PROCESSES) {
        fprintf(stderr, "usage: race SERVICE USER COUNT [ANSWERS]\n");
        return 2;
    }
    create_stage();
    if (argc > 4) {
        read_words(argv[4]);
        stage->open = true;
    }
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 2;
        }
        if (child == 0)
            run(i, argv[1], argv[2]);
    }
    if (!stage->open)
        let_them_answer(count);
    while (wait(NULL) > 0)
        continue;
    for (int i = 0; i < count; i++) {
        struct outcome *each = &stage->outcome[i];
        printf("{\"code\": %d, \"prompts\": %d, \"wrong\": %d}\n", each->code, each->prompts, each->wrong);
    }
    return 0;
}
