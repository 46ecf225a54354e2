/* A security key made of software, for stories: sshd sees a key of type sk-ssh-ed25519@openssh.com (PROTOCOL.u2f). */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef SK_VERSION
#define SK_VERSION 0x000a0000
#endif

enum { ED25519 = 1, UNSUPPORTED = -2, GENERAL = -1, USER_PRESENT = 1 };

struct enrolled {
    uint8_t flags;
    uint8_t *public_key;
    size_t public_key_len;
    uint8_t *key_handle;
    size_t key_handle_len;
    uint8_t *signature;
    size_t signature_len;
    uint8_t *attestation_cert;
    size_t attestation_cert_len;
    uint8_t *authdata;
    size_t authdata_len;
};

struct signed_data {
    uint8_t flags;
    uint32_t counter;
    uint8_t *sig_r;
    size_t sig_r_len;
    uint8_t *sig_s;
    size_t sig_s_len;
};

uint32_t sk_api_version(void) { return SK_VERSION; }

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application, uint8_t flags,
              const char *pin, void **options, struct enrolled **response) {
    (void)challenge, (void)challenge_len, (void)application, (void)pin, (void)options;
    if (alg != ED25519) return UNSUPPORTED;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct enrolled *made = calloc(1, sizeof *made);
    if (!key || !made) return GENERAL;
    made->flags = flags;
    made->public_key_len = made->key_handle_len = 32;
    made->public_key = malloc(32);
    made->key_handle = malloc(32); /* a real one would wrap the key */
    made->signature = calloc(1, 64);
    made->signature_len = 64;
    size_t len = 32;
    if (!EVP_PKEY_get_raw_public_key(key, made->public_key, &len)) return GENERAL;
    len = 32;
    if (!EVP_PKEY_get_raw_private_key(key, made->key_handle, &len)) return GENERAL;
    EVP_PKEY_free(key);
    *response = made;
    return 0;
}

int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application, const uint8_t *key_handle,
            size_t key_handle_len, uint8_t flags, const char *pin, void **options, struct signed_data **response) {
    (void)flags, (void)pin, (void)options;
    if (alg != ED25519 || key_handle_len != 32) return UNSUPPORTED;
    /* What is signed: digest of the application, flags, counter, digest of the data. */
    uint8_t text[32 + 1 + 4 + 32] = {0};
    unsigned digest = 32;
    EVP_Digest(application, strlen(application), text, &digest, EVP_sha256(), NULL);
    text[32] = USER_PRESENT;
    text[36] = 1;
    EVP_Digest(data, data_len, text + 37, &digest, EVP_sha256(), NULL);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key_handle, key_handle_len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct signed_data *made = calloc(1, sizeof *made);
    if (!key || !context || !made) return GENERAL;
    made->flags = USER_PRESENT;
    made->counter = 1;
    made->sig_r = malloc(64);
    made->sig_r_len = 64;
    if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, made->sig_r, &made->sig_r_len, text, sizeof text) != 1)
        return GENERAL;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    *response = made;
    return 0;
}

int sk_load_resident_keys(const char *pin, void **options, void ***keys, size_t *count) {
    (void)pin, (void)options, (void)keys, (void)count;
    return UNSUPPORTED;
}
