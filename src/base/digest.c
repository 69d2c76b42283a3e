#include "purser/base/digest.h"

#include <assert.h>
#include <openssl/evp.h>

static void put_length(EVP_MD_CTX *context, uint64_t length)
{
    uint8_t bytes[8];
    int ok;

    for (int i = 7; i >= 0; i--, length >>= 8)
        bytes[i] = (uint8_t)(length & 0xff);
    ok = EVP_DigestUpdate(context, bytes, sizeof bytes);
    assert(ok == 1);
}

void digest_parts(const struct digest_part *parts, size_t count, uint8_t digest_out[DIGEST_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    /* A wrong key would be worse than no program: there is no way to go on without it. */
    assert(ok);
    for (size_t i = 0; i < count; i++) {
        put_length(context, parts[i].length);
        ok = EVP_DigestUpdate(context, parts[i].bytes, parts[i].length);
        assert(ok == 1);
    }
    ok = EVP_DigestFinal_ex(context, digest_out, NULL);
    assert(ok == 1);
    EVP_MD_CTX_free(context);
}

void digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES])
{
    int ok = EVP_Digest(bytes, length, digest_out, NULL, EVP_sha256(), NULL);

    assert(ok == 1);
    (void)ok;
}
